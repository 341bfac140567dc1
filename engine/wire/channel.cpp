#include "engine/wire/channel.hpp"

#include <algorithm>
#include <cerrno>
#include <new>

namespace netrunner::wire {

Channel::Channel(ring::Ring& ring, os::UniqueFd socket, Handler handler) noexcept
    : ring_(ring),
      socket_(std::move(socket)),
      handler_(handler),
      send_(this, [](void* self, ring::Completion c) { static_cast<Channel*>(self)->on_sent(c); }),
      receive_(this, [](void* self, ring::Completion c) { static_cast<Channel*>(self)->on_received(c); }) {
  // Four frames fit; what the kernel grants less only makes frames wait here instead.
  const int bytes = static_cast<int>(4 * frame_bytes_max);
  (void)::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

Channel::~Channel() {
  NR_ASSERT(idle());
  while (first_ != nullptr) drop_first();
}

void Channel::arm() {
  armed_ = true;
  if (!open_ || paused_ || !receive_.idle()) return;
  receive_bytes_ = {receive_buffer_.data(), receive_buffer_.size()};
  receive_message_ = {};
  receive_message_.msg_iov = &receive_bytes_;
  receive_message_.msg_iovlen = 1;
  receive_message_.msg_control = receive_control_.data();
  receive_message_.msg_controllen = receive_control_.size();
  receive_.arm(ring_, socket_.get(), receive_message_);
}

void Channel::resume() {
  if (!paused_) return;
  paused_ = false;
  if (armed_) arm();
}

Channel::Frame& Channel::add_frame() {
  NR_ASSERT(frames_ < frames_waiting_max);
  auto* frame = new (std::nothrow) Frame;
  NR_ASSERT(frame != nullptr);
  (last_ == nullptr ? first_ : last_->next) = frame;
  last_ = frame;
  ++frames_;
  return *frame;
}

void Channel::drop_first() {
  Frame* gone = first_;
  first_ = gone->next;
  if (first_ == nullptr) last_ = nullptr;
  --frames_;
  delete gone;
}

void Channel::post_bytes(MessageType type, std::span<const std::byte> fixed, std::span<const std::byte> body,
                         std::span<os::UniqueFd> descriptors) {
  NR_ASSERT(descriptors.size() <= frame_descriptors_max);
  std::array<int, frame_descriptors_max> numbers;
  for (std::size_t i = 0; i < descriptors.size(); ++i) numbers[i] = descriptors[i].get();
  const std::span<const int> attached(numbers.data(), descriptors.size());
  if (!open_) {
    for (os::UniqueFd& fd : descriptors) fd.reset();
    return;
  }
  // The first frame must not grow while the kernel reads it.
  const bool usable = last_ != nullptr && (last_ != first_ || send_.idle());
  Frame* frame = usable ? last_ : &add_frame();
  std::size_t before = frame->builder.descriptors().size();
  if (!frame->builder.append_bytes(type, fixed, body, attached)) {
    frame = &add_frame();
    before = 0;
    NR_ASSERT(frame->builder.append_bytes(type, fixed, body, attached));
  }
  for (std::size_t i = 0; i < descriptors.size(); ++i) frame->descriptors[before + i] = std::move(descriptors[i]);
}

void Channel::flush() {
  while (open_ && send_.idle() && first_ != nullptr && !first_->builder.empty()) {
    if (!send_first()) return;
  }
}

/// At once where the socket takes it: no completion, and no second entry into the kernel to see it. False: it stays.
bool Channel::send_first() {
  const auto bytes = first_->builder.bytes();
  const auto descriptors = first_->builder.descriptors();
  send_bytes_ = {const_cast<std::byte*>(bytes.data()), bytes.size()};
  send_message_ = {};
  send_message_.msg_iov = &send_bytes_;
  send_message_.msg_iovlen = 1;
  if (!descriptors.empty()) {
    send_message_.msg_control = send_control_.data();
    send_message_.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* control = CMSG_FIRSTHDR(&send_message_);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(control), descriptors.data(), descriptors.size_bytes());
  }
  const ssize_t sent = ::sendmsg(socket_.get(), &send_message_, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent >= 0) return first_went(0);
  if (errno != EAGAIN) return first_went(errno);
  send_.arm(ring_, socket_.get(), send_message_);
  return false;
}

void Channel::on_sent(ring::Completion completion) {
  if (!open_) {
    while (first_ != nullptr) drop_first();
  } else if (first_went(std::max(-completion.result, 0))) {
    flush();
  }
}

bool Channel::first_went(int failure) {
  // ETOOMANYREFS: too many descriptors of this user are under way in sockets, see unix(7). The frame stays and goes
  // with the next flush: the other side's answers to what it has will bring one.
  const bool again = failure == EAGAIN || failure == EINTR || failure == ETOOMANYREFS || failure == ENOBUFS ||
                     failure == ENOMEM;
  if (again) return false;
  if (failure != 0) {
    // The receive tells the end too, perhaps after messages that came before it: let it.
    while (first_ != nullptr) drop_first();
    if (!armed_) fail(failure);
    return false;
  }
  if (first_ != last_) {
    drop_first();
    return true;
  }
  // Kept for the next turn: an idle channel allocates nothing.
  for (std::size_t i = 0; i < first_->builder.descriptors().size(); ++i) first_->descriptors[i].reset();
  first_->builder.clear();
  return false;
}

std::size_t Channel::take_descriptors(std::span<os::UniqueFd> into) {
  std::size_t count = 0;
  for (cmsghdr* control = CMSG_FIRSTHDR(&receive_message_); control != nullptr;
       control = CMSG_NXTHDR(&receive_message_, control)) {
    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t here = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < here; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(control) + i * sizeof(int), sizeof fd);
      os::UniqueFd owned(fd);
      if (count < into.size()) into[count++] = std::move(owned);
    }
  }
  return count;
}

void Channel::on_received(ring::Completion completion) {
  if (completion.result <= 0) {
    if (!open_) return;
    if (completion.result == -EINTR || completion.result == -EAGAIN) return arm();
    return fail(-completion.result);
  }
  const std::size_t count = take_descriptors(received_descriptors_);
  const std::span<os::UniqueFd> descriptors(received_descriptors_.data(), count);
  if (open_) take_frame(static_cast<std::size_t>(completion.result), descriptors);
  for (os::UniqueFd& left : descriptors) left.reset();  // What nobody wanted.
  if (open_) arm();
}

void Channel::take_frame(std::size_t byte_count, std::span<os::UniqueFd> descriptors) {
  if ((receive_message_.msg_flags & MSG_TRUNC) != 0) return fail(EPROTO);
  const bool truncated = (receive_message_.msg_flags & MSG_CTRUNC) != 0;
  deliver({receive_buffer_.data(), byte_count}, descriptors, truncated);
}

void Channel::deliver(std::span<const std::byte> bytes, std::span<os::UniqueFd> descriptors, bool truncated) {
  FrameReader reader;
  if (reader.open(bytes, {descriptors.size(), truncated}) != FrameReader::Fault::none) return fail(EPROTO);
  while (open_ && reader.next()) {
    handler_.message(handler_.owner, reader.message(),
                     descriptors.subspan(reader.first_descriptor(), reader.descriptor_count()));
  }
}

void Channel::fail(int sys_errno) {
  close();
  handler_.closed(handler_.owner, sys_errno);
}

void Channel::close() {
  if (!open_) return;
  open_ = false;
  ring_.cancel(send_);
  ring_.cancel(receive_);
  if (send_.idle()) {
    while (first_ != nullptr) drop_first();
  }
}

}  // namespace netrunner::wire
