/// The words that people write on a command line: durations, sizes, signals, ladders and limits.

#include <csignal>
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/resource.h>

#include <gtest/gtest.h>

#include <netrunner/kill_ladder.hpp>
#include <netrunner/limits.hpp>

namespace netrunner {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

void expect_duration(std::string_view text, Nanoseconds right) {
  const Result<Nanoseconds> parsed = parse_duration(text);
  ASSERT_TRUE(parsed) << text << ": " << parsed.error().message();
  EXPECT_EQ(parsed->count(), right.count()) << text;
}

template <class T>
void expect_nonsense(const Result<T>& parsed, std::string_view text) {
  ASSERT_FALSE(parsed) << '"' << text << "\" was accepted";
  EXPECT_EQ(parsed.error().code, ErrorCode::invalid_argument) << text;
  if (!text.empty() && !text.contains('\0')) {
    EXPECT_TRUE(parsed.error().message().contains(text)) << parsed.error().message() << " does not show " << text;
  }
}

TEST(ParseDuration, EveryUnitIsExact) {
  expect_duration("500us", 500us);
  expect_duration("250ms", 250ms);
  expect_duration("1.5s", 1500ms);
  expect_duration("2m", 2min);
  expect_duration("1h", 1h);
  expect_duration("3d", 72h);
}

TEST(ParseDuration, ABareNumberIsSeconds) {
  expect_duration("10", 10s);
  expect_duration("0.25", 250ms);
  expect_duration("0", 0s);
}

TEST(ParseDuration, ThirtyDaysAreNotShort) {  // T2: milliseconds in 32 bits end after 24.8 days.
  expect_duration("25d", 25 * 24h);
  expect_duration("50d", 50 * 24h);
  expect_duration("2147483648ms", 2147483648ms);
  expect_duration("4294967297ms", 4294967297ms);
}

TEST(ParseDuration, WhatIsTooLongSaturates) {  // T2
  for (const auto text : {"365000d"sv, "9223372036855s"sv, "9223372036854775808"sv, "99999999999999999999999d"sv}) {
    const Result<Nanoseconds> parsed = parse_duration(text);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().message();
    EXPECT_EQ(parsed->count(), Nanoseconds::max().count()) << text;
  }
}

TEST(ParseDuration, NonsenseIsRejectedAndShown) {  // T2
  for (const auto text : {""sv, "-1"sv, "-0.5s"sv, "inf"sv, "infinity"sv, "nan"sv, "NaN"sv, "s"sv, "ms"sv, "5x"sv,
                          "five"sv, "1.5.2s"sv, "1s2"sv, "10 apples"sv, "0x10"sv, "1,5s"sv, "5s\0"sv}) {
    expect_nonsense(parse_duration(text), text);
  }
}

TEST(ParseBytes, UnitsArePowersOf1024) {
  EXPECT_EQ(parse_bytes("4096").value_or(1), 4096U);
  EXPECT_EQ(parse_bytes("0").value_or(1), 0U);
  EXPECT_EQ(parse_bytes("64KiB").value_or(1), 64 * KiB);
  EXPECT_EQ(parse_bytes("64K").value_or(1), 64 * KiB);
  EXPECT_EQ(parse_bytes("512M").value_or(1), 512 * MiB);
  EXPECT_EQ(parse_bytes("512MiB").value_or(1), 512 * MiB);
  EXPECT_EQ(parse_bytes("1.5G").value_or(1), 1536 * MiB);
}

TEST(ParseBytes, ALargeNumberNeverBecomesASmallOne) {
  for (const auto text : {"18446744073709551616"sv, "99999999999999G"sv, "17179869184G"sv}) {
    const Result<std::uint64_t> parsed = parse_bytes(text);
    EXPECT_TRUE(!parsed || *parsed == UINT64_MAX) << text << " became " << *parsed;
  }
}

TEST(ParseBytes, NonsenseIsRejectedAndShown) {
  for (const auto text : {""sv, "-1"sv, "M"sv, "KiB"sv, "12Q"sv, "1.5.5M"sv, "inf"sv, "nan"sv, "64 KiBs"sv, "0x10"sv,
                          "1M1"sv, "4096\0"sv}) {
    expect_nonsense(parse_bytes(text), text);
  }
}

TEST(ParseSignal, NamesAndNumbersAreTheSame) {
  EXPECT_EQ(parse_signal("TERM").value_or(0), SIGTERM);
  EXPECT_EQ(parse_signal("SIGTERM").value_or(0), SIGTERM);
  EXPECT_EQ(parse_signal("15").value_or(0), SIGTERM);
  EXPECT_EQ(parse_signal("KILL").value_or(0), SIGKILL);
  EXPECT_EQ(parse_signal("SIGUSR1").value_or(0), SIGUSR1);
}

TEST(ParseSignal, RealTimeSignalsCountFromTheirEnds) {
  EXPECT_EQ(parse_signal("RTMIN").value_or(0), SIGRTMIN);
  EXPECT_EQ(parse_signal("RTMIN+3").value_or(0), SIGRTMIN + 3);
  EXPECT_EQ(parse_signal("SIGRTMIN+3").value_or(0), SIGRTMIN + 3);
}

TEST(ParseSignal, EveryNameReadsBack) {
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    if (signal > 31 && signal < SIGRTMIN) continue;  // The C library keeps these.
    const std::string name = signal_name(signal);
    EXPECT_EQ(parse_signal(name).value_or(0), signal) << name;
  }
  EXPECT_EQ(signal_name(SIGTERM), "SIGTERM");
  EXPECT_EQ(signal_name(SIGKILL), "SIGKILL");
}

TEST(ParseSignal, NonsenseIsRejectedAndShown) {
  for (const auto text : {""sv, "NOPE"sv, "SIG"sv, "-9"sv, "65"sv, "1000000000000"sv, "RTMIN+99"sv, "TERM "sv,
                          "15x"sv, "TERM\0"sv}) {
    expect_nonsense(parse_signal(text), text);
  }
}

TEST(Ladder, TheDefaultIsTermThenKill) {
  const KillLadder ladder;
  ASSERT_EQ(ladder.rungs().size(), 2U);
  EXPECT_EQ(ladder.rungs()[0], (Rung{SIGTERM, Target::group, 5s}));
  EXPECT_EQ(ladder.rungs()[1].signal, SIGKILL);
  EXPECT_EQ(ladder.rungs()[1].target, Target::everything);
}

TEST(Ladder, TheLastRungIsAlwaysKillToEverything) {
  const KillLadder empty(std::initializer_list<Rung>{});
  for (const KillLadder& ladder : {KillLadder{}, KillLadder{{SIGINT, Target::leader, 1s}}, KillLadder::at_once(),
                                   KillLadder{{SIGKILL, Target::group, 1s}}, empty}) {
    ASSERT_FALSE(ladder.rungs().empty());
    EXPECT_EQ(ladder.rungs().back().signal, SIGKILL) << ladder.text();
    EXPECT_EQ(ladder.rungs().back().target, Target::everything) << ladder.text();
  }
  EXPECT_EQ(KillLadder::at_once().rungs().size(), 1U);
}

TEST(Ladder, TextNamesCommandsToo) {
  const Result<KillLadder> ladder = KillLadder::parse("exec(nginx -s quit, \"a)\" (b; c)):10s,TERM:5s,KILL");
  ASSERT_TRUE(ladder) << ladder.error().message();
  ASSERT_EQ(ladder->rungs().size(), 3U);
  EXPECT_EQ(ladder->rungs()[0], Rung::run({"/bin/sh", "-c", "nginx -s quit, \"a)\" (b; c)"}, 10s));
  EXPECT_EQ(ladder->text(), "exec(nginx -s quit, \"a)\" (b; c)):10s,TERM:5s,KILL");
  const KillLadder direct{Rung::run({"pg_ctl", "stop it's ("}, 2s)};
  EXPECT_EQ(direct.text(), "exec(exec 'pg_ctl' 'stop it'\\''s ('):2s,KILL");
  const Result<KillLadder> again = KillLadder::parse(direct.text());
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->text(), direct.text());
  const KillLadder unbalanced{Rung::run({"/bin/sh", "-c", "case x in x) :;; esac"}, 2s)};
  ASSERT_TRUE(KillLadder::parse(unbalanced.text())) << unbalanced.text();
}

TEST(Ladder, ACommandThatCantBeReadIsAnErrorThatSaysWhy) {
  const auto why = [](std::string_view text) {
    const Result<KillLadder> ladder = KillLadder::parse(text);
    return ladder ? std::string("none") : ladder.error().message();
  };
  EXPECT_NE(why("exec(sleep 1").find("no )"), std::string::npos);
  EXPECT_NE(why("exec():1s").find("script"), std::string::npos);
  EXPECT_NE(why("exec(true)").find("pause"), std::string::npos);
  EXPECT_NE(why("exec(true):0").find("pause"), std::string::npos);
  EXPECT_NE(why("exec(true)x:1s").find("pause"), std::string::npos);
  EXPECT_NE(why("exec(a):1s,exec(a):1s,exec(a):1s,exec(a):1s,exec(a):1s").find("4 commands"), std::string::npos);
}

TEST(Ladder, TextNamesSignalTargetAndPause) {  // K11: ladders are data.
  const Result<KillLadder> ladder = KillLadder::parse("TERM:5s,INT@leader:500ms,KILL");
  ASSERT_TRUE(ladder) << ladder.error().message();
  ASSERT_GE(ladder->rungs().size(), 3U);
  EXPECT_EQ(ladder->rungs()[0], (Rung{SIGTERM, Target::group, 5s}));
  EXPECT_EQ(ladder->rungs()[1], (Rung{SIGINT, Target::leader, 500ms}));
  EXPECT_EQ(ladder->rungs().back().signal, SIGKILL);
  EXPECT_EQ(ladder->rungs().back().target, Target::everything);
}

TEST(Ladder, ItsTextReadsBack) {
  for (const auto text : {"KILL"sv, "TERM:5s"sv, "HUP@everything:1.5s,TERM@leader:2m"sv, "QUIT:1h,KILL@everything"sv,
                          "15:250ms,RTMIN+3@leader:10,KILL"sv}) {
    const Result<KillLadder> ladder = KillLadder::parse(text);
    ASSERT_TRUE(ladder) << text << ": " << ladder.error().message();
    const Result<KillLadder> again = KillLadder::parse(ladder->text());
    ASSERT_TRUE(again) << ladder->text() << ": " << again.error().message();
    EXPECT_EQ(*again, *ladder) << ladder->text();
  }
  EXPECT_EQ(KillLadder::parse(KillLadder{}.text()).value_or(KillLadder::at_once()), KillLadder{});
}

TEST(Ladder, NonsenseIsRejected) {
  std::string seventeen = "TERM:1s";
  for (std::size_t rung = 1; rung <= KillLadder::rungs_max; ++rung) seventeen += ",TERM:1s";
  for (const std::string& text : {std::string(), std::string(","), std::string("TERM,"), std::string("NOPE:1s"),
                                  std::string("TERM@nobody:1s"), std::string("TERM:"), std::string("TERM:-1s"),
                                  std::string("TERM:soon"), std::string("@leader:1s"), seventeen}) {
    const Result<KillLadder> ladder = KillLadder::parse(text);
    ASSERT_FALSE(ladder) << text;
    EXPECT_EQ(ladder.error().code, ErrorCode::invalid_argument) << text;
  }
}

TEST(ParseResourceLimit, OneNumberIsBothAndTwoAreSoftAndHard) {
  EXPECT_EQ(parse_resource_limit("nofile=256").value_or(ResourceLimit{}), (ResourceLimit{RLIMIT_NOFILE, 256, 256}));
  EXPECT_EQ(parse_resource_limit("nofile=256:1024").value_or(ResourceLimit{}),
            (ResourceLimit{RLIMIT_NOFILE, 256, 1024}));
  EXPECT_EQ(parse_resource_limit("core=0").value_or(ResourceLimit{}), (ResourceLimit{RLIMIT_CORE, 0, 0}));
}

TEST(ParseResourceLimit, TheNameReadsBack) {
  for (const int resource : {RLIMIT_NOFILE, RLIMIT_CORE, RLIMIT_CPU, RLIMIT_AS, RLIMIT_STACK, RLIMIT_NPROC,
                             RLIMIT_FSIZE, RLIMIT_MEMLOCK}) {
    const std::string text = std::string(resource_name(resource)) + "=7";
    EXPECT_EQ(parse_resource_limit(text).value_or(ResourceLimit{}), (ResourceLimit{resource, 7, 7})) << text;
  }
}

TEST(ParseResourceLimit, NonsenseIsRejectedAndShown) {
  for (const auto text : {""sv, "nofile"sv, "nofile="sv, "=5"sv, "nope=5"sv, "nofile=x"sv, "nofile=-1"sv,
                          "nofile=1:2:3"sv}) {
    expect_nonsense(parse_resource_limit(text), text);
  }
}

TEST(ParseResourceLimit, SoftAboveHardIsRejected) {
  const Result<ResourceLimit> limit = parse_resource_limit("nofile=1024:256");
  ASSERT_FALSE(limit);
  EXPECT_EQ(limit.error().code, ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace netrunner
