/// What a command has used, and whose the figures are.

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/contained.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/limit_support.hpp"

namespace tests {
namespace {

const nr::KillLadder at_once = nr::KillLadder::at_once();

std::uint64_t cpu_us(const nr::Usage& usage) { return usage.user_us + usage.system_us; }

TEST(Usage, MaxRssIsTheCommandsOwnHoweverLargeTheHost) {
  EngineFixture host;
  std::vector<char> large(700 * MiB, 1);  // Touched: it is resident.
  ASSERT_GE(resident_kib(getpid()), 700U * 1024);
  const nr::Usage usage = host.run(nr::Command("/bin/true")).ended.usage;
  EXPECT_GT(usage.max_rss_kib, 100U);
  EXPECT_LT(usage.max_rss_kib, 4U * 1024);
  EXPECT_EQ(large.back(), 1);
}

TEST(Usage, WithALeafItCountsWhatNobodyWaitedFor) {
  SKIP_WITHOUT_CONTAINMENT(nr::Containment::cgroup);
  EngineFixture host{options_of(nr::Containment::cgroup)};
  // The leader ends when its own share is done; two others are nobody's children to wait for.
  const nr::Ended ended = host.run(child("burn_cpu", "3", "150").stragglers(nr::Stragglers::stop)
                                       .drain(nr::Drain::until_end_of_file())).ended;
  EXPECT_EQ(ended.usage.scope, nr::UsageScope::tree);
  EXPECT_GE(cpu_us(ended.usage), 400'000U);
}

TEST(Usage, WithoutOneItSaysThatItIsOfTheReaped) {
  EngineFixture host{options_of(nr::Containment::subreaper)};
  const nr::Ended ended = host.run(sh("/bin/true")).ended;
  EXPECT_EQ(ended.usage.scope, nr::UsageScope::reaped);
  EXPECT_FALSE(ended.usage.memory_peak_bytes);
}

TEST(Usage, OfALeafThatWasUsedBeforeIsTheNewCommandsAlone) {  // C7
  SKIP_WITHOUT_CONTAINMENT(nr::Containment::cgroup);
  EngineFixture host{options_of(nr::Containment::cgroup)};
  const nr::Ended before = host.run(nr::Command("true")).ended;
  const nr::Ended busy = host.run(child("burn_cpu", "1", "300")).ended;
  const nr::Ended after = host.run(nr::Command("true")).ended;
  EXPECT_GE(cpu_us(busy.usage), 290'000U);
  EXPECT_LT(cpu_us(after.usage), cpu_us(before.usage) + 250'000U);
}

TEST(Usage, IsThereWhileItRuns) {
  EngineFixture host;
  Running burner = host.spawn(child("burn_cpu", "1").ladder(at_once));
  EXPECT_TRUE(eventually([&] { return cpu_us(burner.stats().usage) > 50'000; }));
}

TEST(Usage, PressureIsThereWhereTheLeafTellsIt) {
  SKIP_WITHOUT_CONTAINMENT(nr::Containment::cgroup);
  if (::access((own_cgroup_path() + "/cpu.pressure").c_str(), R_OK) != 0) GTEST_SKIP() << "no PSI (CONFIG_PSI)";
  EngineFixture host{options_of(nr::Containment::cgroup)};
  // More than there are CPUs, in one group: some of them wait at any time.
  Running crowd = host.spawn(child("burn_cpu", "8").ladder(at_once));
  EXPECT_TRUE(eventually([&] {
    const nr::ProcessStats now = crowd.stats();
    return now.cpu_pressure && now.cpu_pressure->some.total_us > 10'000;
  }));
  EXPECT_TRUE(crowd.stats().memory_pressure);
  EXPECT_TRUE(crowd.stats().io_pressure);
}

TEST(Usage, PeaksAreOfTheWholeTree) {
  SKIP_WITHOUT_LIMIT("memory_max");
  EngineFixture host;
  const std::string eater = child("eat_memory").spec().program;
  // Two at a time: the larger process alone has 40 MiB.
  const std::string script = eater + " 40 hold & " + eater + " 40 hold & wait";
  Running both = host.spawn(sh(script).limits({.memory_max = nr::Limits::unlimited, .pids_max = 100}).ladder(at_once));
  std::string said;
  while (std::ranges::count(said, '\n') < 2) said += both.read_text();
  both.process().stop();
  const nr::Ended ended = both.wait();
  EXPECT_GE(ended.usage.memory_peak_bytes.value_or(0), 80_MiB);
  EXPECT_EQ(ended.usage.pids_peak.value_or(3), 3U);
}

TEST(Usage, IoIsCountedWhereAControllerDoes) {
  SKIP_WITHOUT_LIMIT("io_weight");
  EngineFixture host;
  const nr::Ended ended = host.run(nr::Command("true").limits({.io_weight = 100})).ended;
  EXPECT_TRUE(ended.usage.io_read_bytes);
  EXPECT_TRUE(ended.usage.io_written_bytes);
}

}  // namespace
}  // namespace tests
