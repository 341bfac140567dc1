#include "engine/daemon/life.hpp"

#include <gtest/gtest.h>
#include <set>
#include <vector>

namespace netrunner::daemon {
namespace {

constexpr int number(Life life) { return static_cast<int>(life); }

/// What a process may do while the instance is in this state: exist, or be about to.
bool may_have_a_process(Life life) {
  switch (life) {
    case Life::spawning:
    case Life::up:
    case Life::ready:
    case Life::ending_to_stop:
    case Life::ending_to_restart:
    case Life::ending_overdue: return true;
    default: return false;
  }
}

TEST(DaemonLife, NoCellLeadsToANewStartWhileAProcessMayExist) {  // N6
  for (int life = 0; life < lives; ++life) {
    for (int event = 0; event < life_events; ++event) {
      const auto now = static_cast<Life>(life);
      const auto what = static_cast<LifeEvent>(event);
      const LifeStep next = step(now, what);
      if (next.deed != Deed::begin && next.deed != Deed::spawn) continue;
      const bool gone = what == LifeEvent::ended || what == LifeEvent::start_failed;
      EXPECT_TRUE(gone || !may_have_a_process(now)) << "life " << life << ", event " << event;
    }
  }
}

TEST(DaemonLife, EveryStateWithAProcessIsLeftWhenItHasGone) {
  for (int life = 0; life < lives; ++life) {
    const auto now = static_cast<Life>(life);
    if (!may_have_a_process(now)) continue;
    const LifeEvent gone = now == Life::spawning ? LifeEvent::start_failed : LifeEvent::ended;
    const LifeStep next = step(now, gone);
    EXPECT_TRUE(next.deed == Deed::judge || next.next != now) << "life " << life;
  }
}

TEST(DaemonLife, AStopLeadsFromEverywhereToWhereNothingStartsByItself) {
  for (int life = 0; life < lives; ++life) {
    Life now = step(static_cast<Life>(life), LifeEvent::stop).next;
    for (const LifeEvent event : {LifeEvent::spawned, LifeEvent::became_ready, LifeEvent::overdue, LifeEvent::ended,
                                  LifeEvent::start_failed, LifeEvent::delay_over, LifeEvent::conditions_met}) {
      const LifeStep next = step(now, event);
      EXPECT_TRUE(next.deed == Deed::none || next.deed == Deed::order_end) << "life " << life;
      now = next.next;
    }
    EXPECT_TRUE(is_over(now)) << "life " << life;
  }
}

TEST(DaemonLife, ARestartIsFollowedByAStartWhateverWasUnderWay) {
  for (int life = 0; life < lives; ++life) {
    const LifeStep first = step(static_cast<Life>(life), LifeEvent::restart);
    if (first.deed == Deed::begin) continue;
    EXPECT_EQ(first.next, Life::ending_to_restart) << "life " << life;
    EXPECT_EQ(step(first.next, LifeEvent::ended).deed, Deed::begin);
    EXPECT_EQ(step(first.next, LifeEvent::start_failed).deed, Deed::begin);
    EXPECT_EQ(step(first.next, LifeEvent::spawned).deed, Deed::order_end);
  }
}

TEST(DaemonLife, EveryStateIsReached) {
  std::set<int> reached = {number(Life::stopped), number(Life::backing_off)};  // The second by a verdict.
  for (std::size_t before = 0; before != reached.size();) {
    before = reached.size();
    for (const int life : std::set<int>(reached)) {
      for (int event = 0; event < life_events; ++event) {
        reached.insert(number(step(static_cast<Life>(life), static_cast<LifeEvent>(event)).next));
      }
    }
  }
  EXPECT_EQ(reached.size(), static_cast<std::size_t>(lives));
}

}  // namespace
}  // namespace netrunner::daemon
