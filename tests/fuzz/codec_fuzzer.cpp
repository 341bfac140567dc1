#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "engine/wire/codec.hpp"

/// The first byte says how many descriptors came with the frame, the rest is the frame.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace netrunner::wire;
  if (size == 0) return 0;
  std::vector<std::uint64_t> words((size - 1 + 7) / 8 + 1);
  if (size > 1) std::memcpy(words.data(), data + 1, size - 1);
  const std::size_t descriptors = data[0] & 0x7fU;
  FrameReader reader;
  const auto bytes = std::as_bytes(std::span(words)).first(size - 1);
  if (reader.open(bytes, {descriptors, (data[0] & 0x80U) != 0}) != FrameReader::Fault::none) return 0;
  std::size_t sum = 0;
  FrameBuilder again;
  while (reader.next()) {
    const Message& message = reader.message();
    if (reader.first_descriptor() + reader.descriptor_count() > descriptors) __builtin_trap();
    for (const std::byte byte : message.body) sum += static_cast<std::size_t>(byte);
    for (const std::byte byte : message.fixed) sum += static_cast<std::size_t>(byte);
    const std::vector<int> numbers(message.descriptors_announced);
    if (!again.append_bytes(message.type, message.fixed, message.body, numbers)) __builtin_trap();
  }
  // What is right is written back byte for byte.
  if (again.bytes().size() != bytes.size()) __builtin_trap();
  if (std::memcmp(again.bytes().data(), bytes.data(), bytes.size()) != 0) __builtin_trap();
  return sum == SIZE_MAX ? 1 : 0;
}
