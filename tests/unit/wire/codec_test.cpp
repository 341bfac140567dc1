#include "engine/wire/codec.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

namespace netrunner::wire {
namespace {

using Fault = FrameReader::Fault;

/// A copy that is aligned, and of its exact size for the sanitizer.
struct Bytes {
  explicit Bytes(std::span<const std::byte> from) : words((from.size() + 7) / 8), size(from.size()) {
    if (size != 0) std::memcpy(words.data(), from.data(), size);
  }
  std::span<std::byte> span() { return std::as_writable_bytes(std::span(words)).first(size); }
  std::vector<std::uint64_t> words;
  std::size_t size;
};

Fault open(std::span<const std::byte> bytes, std::size_t descriptors, bool truncated = false) {
  FrameReader reader;
  return reader.open(bytes, {descriptors, truncated});
}

FrameBuilder three_messages() {
  FrameBuilder builder;
  const std::vector<std::byte> body(13, std::byte{7});
  const int descriptors[] = {5, 6};
  EXPECT_TRUE(builder.append(MessageType::spawn, SpawnFixed{.id = {3, 4}}, body, descriptors));
  EXPECT_TRUE(builder.append(MessageType::ping, PingFixed{99}));
  EXPECT_TRUE(builder.append_bytes(MessageType::shutdown, {}, {}, {}));
  return builder;
}

TEST(Codec, GivesBackWhatWasPutIn) {
  const FrameBuilder builder = three_messages();
  EXPECT_EQ(builder.descriptors().size(), 2U);
  FrameReader reader;
  ASSERT_EQ(reader.open(builder.bytes(), {2, false}), Fault::none);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.message().type, MessageType::spawn);
  EXPECT_EQ(reader.message().as<SpawnFixed>().id, (ChildId{3, 4}));
  EXPECT_EQ(reader.message().body.size(), 13U);
  EXPECT_EQ(reader.descriptor_count(), 2U);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.message().as<PingFixed>().cookie, 99U);
  EXPECT_EQ(reader.first_descriptor(), 2U);
  EXPECT_EQ(reader.descriptor_count(), 0U);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.message().type, MessageType::shutdown);
  EXPECT_FALSE(reader.next());
}

TEST(Codec, AFrameCutAnywhereIsRefused) {
  const FrameBuilder builder = three_messages();
  for (std::size_t size = 0; size < builder.bytes().size(); ++size) {
    Bytes cut(builder.bytes().first(size));
    EXPECT_NE(open(cut.span(), 2), Fault::none) << size;
  }
}

TEST(Codec, AFrameWithABitTooMuchIsRefused) {
  const FrameBuilder builder = three_messages();
  std::vector<std::byte> longer(builder.bytes().begin(), builder.bytes().end());
  longer.resize(longer.size() + 8);
  EXPECT_EQ(open(Bytes(longer).span(), 2), Fault::trailing_bytes);
}

TEST(Codec, NamesEachFault) {
  const FrameBuilder builder = three_messages();
  const auto changed = [&](std::size_t at, std::uint8_t value) {
    Bytes bytes(builder.bytes());
    bytes.span()[at] = std::byte{value};
    return open(bytes.span(), 2);
  };
  EXPECT_EQ(changed(0, 0), Fault::magic);
  EXPECT_EQ(changed(4, 2), Fault::trailing_bytes);
  EXPECT_EQ(changed(4, 4), Fault::truncated);
  EXPECT_EQ(changed(8, 77), Fault::type);
  EXPECT_EQ(changed(12, 1), Fault::length);
  EXPECT_EQ(changed(15, 0xff), Fault::truncated);
  EXPECT_EQ(changed(10, 3), Fault::descriptors);
  EXPECT_EQ(changed(16 + sizeof(SpawnFixed) + 13, 1), Fault::padding);
}

TEST(Codec, MissingDescriptorsAreAFaultUnlessTheKernelDroppedThem) {
  const FrameBuilder builder = three_messages();
  EXPECT_EQ(open(builder.bytes(), 1), Fault::descriptors);
  EXPECT_EQ(open(builder.bytes(), 3), Fault::descriptors);
  FrameReader reader;
  ASSERT_EQ(reader.open(builder.bytes(), {1, true}), Fault::none);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.message().descriptors_announced, 2U);
  EXPECT_EQ(reader.descriptor_count(), 1U);
}

TEST(Codec, AFullFrameTakesNoMoreAndStaysWhole) {
  FrameBuilder builder;
  const std::vector<std::byte> body(inline_body_bytes_max);
  int count = 0;
  while (builder.append(MessageType::spawn, SpawnFixed{}, body)) ++count;
  EXPECT_GE(count, 12);
  EXPECT_EQ(open(builder.bytes(), 0), Fault::none);
  const std::vector<int> many(frame_descriptors_max + 1, 0);
  builder.clear();
  EXPECT_FALSE(builder.append(MessageType::ping, PingFixed{}, {}, many));
  EXPECT_TRUE(builder.empty());
}

TEST(Codec, RandomChangesNeverReadBeyondTheFrame) {
  const FrameBuilder builder = three_messages();
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 20'000; ++round) {
    Bytes bytes(builder.bytes().first(random() % (builder.bytes().size() + 1)));
    for (int change = 0; change < 3 && bytes.size != 0; ++change) {
      bytes.span()[random() % bytes.size] = static_cast<std::byte>(random());
    }
    FrameReader reader;
    if (reader.open(bytes.span(), {2, (random() & 1U) != 0}) != Fault::none) continue;
    while (reader.next()) EXPECT_LE(reader.first_descriptor() + reader.descriptor_count(), 2U);
  }
}

}  // namespace
}  // namespace netrunner::wire
