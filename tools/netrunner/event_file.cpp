#include "tools/netrunner/event_file.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include "tools/netrunner/messages.hpp"

namespace netrunner::tool {

EventFile::~EventFile() { (void)close(); }

Checked<void> EventFile::open(const std::string& path) {
  path_ = path;
  fd_ = path == "-" ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
                    : ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
  if (fd_ < 0) {
    return std::unexpected("--events " + path + ": " + std::strerror(errno) +
                           "; nothing was started; name a file in a folder that you may write to.");
  }
  start_ = Clocks::now();
  // Signals are the signal thread's: they are blocked in every other one.
  sigset_t all, before;
  (void)::sigfillset(&all);
  (void)::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { write_all_lines(); });
  (void)::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return {};
}

OnEvent EventFile::callback() {
  if (!is_open()) return {};
  return [this](const Event& event) { put(json_of(event, start_)); };
}

void EventFile::put(std::string line) {
  const std::lock_guard guard(mutex_);
  if (queue_.size() + line.size() > queue_bytes_max) {
    ++left_out_;
    return;
  }
  if (left_out_ > 0) {
    queue_ += "{\"event\":\"left_out\",\"count\":" + std::to_string(std::exchange(left_out_, 0)) + "}\n";
  }
  queue_ += line;
  filled_.notify_one();
}

void EventFile::write_all_lines() {
  std::unique_lock lock(mutex_);
  for (;;) {
    filled_.wait(lock, [this] { return closing_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const std::string lines = std::exchange(queue_, {});
    lock.unlock();
    const int failed = failed_ == 0 ? write_all(fd_, lines) : 0;
    lock.lock();
    if (failed != 0) failed_ = failed;
  }
}

Checked<void> EventFile::close() {
  if (!is_open()) return {};
  {
    const std::lock_guard guard(mutex_);
    closing_ = true;
    filled_.notify_one();
  }
  thread_.join();
  if (::close(std::exchange(fd_, -1)) != 0 && failed_ == 0) failed_ = errno;
  if (failed_ == 0 || failed_ == EPIPE) return {};  // A reader that left doesn't want the rest.
  return std::unexpected("--events " + path_ + ": " + std::strerror(failed_) + "; the file is not complete.");
}

}  // namespace netrunner::tool
