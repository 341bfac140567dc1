#include "engine/reactor/timers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

namespace netrunner::reactor {
namespace {

struct Alarm {
  explicit Alarm(std::vector<int>& fired_in, int number_is) : fired(fired_in), number(number_is) {}
  std::vector<int>& fired;
  int number;
  Timer timer{this, [](void* self) {
                auto& alarm = *static_cast<Alarm*>(self);
                alarm.fired.push_back(alarm.number);
              }};
};

TEST(Timers, FireInOrderOfTheirDeadlinesAndOnlyWhenDue) {
  std::vector<int> fired;
  Timers timers;
  Alarm late(fired, 3), early(fired, 1), middle(fired, 2);
  timers.arm(late.timer, 30);
  timers.arm(early.timer, 10);
  timers.arm(middle.timer, 20);
  EXPECT_EQ(timers.next_ns(), 10);
  timers.fire_due(20);
  EXPECT_EQ(fired, (std::vector{1, 2}));
  EXPECT_EQ(timers.next_ns(), 30);
  timers.disarm(late.timer);
  EXPECT_EQ(timers.next_ns(), INT64_MAX);
}

TEST(Timers, ArmedForNeverIsDisarmed) {
  std::vector<int> fired;
  Timers timers;
  Alarm alarm(fired, 1);
  timers.arm(alarm.timer, 10);
  timers.arm(alarm.timer, INT64_MAX);
  EXPECT_FALSE(alarm.timer.armed());
  timers.fire_due(INT64_MAX - 1);
  EXPECT_TRUE(fired.empty());
}

TEST(Timers, AThousandMovedAndDisarmedAtRandomFireLikeASortedList) {
  const unsigned int seed = std::random_device{}();
  RecordProperty("seed", std::to_string(seed));
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<int> fired;
  Timers timers;
  std::vector<std::unique_ptr<Alarm>> alarms;
  for (int i = 0; i < 1000; ++i) alarms.push_back(std::make_unique<Alarm>(fired, i));
  for (int round = 0; round < 5000; ++round) {
    Alarm& alarm = *alarms[random() % alarms.size()];
    if (random() % 4 == 0) {
      timers.disarm(alarm.timer);
    } else {
      timers.arm(alarm.timer, static_cast<std::int64_t>(random() % 10'000));
    }
  }
  std::vector<std::int64_t> expected;
  for (const auto& alarm : alarms) {
    if (alarm->timer.armed()) expected.push_back(alarm->timer.at_ns());
  }
  std::ranges::sort(expected);
  std::vector<std::int64_t> at(alarms.size());
  for (std::size_t i = 0; i < alarms.size(); ++i) at[i] = alarms[i]->timer.at_ns();
  timers.fire_due(10'000);
  ASSERT_EQ(fired.size(), expected.size());
  for (std::size_t i = 0; i < fired.size(); ++i) EXPECT_EQ(at[static_cast<std::size_t>(fired[i])], expected[i]);
  EXPECT_EQ(timers.size(), 0U);
}

TEST(Timers, ATimerMayDisarmAnotherThatIsDueToo) {
  struct Pair {
    Timers timers;
    Timer second{this, [](void*) { FAIL() << "it was disarmed"; }};
    Timer first{this, [](void* self) {
                  auto& pair = *static_cast<Pair*>(self);
                  pair.timers.disarm(pair.second);
                }};
  } pair;
  pair.timers.arm(pair.first, 1);
  pair.timers.arm(pair.second, 2);
  pair.timers.fire_due(5);
  EXPECT_EQ(pair.timers.size(), 0U);
}

}  // namespace
}  // namespace netrunner::reactor
