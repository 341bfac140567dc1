#include "engine/wire/codec.hpp"

#include <algorithm>

namespace netrunner::wire {
namespace {

template <Wire T>
T read_at(std::span<const std::byte> bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

constexpr MessageShape shape(std::size_t fixed_bytes, bool may_have_body = false) {
  return {true, may_have_body, static_cast<std::uint32_t>(fixed_bytes)};
}

}  // namespace

MessageShape shape_of(MessageType type) noexcept {
  switch (type) {
    case MessageType::spawn: return shape(sizeof(SpawnFixed), true);
    case MessageType::signal: return shape(sizeof(SignalFixed));
    case MessageType::stop: return shape(sizeof(StopFixed), true);
    case MessageType::settle: return shape(sizeof(SettleFixed));
    case MessageType::ping: return shape(sizeof(PingFixed));
    case MessageType::shutdown: return shape(0);
    case MessageType::contain: return shape(sizeof(ContainFixed));
    case MessageType::sibling: return shape(sizeof(SiblingFixed));
    case MessageType::limit_groups: return shape(sizeof(LimitGroupsFixed));
    case MessageType::cpu_time: return shape(sizeof(CpuTimeFixed));
    case MessageType::ready: return shape(sizeof(ReadyFixed));
    case MessageType::started: return shape(sizeof(StartedFixed));
    case MessageType::start_failed: return shape(sizeof(StartFailedFixed), true);
    case MessageType::exited: return shape(sizeof(ExitedFixed));
    case MessageType::signal_sent: return shape(sizeof(SignalSentFixed));
    case MessageType::settled: return shape(sizeof(SettledFixed));
    case MessageType::pong: return shape(sizeof(PingFixed));
    case MessageType::contained: return shape(sizeof(ContainedFixed));
    case MessageType::limit_met: return shape(sizeof(LimitMetFixed));
    case MessageType::stop_command: return shape(sizeof(StopCommandFixed));
    case MessageType::leftovers: return shape(sizeof(LeftoversFixed));
    case MessageType::gone: return shape(0);
  }
  return {};
}

void FrameBuilder::clear() noexcept {
  messages_ = 0;
  descriptor_count_ = 0;
  used_ = 0;
  const FrameHeader header{};
  put(&header, sizeof header);
}

void FrameBuilder::put(const void* bytes, std::size_t count) noexcept {
  if (count != 0) std::memcpy(buffer_.data() + used_, bytes, count);
  used_ += count;
}

bool FrameBuilder::append_bytes(MessageType type, std::span<const std::byte> fixed, std::span<const std::byte> body,
                                std::span<const int> descriptors) noexcept {
  const std::size_t bytes = fixed.size() + body.size();
  if (bytes > frame_bytes_max || sizeof(MessageHeader) + padded(bytes) > frame_bytes_max - used_) return false;
  if (descriptors.size() > frame_descriptors_max - descriptor_count_) return false;
  const MessageHeader header{type, static_cast<std::uint16_t>(descriptors.size()), static_cast<std::uint32_t>(bytes)};
  put(&header, sizeof header);
  put(fixed.data(), fixed.size());
  put(body.data(), body.size());
  const std::uint64_t zero = 0;
  put(&zero, padded(bytes) - bytes);
  std::copy(descriptors.begin(), descriptors.end(), &descriptors_[0] + descriptor_count_);
  descriptor_count_ += descriptors.size();
  const FrameHeader frame{frame_magic, ++messages_};
  std::memcpy(buffer_.data(), &frame, sizeof frame);
  return true;
}

FrameReader::Fault FrameReader::open(std::span<const std::byte> bytes, Descriptors descriptors) noexcept {
  NR_ASSERT(reinterpret_cast<std::uintptr_t>(bytes.data()) % 8 == 0);
  bytes_ = bytes;
  descriptors_ = descriptors;
  at_ = sizeof(FrameHeader);
  left_ = 0;
  announced_ = first_descriptor_ = descriptor_count_ = 0;
  if (bytes.size() > frame_bytes_max) return Fault::too_long;
  if (bytes.size() < sizeof(FrameHeader)) return Fault::no_header;
  const auto header = read_at<FrameHeader>(bytes, 0);
  if (header.magic != frame_magic) return Fault::magic;
  const Fault fault = check(header.message_count);
  if (fault == Fault::none) left_ = header.message_count;
  return fault;
}

FrameReader::Fault FrameReader::check(std::uint32_t message_count) const noexcept {
  std::size_t at = sizeof(FrameHeader);
  std::size_t announced = 0;
  for (std::uint32_t i = 0; i < message_count; ++i) {
    if (bytes_.size() - at < sizeof(MessageHeader)) return Fault::truncated;
    const auto header = read_at<MessageHeader>(bytes_, at);
    at += sizeof(MessageHeader);
    const MessageShape shape = shape_of(header.type);
    if (!shape.known) return Fault::type;
    if (header.bytes < shape.fixed_bytes) return Fault::length;
    if (!shape.may_have_body && header.bytes != shape.fixed_bytes) return Fault::length;
    if (header.bytes > bytes_.size() || padded(header.bytes) > bytes_.size() - at) return Fault::truncated;
    for (std::size_t pad = header.bytes; pad < padded(header.bytes); ++pad) {
      if (bytes_[at + pad] != std::byte{0}) return Fault::padding;
    }
    at += padded(header.bytes);
    announced += header.descriptor_count;
  }
  if (at != bytes_.size()) return Fault::trailing_bytes;
  if (announced > frame_descriptors_max || announced < descriptors_.received) return Fault::descriptors;
  if (announced != descriptors_.received && !descriptors_.truncated) return Fault::descriptors;
  return Fault::none;
}

bool FrameReader::next() noexcept {
  if (left_ == 0) return false;
  --left_;
  const auto header = read_at<MessageHeader>(bytes_, at_);
  const std::size_t fixed_bytes = shape_of(header.type).fixed_bytes;
  at_ += sizeof(MessageHeader);
  message_.type = header.type;
  message_.descriptors_announced = header.descriptor_count;
  message_.fixed = bytes_.subspan(at_, fixed_bytes);
  message_.body = bytes_.subspan(at_ + fixed_bytes, header.bytes - fixed_bytes);
  at_ += padded(header.bytes);
  first_descriptor_ = std::min(announced_, descriptors_.received);
  announced_ += header.descriptor_count;
  descriptor_count_ = std::min(announced_, descriptors_.received) - first_descriptor_;
  return true;
}

}  // namespace netrunner::wire
