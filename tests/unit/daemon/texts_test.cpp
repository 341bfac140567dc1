/// The parts that read text: notifications, patterns, numbers.

#include <gtest/gtest.h>
#include <string>

#include "engine/daemon/line_pattern.hpp"
#include "engine/daemon/notification.hpp"
#include "engine/daemon/text.hpp"

namespace netrunner::daemon {
namespace {

using namespace std::chrono_literals;

TEST(NotificationText, TheFieldsOfSdNotifyAreUnderstood) {
  const Notification told = parse_notification(
      "READY=1\nSTATUS=half = way\nWATCHDOG=1\nMAINPID=1\nEXTEND_TIMEOUT_USEC=1500000\nWATCHDOG_USEC=20\nnonsense\n");
  EXPECT_TRUE(told.ready && told.watchdog);
  EXPECT_FALSE(told.reloading || told.stopping || told.watchdog_trigger);
  EXPECT_EQ(told.status, "half = way");
  EXPECT_EQ(told.extend, Nanoseconds(1500ms));
  EXPECT_EQ(told.watchdog_time, Nanoseconds(20us));
}

TEST(NotificationText, OnlyAOneIsAYes) {
  const Notification told = parse_notification("READY=0\nSTOPPING=yes\nRELOADING=\nWATCHDOG=trigger\nREADY");
  EXPECT_FALSE(told.ready || told.stopping || told.reloading || told.watchdog);
  EXPECT_TRUE(told.watchdog_trigger);
  EXPECT_EQ(parse_notification("EXTEND_TIMEOUT_USEC=-1").extend, std::nullopt);
  EXPECT_EQ(parse_notification("EXTEND_TIMEOUT_USEC=18446744073709551615").extend, Nanoseconds::max());
}

TEST(LinePattern, MatchesWithinTheLineAndNotBeyondIt) {
  const auto pattern = LinePattern::compile("^listening on [0-9]+$");
  ASSERT_TRUE(pattern);
  EXPECT_TRUE((*pattern)->matches("listening on 80"));
  EXPECT_FALSE((*pattern)->matches("not listening on 80"));
  EXPECT_FALSE((*pattern)->matches(std::string_view("listening on 80 no", 17)));
  EXPECT_TRUE((*pattern)->matches(std::string_view("listening on 80 no", 15)));
}

TEST(LinePattern, OneThatIsWrongIsRefusedWithItsText) {
  const auto pattern = LinePattern::compile("listening (on");
  ASSERT_FALSE(pattern);
  EXPECT_EQ(pattern.error().code, ErrorCode::invalid_argument);
  EXPECT_NE(pattern.error().message().find("listening (on"), std::string::npos);
}

TEST(DaemonTexts, TheNumberOfAnInstanceStandsWhereverItIsAskedFor) {
  EXPECT_EQ(with_number("web-{i}:{i}", 12), "web-12:12");
  EXPECT_EQ(with_number("{} {j} {i", 1), "{} {j} {i");
  EXPECT_EQ(with_number("", 1), "");
}

TEST(DaemonTexts, DurationsAreAsPeopleWriteThem) {
  EXPECT_EQ(duration_text(60s), "1m");
  EXPECT_EQ(duration_text(90s), "90s");
  EXPECT_EQ(duration_text(1500ms), "1500ms");
  EXPECT_EQ(duration_text(2h), "2h");
}

}  // namespace
}  // namespace netrunner::daemon
