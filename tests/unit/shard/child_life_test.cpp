#include "engine/shard/child_life.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace netrunner::shard {
namespace {

Life after(const std::vector<LifeEvent>& events) {
  Life life = Life::starting;
  for (const LifeEvent event : events) {
    const LifeStep taken = step(life, event);
    EXPECT_NE(taken.action, LifeAction::impossible) << name_of(life);
    life = taken.next;
  }
  return life;
}

TEST(ChildLife, AQuickCommandEndsWithoutBeingSettled) {
  using enum LifeEvent;
  EXPECT_EQ(after({started, exited, complete}), Life::ended);
}

TEST(ChildLife, StragglersAreSettledAfterTheDrain) {
  using enum LifeEvent;
  EXPECT_EQ(after({started, exited, drain_over}), Life::settling);
  EXPECT_EQ(after({started, exited, drain_over, settled, complete}), Life::ended);
}

TEST(ChildLife, ALostShepherdEndsEveryLife) {
  using enum LifeEvent;
  for (const auto& before : std::vector<std::vector<LifeEvent>>{{}, {started}, {started, exited},
                                                                {started, exited, drain_over}}) {
    std::vector<LifeEvent> events = before;
    events.push_back(lost);
    events.push_back(complete);
    EXPECT_EQ(after(events), Life::ended);
  }
}

TEST(ChildLife, LateWordsAboutAnEndedCommandChangeNothing) {
  for (int event = 0; event <= static_cast<int>(LifeEvent::lost); ++event) {
    const LifeStep taken = step(Life::ended, static_cast<LifeEvent>(event));
    EXPECT_EQ(taken.next, Life::ended);
    EXPECT_EQ(taken.action, LifeAction::none);
  }
}

TEST(ChildLife, WhatAShepherdCanNotSayIsFoundOut) {
  EXPECT_EQ(step(Life::running, LifeEvent::started).action, LifeAction::impossible);
  EXPECT_EQ(step(Life::starting, LifeEvent::settled).action, LifeAction::impossible);
  EXPECT_EQ(step(Life::draining, LifeEvent::exited).action, LifeAction::impossible);
}

}  // namespace
}  // namespace netrunner::shard
