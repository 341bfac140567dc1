#include "engine/reactor/reactor.hpp"

#include <gtest/gtest.h>

#include <netrunner/deadline.hpp>

#include "tests/support/scale.hpp"

namespace netrunner::reactor {
namespace {

constexpr std::int64_t ms = 1'000'000;

struct Bell {
  std::int64_t rung_ns = 0;
  Timer timer{this, [](void* self) { static_cast<Bell*>(self)->rung_ns = Deadline::now_ns(); }};
};

class ReactorAlarm : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = Reactor::open();
    ASSERT_TRUE(opened) << opened.error().message();
    reactor = std::move(*opened);
  }
  void TearDown() override {
    reactor->stop_listening();
    while (reactor->ring().in_flight() > 0) reactor->turn(Deadline::now_ns() + 10 * ms);
  }
  /// When the bell rang, counted from now; the time that it is due is `due_ns` from now.
  std::int64_t rings_after(Bell& bell, std::int64_t due_ns) {
    const std::int64_t began = Deadline::now_ns();
    reactor->timers().arm(bell.timer, began + due_ns);
    while (bell.rung_ns == 0) reactor->turn(INT64_MAX);
    return bell.rung_ns - began;
  }
  std::unique_ptr<Reactor> reactor;
  Bell bell;
};

TEST_F(ReactorAlarm, ATimerFarAheadFiresWhenItIsDue) {
  EXPECT_GE(rings_after(bell, 150 * ms), 150 * ms);
  EXPECT_LE(reactor->turns(), 4U) << "it wakes for nothing";
}

TEST_F(ReactorAlarm, ATimerThatIsMovedCloserDoesNotWaitForTheAlarmOfItsOldTime) {
  for (const std::int64_t due : {5 * ms, 150 * ms}) {  // The wait's own limit, and the alarm moved.
    bell.rung_ns = 0;
    reactor->timers().arm(bell.timer, Deadline::now_ns() + 600'000 * ms);
    reactor->turn(Deadline::now_ns() + 1 * ms);
    reactor->turn(Deadline::now_ns() + 200 * ms);
    const std::int64_t after = rings_after(bell, due);
    EXPECT_GE(after, due);
    EXPECT_LT(after, std::chrono::nanoseconds(tests::patience(std::chrono::seconds(20))).count());
  }
}

TEST_F(ReactorAlarm, ATimerThatIsMovedAwayFiresAtItsNewTimeOnly) {
  reactor->timers().arm(bell.timer, Deadline::now_ns() + 150 * ms);
  reactor->turn(Deadline::now_ns() + 120 * ms);
  EXPECT_EQ(bell.rung_ns, 0);
  EXPECT_GE(rings_after(bell, 300 * ms), 300 * ms);
}

}  // namespace
}  // namespace netrunner::reactor
