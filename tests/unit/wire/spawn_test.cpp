#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "engine/wire/spawn_body.hpp"
#include "engine/wire/spawn_view.hpp"
#include "engine/wire/stop_commands.hpp"

namespace netrunner::wire {
namespace {

const std::vector<std::string_view> argv{"tool", "", "b c"};
const std::vector<std::string_view> environment{"A=1", "PATH=/bin", "PATH=/later"};

SpawnRequest request() {
  SpawnRequest wanted;
  wanted.program = "/bin/tool";
  wanted.arguments = argv;
  wanted.environment = environment;
  wanted.cwd = "/tmp";
  wanted.actions = {{0, ActionKind::open_file, 0, "in", 0, 0},
                    {1, ActionKind::attached, 0, {}, 0, 0},
                    {2, ActionKind::same_as, 1, {}, 0, 0},
                    {7, ActionKind::open_file, 0, "seven", 1, 0600}};
  wanted.rungs = {{15, 1, 1000}, {9, 2, 0}};
  wanted.limits = {{7, 0, 10, 20}};
  wanted.groups = {1, 2, 3};
  wanted.cpus = {0};
  wanted.nice = -3;
  wanted.leaf_writes = {{os::Hierarchy::unified, "memory.max", "1048576"}, {os::Hierarchy::pids, "pids.max", "max"}};
  wanted.hierarchies = os::bit_of(os::Hierarchy::unified) | os::bit_of(os::Hierarchy::pids);
  wanted.cpu_time_ns = 5;
  return wanted;
}

TEST(Spawn, TheShepherdReadsWhatTheHostWrote) {
  const SpawnBody body = SpawnBody::build({1, 2}, request());
  EXPECT_TRUE(body.fits_inline());
  SpawnView view;
  ASSERT_TRUE(view.open(body.fixed, body.bytes));
  EXPECT_STREQ(view.program(), "/bin/tool");
  EXPECT_STREQ(view.cwd(), "/tmp");
  ASSERT_EQ(view.actions().size(), 4U);
  EXPECT_STREQ(view.path(view.actions()[0]), "in");
  EXPECT_STREQ(view.path(view.actions()[3]), "seven");
  EXPECT_EQ(view.root_of(2), 1U);
  EXPECT_EQ(view.descriptors_needed(), 1U);
  EXPECT_EQ(view.rungs()[1].signal, 9);
  EXPECT_EQ(view.limits()[0].hard, 20U);
  EXPECT_EQ(view.groups().size(), 3U);
  EXPECT_EQ(view.cpus().size(), 1U);
  LeafWriteReader writes(view.leaf_writes());
  ASSERT_TRUE(writes.next());
  EXPECT_EQ(writes.hierarchy(), os::Hierarchy::unified);
  EXPECT_STREQ(writes.file(), "memory.max");
  EXPECT_STREQ(writes.value(), "1048576");
  ASSERT_TRUE(writes.next());
  EXPECT_EQ(writes.hierarchy(), os::Hierarchy::pids);
  EXPECT_STREQ(writes.value(), "max");
  EXPECT_FALSE(writes.next());
  EXPECT_TRUE(writes.at_end());
  EXPECT_EQ(body.fixed.cpu_time_ns, 5);
  EXPECT_STREQ(view.environment_value("PATH="), "/bin");
  EXPECT_EQ(view.environment_value("NO="), nullptr);
  std::vector<char*> pointers(view.pointer_count());
  view.fill(pointers.data());
  EXPECT_STREQ(pointers[1], "");
  EXPECT_STREQ(pointers[2], "b c");
  EXPECT_EQ(pointers[3], nullptr);
  EXPECT_STREQ(pointers[4], "A=1");
  EXPECT_EQ(pointers[7], nullptr);
  EXPECT_EQ(body.fixed.nice, -3);
  EXPECT_EQ(body.fixed.flags, has_cwd | has_groups | has_nice);
}

TEST(Spawn, ATerminalIsADescriptorThatCameWithTheMessageInASessionOfItsOwn) {
  const auto accepted = [](std::uint32_t number, std::uint32_t flags) {
    SpawnRequest wanted = request();
    wanted.terminal = number;
    wanted.flags = flags;
    const SpawnBody body = SpawnBody::build({1, 2}, wanted);
    EXPECT_EQ(body.fixed.terminal, number);
    SpawnView view;
    return view.open(body.fixed, body.bytes);
  };
  EXPECT_TRUE(accepted(1, own_session | controlling_terminal)) << "attached";
  EXPECT_TRUE(accepted(2, own_session | controlling_terminal)) << "a copy of it";
  EXPECT_FALSE(accepted(0, own_session | controlling_terminal)) << "a file";
  EXPECT_FALSE(accepted(3, own_session | controlling_terminal)) << "nobody";
  EXPECT_FALSE(accepted(UINT32_MAX, own_session | controlling_terminal));
  EXPECT_FALSE(accepted(1, controlling_terminal)) << "in the shepherd's session";
  EXPECT_TRUE(accepted(UINT32_MAX, own_session)) << "not asked for";
}

TEST(Spawn, ABodyThatIsCutAnywhereIsRefused) {
  const SpawnBody body = SpawnBody::build({1, 2}, request());
  for (std::size_t size = 0; size < body.bytes.size(); ++size) {
    const std::vector<std::byte> cut(body.bytes.begin(), body.bytes.begin() + static_cast<std::ptrdiff_t>(size));
    SpawnFixed fixed = body.fixed;
    SpawnView view;
    EXPECT_FALSE(view.open(fixed, cut)) << size;
    fixed.body_bytes = static_cast<std::uint32_t>(size);
    EXPECT_FALSE(view.open(fixed, cut)) << size;
    const std::size_t missing = std::min<std::size_t>(body.bytes.size() - size, fixed.strings_bytes);
    fixed.strings_bytes -= static_cast<std::uint32_t>(missing);
    EXPECT_FALSE(view.open(fixed, cut)) << size;
  }
}

TEST(Spawn, WrongCountsAndOffsetsAreRefused) {
  const SpawnBody body = SpawnBody::build({1, 2}, request());
  const auto refused = [&](auto change) {
    SpawnFixed fixed = body.fixed;
    change(fixed);
    SpawnView view;
    return !view.open(fixed, body.bytes);
  };
  EXPECT_TRUE(refused([](SpawnFixed& f) { f.action_count = 3; }));
  EXPECT_TRUE(refused([](SpawnFixed& f) { f.action_count = UINT32_MAX; }));
  EXPECT_TRUE(refused([](SpawnFixed& f) { f.rung_count = rungs_max + 1; }));
  EXPECT_TRUE(refused([](SpawnFixed& f) { f.argument_count = 2; }));
  EXPECT_TRUE(refused([](SpawnFixed& f) { f.argument_count = UINT32_MAX; }));
  EXPECT_TRUE(refused([](SpawnFixed& f) { f.argument_count = 0; }));
  EXPECT_TRUE(refused([](SpawnFixed& f) { f.environment_count = 4; }));
  EXPECT_TRUE(refused([](SpawnFixed& f) { f.cwd_offset = 1; }));
  EXPECT_TRUE(refused([](SpawnFixed& f) { f.flags &= ~std::uint32_t{has_cwd}; }));
  EXPECT_TRUE(refused([](SpawnFixed& f) { f.strings_bytes -= 1; }));
  EXPECT_TRUE(refused([](SpawnFixed& f) { f.flags |= own_session | join_group; }));
}

TEST(Spawn, WrongActionsAreRefused) {
  const auto refused = [&](auto change) {
    SpawnRequest wanted = request();
    change(wanted.actions);
    const SpawnBody body = SpawnBody::build({1, 2}, wanted);
    SpawnView view;
    return !view.open(body.fixed, body.bytes);
  };
  using Actions = std::vector<SpawnAction>;
  EXPECT_FALSE(refused([](Actions&) {}));
  EXPECT_TRUE(refused([](Actions& a) { a[2].other = 2; })) << "a circle of one";
  EXPECT_TRUE(refused([](Actions& a) { a[2].other = 3; })) << "of nobody";
  EXPECT_TRUE(refused([](Actions& a) { a[1].kind = ActionKind::closed; })) << "of a closed one";
  EXPECT_TRUE(refused([](Actions& a) { a[3].number = 1; })) << "twice the same number";
  EXPECT_TRUE(refused([](Actions& a) { a[3].number = 256; })) << "too high";
  EXPECT_TRUE(refused([](Actions& a) { a.pop_back(), a.erase(a.begin()); })) << "0 is not said";
  EXPECT_TRUE(refused([](Actions& a) { a[1].kind = static_cast<ActionKind>(9); })) << "an unknown kind";
}

TEST(Spawn, ManyStringsTravelInAMemfd) {
  SpawnRequest wanted = request();
  const std::vector<std::string_view> many(10'000, "x");
  wanted.arguments = many;
  const SpawnBody body = SpawnBody::build({1, 2}, wanted);
  EXPECT_FALSE(body.fits_inline());
  EXPECT_NE(body.fixed.flags & body_in_memfd, 0U);
  SpawnView view;
  ASSERT_TRUE(view.open(body.fixed, body.bytes));
  EXPECT_EQ(view.pointer_count(), 10'000U + 3 + 2);
}

TEST(Spawn, RandomChangesNeverReadBeyondTheBody) {
  const SpawnBody body = SpawnBody::build({1, 2}, request());
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::byte> bytes = body.bytes;
    SpawnFixed fixed = body.fixed;
    auto* raw = reinterpret_cast<std::byte*>(&fixed);
    for (int change = 0; change < 2; ++change) {
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
      if ((random() & 3U) == 0) raw[random() % sizeof fixed] = static_cast<std::byte>(random());
    }
    SpawnView view;
    if (!view.open(fixed, bytes)) continue;
    std::vector<char*> pointers(view.pointer_count());
    view.fill(pointers.data());
    for (std::size_t i = 0; i < view.actions().size(); ++i) (void)view.root_of(i);
  }
}

SpawnBody stop_command(const std::string& program, std::uint32_t flags = 0) {
  SpawnRequest wanted;
  const std::vector<std::string_view> words{program};
  wanted.program = program;
  wanted.arguments = words;
  wanted.environment = environment;
  wanted.flags = flags;
  for (const int number : {0, 1, 2}) wanted.actions.push_back({number, ActionKind::null, 0, {}, 0, 0});
  return SpawnBody::build({}, wanted);
}

TEST(StopCommands, EachIsFoundByItsNumberAndNoOther) {
  const std::vector<SpawnBody> bodies{stop_command("/bin/one"), stop_command("/bin/" + std::string(9000, 't'))};
  const std::vector<std::byte> bytes = encode(bodies);
  for (std::uint32_t number = 0; number < 2; ++number) {
    StopCommand found;
    ASSERT_TRUE(find_stop_command(bytes, number, found));
    SpawnView view;
    ASSERT_TRUE(view.open(found.fixed, found.body)) << "also one that would be too large for a frame";
    EXPECT_EQ(std::string(view.program()).substr(0, 8), number == 0 ? "/bin/one" : "/bin/ttt");
    EXPECT_EQ(view.descriptors_needed(), 0U);
  }
  StopCommand none;
  for (const std::uint32_t number : {2U, stop_commands_max, UINT32_MAX}) {
    EXPECT_FALSE(find_stop_command(bytes, number, none));
  }
  EXPECT_FALSE(find_stop_command({}, 0, none));
}

TEST(StopCommands, WhatIsCutOrAsksForTooMuchIsNone) {
  StopCommand found;
  for (const std::uint32_t flag : {+body_in_memfd, +cwd_attached, +own_session, +join_group, +has_stop_commands}) {
    std::vector<std::byte> bytes = encode(std::vector<SpawnBody>{stop_command("/bin/one")});
    SpawnFixed fixed;
    std::memcpy(&fixed, bytes.data(), sizeof fixed);
    fixed.flags |= flag;
    std::memcpy(bytes.data(), &fixed, sizeof fixed);
    EXPECT_FALSE(find_stop_command(bytes, 0, found)) << flag;
  }
  const std::vector<std::byte> bytes = encode(std::vector<SpawnBody>{stop_command("/bin/one")});
  for (std::size_t size = 0; size < bytes.size(); size += 8) {
    EXPECT_FALSE(find_stop_command(std::span(bytes).first(size), 0, found)) << size;
  }
}

}  // namespace
}  // namespace netrunner::wire
