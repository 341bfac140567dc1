#pragma once
/// One end of the treaty socket under a ring; host and shepherd use the same.

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "engine/os/unique_fd.hpp"
#include "engine/ring/receive.hpp"
#include "engine/ring/ring.hpp"
#include "engine/ring/send.hpp"
#include "engine/wire/codec.hpp"

namespace netrunner::wire {

/// Sends the messages of one turn as one frame and hands over those that come. At most one send and one receive are in
/// flight; frames wait in order behind a full socket, and none is ever lost. An idle channel keeps one frame of memory.
/// It is large (a receive buffer inside): not for the stack. Owner: a shard, or the shepherd. Thread: the ring's.
class Channel {
 public:
  struct Handler {
    void* owner;
    /// The descriptors are the callee's to take; what it leaves is closed. It may post, and it may close() the channel.
    void (*message)(void* owner, const Message& message, std::span<os::UniqueFd> descriptors);
    /// Once, and nothing comes after it. 0: end of file; EPROTO: a malformed frame.
    void (*closed)(void* owner, int sys_errno);
  };

  Channel(ring::Ring& ring, os::UniqueFd socket, Handler handler) noexcept;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel();

  /// Starts to receive.
  void arm();
  /// Queues it; the descriptors move in and are closed when the frame has been sent. Dropped on a closed channel.
  template <Wire T>
  void post(MessageType type, const T& fixed, std::span<const std::byte> body = {},
            std::span<os::UniqueFd> descriptors = {}) {
    post_bytes(type, std::as_bytes(std::span(&fixed, 1)), body, descriptors);
  }
  void post(MessageType type) { post_bytes(type, {}, {}, {}); }
  /// Once per turn: sends what is queued.
  void flush();
  /// Nothing in flight: may be destroyed.
  [[nodiscard]] bool idle() const noexcept { return send_.idle() && receive_.idle(); }
  /// Nothing queued and nothing being sent.
  [[nodiscard]] bool sent() const noexcept { return first_ == nullptr || (first_ == last_ && first_->builder.empty()); }
  /// Cancels; closed() isn't called. What was not sent is dropped. idle() is true some turns later.
  void close();

  /// Flow control: no request is taken while the answers to earlier ones wait for the other side. Both may be repeated.
  void pause() noexcept { paused_ = true; }
  void resume();
  [[nodiscard]] std::size_t frames_waiting() const noexcept { return frames_; }
  [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }

 private:
  struct Frame {
    FrameBuilder builder;
    std::array<os::UniqueFd, frame_descriptors_max> descriptors;
    Frame* next = nullptr;
  };

  void post_bytes(MessageType type, std::span<const std::byte> fixed, std::span<const std::byte> body,
                  std::span<os::UniqueFd> descriptors);
  Frame& add_frame();
  void drop_first();
  [[nodiscard]] bool send_first();
  /// The first frame was sent, or why not. True: another one follows it.
  [[nodiscard]] bool first_went(int failure);
  void on_sent(ring::Completion completion);
  void on_received(ring::Completion completion);
  void take_frame(std::size_t byte_count, std::span<os::UniqueFd> descriptors);
  [[nodiscard]] std::size_t take_descriptors(std::span<os::UniqueFd> into);
  void deliver(std::span<const std::byte> bytes, std::span<os::UniqueFd> descriptors, bool truncated);
  void fail(int sys_errno);

  ring::Ring& ring_;
  os::UniqueFd socket_;
  Handler handler_;
  ring::Send send_;
  ring::Receive receive_;
  bool open_ = true;
  bool armed_ = false;
  bool paused_ = false;
  Frame* first_ = nullptr;  ///< The one in flight, where one is.
  Frame* last_ = nullptr;   ///< The one that grows.
  std::size_t frames_ = 0;
  msghdr send_message_{}, receive_message_{};
  iovec send_bytes_{}, receive_bytes_{};
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(frame_descriptors_max * sizeof(int))> send_control_;
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(253 * sizeof(int))> receive_control_;
  alignas(8) std::array<std::byte, frame_bytes_max> receive_buffer_;
  std::array<os::UniqueFd, 253> received_descriptors_;  ///< Of the frame that is being dealt with; else empty.
};

}  // namespace netrunner::wire
