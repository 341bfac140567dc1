#pragma once
/// Frames of the treaty to bytes and back. No heap, no exceptions: the shepherd uses it too.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <netrunner/error.hpp>

#include "engine/wire/message.hpp"

namespace netrunner::wire {

/// Bytes of a message's fixed part; `known` is false for a type that the treaty doesn't have.
struct MessageShape {
  bool known = false;
  bool may_have_body = false;
  std::uint32_t fixed_bytes = 0;
};
[[nodiscard]] MessageShape shape_of(MessageType type) noexcept;
[[nodiscard]] constexpr std::size_t padded(std::size_t bytes) noexcept { return (bytes + 7) & ~std::size_t{7}; }

/// One message of a frame that was found right. Points into the frame.
struct Message {
  MessageType type{};
  std::uint16_t descriptors_announced = 0;  ///< More than were handed over: the kernel dropped some (EMFILE here).
  std::span<const std::byte> fixed, body;

  template <Wire T>
  [[nodiscard]] T as() const {
    NR_ASSERT(fixed.size() == sizeof(T));
    T value;
    std::memcpy(&value, fixed.data(), sizeof value);
    return value;
  }
};

/// The bytes of one frame as it grows.
class FrameBuilder {
 public:
  FrameBuilder() noexcept { clear(); }
  /// False: it doesn't fit, send this frame first. The descriptors stay the caller's.
  template <Wire T>
  [[nodiscard]] bool append(MessageType type, const T& fixed, std::span<const std::byte> body = {},
                            std::span<const int> descriptors = {}) noexcept {
    return append_bytes(type, std::as_bytes(std::span(&fixed, 1)), body, descriptors);
  }
  [[nodiscard]] bool append_bytes(MessageType type, std::span<const std::byte> fixed, std::span<const std::byte> body,
                                  std::span<const int> descriptors) noexcept;
  void clear() noexcept;
  [[nodiscard]] bool empty() const noexcept { return messages_ == 0; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {buffer_.data(), used_}; }
  [[nodiscard]] std::span<const int> descriptors() const noexcept { return {descriptors_.data(), descriptor_count_}; }

 private:
  void put(const void* bytes, std::size_t count) noexcept;

  std::size_t used_ = 0;
  std::uint32_t messages_ = 0;
  std::size_t descriptor_count_ = 0;
  std::array<int, frame_descriptors_max> descriptors_;
  alignas(8) std::array<std::byte, frame_bytes_max> buffer_;
};

/// Reads a frame that came from elsewhere: the whole of it is checked before the first message is given out, so a
/// malformed frame has no effect at all. The bytes must be aligned to 8 and outlive the reader.
class FrameReader {
 public:
  enum class Fault : std::uint8_t {
    none, too_long, no_header, magic, truncated, type, length, padding, trailing_bytes, descriptors,
  };
  struct Descriptors {
    std::size_t received = 0;
    bool truncated = false;  ///< MSG_CTRUNC: fewer came than were sent.
  };
  [[nodiscard]] Fault open(std::span<const std::byte> bytes, Descriptors descriptors) noexcept;
  /// False: that was the last one.
  [[nodiscard]] bool next() noexcept;
  [[nodiscard]] const Message& message() const noexcept { return message_; }
  /// Of the message, among those of the frame that were received.
  [[nodiscard]] std::size_t first_descriptor() const noexcept { return first_descriptor_; }
  [[nodiscard]] std::size_t descriptor_count() const noexcept { return descriptor_count_; }

 private:
  [[nodiscard]] Fault check(std::uint32_t message_count) const noexcept;

  std::span<const std::byte> bytes_;
  Descriptors descriptors_;
  std::size_t at_ = 0;
  std::uint32_t left_ = 0;
  std::size_t announced_ = 0;
  std::size_t first_descriptor_ = 0, descriptor_count_ = 0;
  Message message_;
};

}  // namespace netrunner::wire
