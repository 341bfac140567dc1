/// The shepherd's pure parts: ladder, clock of deadlines, the table of a life.

#include <gtest/gtest.h>
#include <signal.h>

#include <array>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "shepherd/child.hpp"
#include "shepherd/ladder.hpp"
#include "shepherd/ladder_clock.hpp"
#include "shepherd/limits.hpp"

namespace netrunner::shepherd {
namespace {

constexpr std::uint32_t leader = 0, group = 1, everything = 2;
using Rungs = std::vector<wire::WireRung>;

TEST(Ladder, AlwaysEndsWithSigkillToEverything) {
  for (const Rungs& rungs : {Rungs{}, Rungs{{SIGTERM, group, 5 * second}}, Rungs{{SIGKILL, everything, 0}},
                             Rungs{{-1, 0, 0}, {9999, 0, 0}, {SIGTERM, 77, 0}}, Rungs(16, {SIGTERM, leader, 1})}) {
    Ladder ladder = Ladder::of(rungs);
    ladder.begin(0);
    wire::WireRung last;
    int climbed = 0;
    while (!ladder.finished()) last = ladder.climb(0), ++climbed;
    EXPECT_EQ(last.signal, SIGKILL);
    EXPECT_EQ(last.target, everything);
    EXPECT_LE(climbed, 16);
    EXPECT_EQ(ladder.due_ns(), never);
  }
}

TEST(Ladder, ARungIsDueAfterThePauseOfTheOneBefore) {
  Ladder ladder = Ladder::of(Rungs{{SIGINT, leader, 2 * second}, {SIGTERM, group, 3 * second}});
  EXPECT_EQ(ladder.due_ns(), never);
  ladder.begin(100);
  EXPECT_EQ(ladder.due_ns(), 100);
  EXPECT_EQ(ladder.kill_ns(100), 100 + 5 * second);
  EXPECT_EQ(ladder.climb(100).signal, SIGINT);
  EXPECT_EQ(ladder.due_ns(), 100 + 2 * second);
  const wire::WireRung second_rung = ladder.climb(100 + 2 * second);
  EXPECT_EQ(second_rung.signal, SIGTERM);
  EXPECT_EQ(ladder.kill_ns(0), 100 + 5 * second);
  ladder.pause_from(100 + 4 * second, second_rung);
  EXPECT_EQ(ladder.kill_ns(0), 100 + 7 * second) << "a signal that went out late takes nothing of the pause after it";
}

TEST(Ladder, ACommandOfItsIsARungLikeTheOthers) {
  constexpr std::uint32_t command = 3, past_all = 2 * wire::stop_commands_max;
  // The number of the first is SIGKILL's as a signal, were there so many; the last is none.
  Ladder ladder = Ladder::of(Rungs{{7, command, 2 * second}, {past_all, command, second}, {SIGTERM, group, second}});
  ladder.begin(100);
  EXPECT_EQ(ladder.kill_ns(100), 100 + 3 * second);
  const wire::WireRung rung = ladder.climb(100);
  EXPECT_EQ(rung.signal, 7);
  EXPECT_EQ(rung.target, command);
  EXPECT_EQ(ladder.due_ns(), 100 + 2 * second);
  ladder.go_on(150);
  EXPECT_EQ(ladder.due_ns(), 150);
  EXPECT_EQ(ladder.climb(150).signal, SIGTERM);
}

TEST(Ladder, PausesSaturate) {
  Ladder ladder = Ladder::of(Rungs{{SIGTERM, group, never}, {SIGTERM, group, never}, {SIGTERM, group, -5}});
  ladder.begin(1);
  EXPECT_GT(ladder.kill_ns(1), never / 2);
  (void)ladder.climb(1);
  EXPECT_GT(ladder.due_ns(), never / 2);
}

TEST(Ladder, OnlyAShorterOneReplacesTheOneUnderWay) {
  const Ladder minute = Ladder::of(Rungs{{SIGTERM, group, 60 * second}});
  const Ladder brief = Ladder::of(Rungs{{SIGTERM, group, 1 * second}});
  Ladder current = minute;
  EXPECT_TRUE(replaces(minute, current, 0)) << "none is under way";
  current.begin(0);
  EXPECT_FALSE(replaces(minute, current, 0));
  EXPECT_TRUE(replaces(brief, current, 0));
  (void)current.climb(0);
  EXPECT_TRUE(replaces(brief, current, 58 * second));
  EXPECT_FALSE(replaces(brief, current, 59 * second)) << "SIGKILL would come later";
  (void)current.climb(60 * second);
  EXPECT_FALSE(replaces(Ladder::of({}), current, 61 * second)) << "it has been sent";
}

TEST(LadderClock, GivesTheDeadlinesInOrderWhateverHappened) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  auto clock = std::make_unique<LadderClock>();
  ASSERT_TRUE(clock->open(256));
  std::map<std::uint32_t, std::int64_t> model;
  for (int i = 0; i < 50'000; ++i) {
    const auto slot = static_cast<std::uint32_t>(random() % 256);
    if (random() % 3 == 0) {
      clock->clear(slot);
      model.erase(slot);
    } else {
      model[slot] = static_cast<std::int64_t>(random() % 1000);
      clock->set(slot, model[slot]);
    }
    std::int64_t earliest = never;
    for (const auto& [its, due] : model) earliest = std::min(earliest, due);
    ASSERT_EQ(clock->earliest_ns(), earliest);
  }
  std::int64_t last = 0;
  std::uint32_t slot = 0;
  while (clock->take_due(1000, slot)) {
    EXPECT_GE(model.at(slot), last);
    last = model.at(slot);
    model.erase(slot);
  }
  EXPECT_TRUE(model.empty());
}

TEST(ChildLife, WhateverTheHostSaysIsPossibleInEachState) {
  for (std::size_t state = 0; state < state_count; ++state) {
    for (const Event event : {Event::admitted, Event::stop, Event::settle_stop, Event::settle_leave}) {
      EXPECT_NE(step(static_cast<State>(state), event).deed, Deed::impossible) << state << " " << int(event);
    }
  }
}

TEST(ChildLife, EachStateIsReachedAndLeadsBackToFree) {
  std::array<bool, state_count> reached{}, returns{};
  reached[0] = returns[0] = true;
  for (std::size_t round = 0; round < state_count; ++round) {
    for (std::size_t from = 0; from < state_count; ++from) {
      for (std::size_t event = 0; event < event_count; ++event) {
        const Step next = step(static_cast<State>(from), static_cast<Event>(event));
        const auto to = static_cast<std::size_t>(next.next);
        if (next.deed == Deed::impossible) {
          EXPECT_EQ(from, to) << "an impossible event changes nothing";
          continue;
        }
        reached[to] = reached[to] || reached[from];
        returns[from] = returns[from] || returns[to];
      }
    }
  }
  for (std::size_t state = 0; state < state_count; ++state) EXPECT_TRUE(reached[state] && returns[state]) << state;
}

}  // namespace
}  // namespace netrunner::shepherd
