#include "engine/wire/channel.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <memory>
#include <random>
#include <vector>

#include "engine/os/unix_socket.hpp"
#include "tests/support/descriptor_limit.hpp"

namespace netrunner::wire {
namespace {

std::int64_t in_ms(std::int64_t ms) {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec + ms * 1'000'000;
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
  return count;
}

/// One side: what came to it, in order.
struct End {
  End(ring::Ring& ring, os::UniqueFd socket)
      : channel(std::make_unique<Channel>(ring, std::move(socket), Channel::Handler{this, on_message, on_closed})) {
    channel->arm();
  }
  static void on_message(void* given, const Message& message, std::span<os::UniqueFd> descriptors) {
    auto& self = *static_cast<End*>(given);
    self.types.push_back(message.type);
    if (message.type == MessageType::ping) self.cookies.push_back(message.as<PingFixed>().cookie);
    self.announced.push_back(message.descriptors_announced);
    self.descriptor_counts.push_back(descriptors.size());
    for (os::UniqueFd& fd : descriptors) self.descriptors.push_back(std::move(fd));
  }
  static void on_closed(void* given, int sys_errno) { static_cast<End*>(given)->closed = sys_errno; }

  std::unique_ptr<Channel> channel;
  std::vector<MessageType> types;
  std::vector<std::uint64_t> cookies;
  std::vector<std::size_t> announced, descriptor_counts;
  std::vector<os::UniqueFd> descriptors;
  int closed = -1;
};

class ChannelTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ring = std::move(*ring::Ring::open({64, 256}));
    auto pair = os::make_socket_pair();
    a = std::make_unique<End>(*ring, std::move(pair->ours));
    b = std::make_unique<End>(*ring, std::move(pair->theirs));
  }
  void TearDown() override {
    for (End* end : {a.get(), b.get()}) {
      if (end != nullptr) end->channel->close();
    }
    const auto idle = [&] { return (!a || a->channel->idle()) && (!b || b->channel->idle()); };
    EXPECT_TRUE(turn_until(idle));
  }
  template <class Condition>
  bool turn_until(Condition condition) {
    for (int i = 0; i < 2000 && !condition(); ++i) {
      if (a) a->channel->flush();
      if (b) b->channel->flush();
      ring->turn(in_ms(1));
    }
    return condition();
  }
  std::unique_ptr<ring::Ring> ring;
  std::unique_ptr<End> a, b;
};

TEST_F(ChannelTest, CarriesMessagesAndDescriptorsBothWays) {
  const std::size_t before = open_descriptors();
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  std::vector<os::UniqueFd> given;
  given.emplace_back(ends[1]);
  a->channel->post(MessageType::ping, PingFixed{1});
  a->channel->post(MessageType::spawn, SpawnFixed{}, {}, given);
  a->channel->post(MessageType::shutdown);
  b->channel->post(MessageType::pong, PingFixed{2});
  ASSERT_TRUE(turn_until([&] { return b->types.size() == 3 && a->types.size() == 1; }));
  EXPECT_EQ(b->types, (std::vector{MessageType::ping, MessageType::spawn, MessageType::shutdown}));
  EXPECT_EQ(b->descriptor_counts, (std::vector<std::size_t>{0, 1, 0}));
  ASSERT_TRUE(turn_until([&] { return a->channel->sent(); }));
  EXPECT_EQ(::write(b->descriptors[0].get(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(::read(ends[0], &byte, 1), 1);
  EXPECT_NE(::fcntl(b->descriptors[0].get(), F_GETFD) & FD_CLOEXEC, 0);
  b->descriptors.clear();
  EXPECT_EQ(::read(ends[0], &byte, 1), 0) << "the sender closed its copy when the frame was sent";
  ::close(ends[0]);
  EXPECT_EQ(open_descriptors(), before);
}

// K13: whatever is sent together or apart, the same arrives in the same order.
TEST_F(ChannelTest, CoalescingChangesNothing) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (std::uint64_t i = 0; i < 5000; ++i) {
    a->channel->post(MessageType::ping, PingFixed{i});
    if (random() % 3 == 0) a->channel->flush();
    if (random() % 4 == 0) ring->turn(0);
  }
  ASSERT_TRUE(turn_until([&] { return b->cookies.size() == 5000; }));
  for (std::uint64_t i = 0; i < 5000; ++i) ASSERT_EQ(b->cookies[i], i);
}

TEST_F(ChannelTest, NothingIsLostBehindASocketThatNobodyReads) {
  b->channel->pause();
  const std::vector<std::byte> body(4000);
  for (int i = 0; i < 500; ++i) {
    a->channel->post(MessageType::start_failed, StartFailedFixed{}, body);
    a->channel->flush();
    ring->turn(0);
  }
  EXPECT_GT(a->channel->frames_waiting(), 1U);
  EXPECT_FALSE(a->channel->sent());
  b->channel->resume();
  ASSERT_TRUE(turn_until([&] { return b->types.size() == 500; }));
  ASSERT_TRUE(turn_until([&] { return a->channel->sent(); }));
  EXPECT_EQ(a->channel->frames_waiting(), 1U);
}

TEST_F(ChannelTest, ManyDescriptorsGoInSeveralFrames) {
  for (int message = 0; message < 10; ++message) {
    std::vector<os::UniqueFd> given;
    for (int i = 0; i < 40; ++i) given.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    a->channel->post(MessageType::spawn, SpawnFixed{}, {}, given);
  }
  ASSERT_TRUE(turn_until([&] { return b->descriptors.size() == 400; }));
  EXPECT_EQ(b->descriptor_counts, std::vector<std::size_t>(10, 40));
}

TEST_F(ChannelTest, DescriptorsThatFindNoRoomAreMissedNotFatal) {
  std::vector<os::UniqueFd> given;
  for (int i = 0; i < 20; ++i) given.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  a->channel->post(MessageType::spawn, SpawnFixed{}, {}, given);
  a->channel->post(MessageType::ping, PingFixed{5});
  a->channel->flush();  // Under way: ours are closed.
  ASSERT_TRUE(a->descriptors.empty());
  const int highest = ::dup(0);
  ::close(highest);
  {
    const tests::DescriptorLimit tight(::getpid(), static_cast<rlim_t>(highest + 3));
    ASSERT_TRUE(turn_until([&] { return b->types.size() == 2; }));
  }
  EXPECT_EQ(b->announced[0], 20U);
  EXPECT_LT(b->descriptor_counts[0], 20U);
  EXPECT_EQ(b->cookies, std::vector<std::uint64_t>{5});
}

TEST_F(ChannelTest, TellsTheEndAfterTheLastMessage) {
  a->channel->post(MessageType::ping, PingFixed{1});
  a->channel->flush();
  ASSERT_TRUE(turn_until([&] { return a->channel->sent(); }));
  a->channel->close();
  ASSERT_TRUE(turn_until([&] { return a->channel->idle(); }));
  a.reset();
  ASSERT_TRUE(turn_until([&] { return b->closed != -1; }));
  EXPECT_EQ(b->closed, 0);
  EXPECT_EQ(b->cookies.size(), 1U);
  b->channel->post(MessageType::ping, PingFixed{1});
  EXPECT_TRUE(b->channel->idle());
}

TEST_F(ChannelTest, AMalformedFrameEndsIt) {
  a->channel->post(MessageType::ping, PingFixed{1});
  ASSERT_TRUE(turn_until([&] { return b->cookies.size() == 1; }));
  ASSERT_GT(::write(a->channel->descriptor(), "nonsense nonsense", 17), 0);
  ASSERT_TRUE(turn_until([&] { return b->closed != -1; }));
  EXPECT_EQ(b->closed, EPROTO);
  ASSERT_TRUE(turn_until([&] { return b->channel->idle(); }));
}

}  // namespace
}  // namespace netrunner::wire
