#include "tools/netrunner/item_source.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace netrunner::tool {
namespace {

constexpr std::size_t read_bytes = std::size_t{64} * 1024;

}  // namespace

ItemSource::ItemSource(std::vector<std::string> list)
    : list_(std::move(list)), interrupt_fd_(::eventfd(0, EFD_CLOEXEC)), ended_(true) {}

ItemSource::ItemSource(int fd, char separator)
    : fd_(fd), interrupt_fd_(::eventfd(0, EFD_CLOEXEC)), separator_(separator) {}

ItemSource::~ItemSource() {
  if (interrupt_fd_ >= 0) (void)::close(interrupt_fd_);
}

void ItemSource::interrupt() {
  const std::uint64_t one = 1;
  (void)!::write(interrupt_fd_, &one, sizeof one);
}

/// More bytes in the buffer; false: there are none.
Checked<bool> ItemSource::fill() {
  buffer_.erase(0, std::exchange(buffer_at_, 0));
  for (;;) {
    std::array<pollfd, 2> ready = {pollfd{.fd = interrupt_fd_, .events = POLLIN, .revents = 0},
                                   pollfd{.fd = fd_, .events = POLLIN, .revents = 0}};
    if (::poll(ready.data(), ready.size(), -1) < 0) continue;
    if (ready[0].revents != 0) {
      buffer_.clear();
      return false;
    }
    const std::size_t had = buffer_.size();
    buffer_.resize(had + read_bytes);
    const ssize_t got = ::read(fd_, buffer_.data() + had, read_bytes);
    const int failed = errno;
    buffer_.resize(had + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got >= 0) return got > 0;
    if (failed != EINTR && failed != EAGAIN) {
      return std::unexpected(std::string("reading the items: ") + std::strerror(failed) +
                             "; give them on standard input, or after :::.");
    }
  }
}

/// One that is too long: its begin, while the rest is read and dropped.
Checked<std::optional<std::string>> ItemSource::cut_item() {
  std::string item = buffer_.substr(buffer_at_, item_bytes_max + 1);
  while (!ended_) {
    const std::size_t end = buffer_.find(separator_, buffer_at_);
    if (end != std::string::npos) {
      buffer_at_ = end + 1;
      return item;
    }
    buffer_at_ = buffer_.size();
    const Checked<bool> filled = fill();
    if (!filled) return std::unexpected(filled.error());
    ended_ = !*filled;
  }
  return item;
}

Checked<std::optional<std::string>> ItemSource::next() {
  if (list_at_ < list_.size()) return std::move(list_[list_at_++]);
  std::size_t searched = 0;
  while (!ended_) {
    const std::size_t end = buffer_.find(separator_, buffer_at_ + searched);
    if (end != std::string::npos) {
      std::string item = buffer_.substr(buffer_at_, end - buffer_at_);
      buffer_at_ = end + 1;
      return item;
    }
    searched = buffer_.size() - buffer_at_;
    if (searched > item_bytes_max) return cut_item();
    const Checked<bool> filled = fill();
    if (!filled) return std::unexpected(filled.error());
    ended_ = !*filled;
  }
  if (buffer_at_ == buffer_.size()) return std::nullopt;
  buffer_.erase(0, std::exchange(buffer_at_, 0));
  return std::exchange(buffer_, {});
}

}  // namespace netrunner::tool
