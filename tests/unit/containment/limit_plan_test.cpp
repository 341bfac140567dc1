#include "engine/containment/limit_plan.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string>

namespace netrunner::containment {
namespace {

/// A machine with v2 controllers, v1 ones, or none.
class Ground final : public LimitGround {
 public:
  enum class Kind { v2, v1, none };
  explicit Ground(Kind kind) : kind_(kind) {}
  Result<os::Hierarchy> place_of(Controller controller) override {
    if (kind_ == Kind::none) {
      return std::unexpected(Error{ErrorCode::limit_unavailable, Stage::cgroup, 0, "/here", "nothing is here"});
    }
    return kind_ == Kind::v2 ? os::Hierarchy::unified : v1_of(controller);
  }
  Result<std::uint32_t> cpu_clock() override { return kind_ == Kind::none ? os::bit_of(os::Hierarchy::cpuacct) : 0; }
  bool has_file(os::Hierarchy, const char* file) const override { return !missing.contains(file); }
  std::string text_of(os::Hierarchy, const char*) const override { return "0-7"; }
  std::string path_of(os::Hierarchy hierarchy) const override {
    return std::string("/cgroup/") + os::name_of(hierarchy) + "/netrunner-1";
  }
  std::set<std::string> missing;

 private:
  Kind kind_;
};

std::string in_words(const LimitPlan& plan) {
  std::string words;
  for (const LimitPlan::Write& write : plan.writes) {
    words += std::string(os::name_of(write.hierarchy)) + " " + write.file + "=" + write.value + "; ";
  }
  return words;
}

std::string planned(const Limits& limits, Ground::Kind kind) {
  Ground ground(kind);
  const auto plan = plan_limits(limits, LimitPolicy::required, ground);
  return plan ? in_words(*plan) : plan.error().message();
}

constexpr auto v2 = Ground::Kind::v2;
constexpr auto v1 = Ground::Kind::v1;

TEST(LimitPlan, SaysMemoryInBothTongues) {
  EXPECT_EQ(planned({.memory_max = 1024}, v2), "unified memory.max=1024; ");
  EXPECT_EQ(planned({.memory_max = Limits::unlimited}, v2), "unified memory.max=max; ");
  EXPECT_EQ(planned({.memory_max = 1024}, v1), "memory memory.limit_in_bytes=1024; ");
  EXPECT_EQ(planned({.memory_max = Limits::unlimited}, v1), "memory memory.limit_in_bytes=-1; ");
  EXPECT_EQ(planned({.memory_high = 1, .memory_low = 2, .memory_min = 3, .oom_group = true}, v2),
            "unified memory.high=1; unified memory.low=2; unified memory.min=3; unified memory.oom.group=1; ");
}

TEST(LimitPlan, CountsSwapApartInV2AndTogetherInV1) {
  EXPECT_EQ(planned({.memory_max = 1000, .swap_max = 0}, v2), "unified memory.max=1000; unified memory.swap.max=0; ");
  // The sum may at no moment be below the limit of memory: it is lifted first, whatever was in force.
  EXPECT_EQ(planned({.memory_max = 1000, .swap_max = 24}, v1),
            "memory memory.memsw.limit_in_bytes=-1; memory memory.limit_in_bytes=1000; "
            "memory memory.memsw.limit_in_bytes=1024; ");
  EXPECT_EQ(planned({.memory_max = 1000, .swap_max = Limits::unlimited}, v1),
            "memory memory.memsw.limit_in_bytes=-1; memory memory.limit_in_bytes=1000; "
            "memory memory.memsw.limit_in_bytes=-1; ");
  EXPECT_NE(planned({.swap_max = 0}, v1).find("set memory_max too"), std::string::npos);
}

TEST(LimitPlan, SaysCpuInBothTongues) {
  EXPECT_EQ(planned({.cpu_quota = 1.5}, v2), "unified cpu.max=150000 100000; ");
  EXPECT_EQ(planned({.cpu_quota = std::numeric_limits<double>::infinity()}, v2), "unified cpu.max=max 100000; ");
  EXPECT_EQ(planned({.cpu_quota = 0.01}, v1), "cpu cpu.cfs_period_us=100000; cpu cpu.cfs_quota_us=1000; ");
  EXPECT_EQ(planned({.cpu_weight = 100}, v1), "cpu cpu.shares=1024; ");
  EXPECT_EQ(planned({.cpu_weight = 1}, v1), "cpu cpu.shares=10; ");
  // A group that is idle takes no weight.
  EXPECT_EQ(planned({.cpu_weight = 5, .cpu_idle = true}, v2), "unified cpu.weight=5; unified cpu.idle=1; ");
  EXPECT_EQ(planned({.cpu_weight = 5, .cpu_idle = false}, v2), "unified cpu.idle=0; unified cpu.weight=5; ");
}

TEST(LimitPlan, GivesBothHalvesOfACpusetInV1) {
  EXPECT_EQ(planned({.cpuset_cpus = {0, 2}}, v2), "unified cpuset.cpus=0,2; ");
  EXPECT_EQ(planned({.cpuset_cpus = {0, 2}}, v1), "cpuset cpuset.cpus=0,2; cpuset cpuset.mems=0-7; ");
  EXPECT_EQ(planned({.cpuset_cpus = {1}, .cpuset_mems = {0}}, v1), "cpuset cpuset.cpus=1; cpuset cpuset.mems=0; ");
}

TEST(LimitPlan, WeighsIoWithWhatTheKernelHas) {
  EXPECT_EQ(planned({.io_weight = 200}, v2), "unified io.weight=200; ");
  Ground bfq(v2);
  bfq.missing = {"io.weight"};
  EXPECT_EQ(in_words(*plan_limits({.io_weight = 10000}, LimitPolicy::required, bfq)), "unified io.bfq.weight=1000; ");
  EXPECT_EQ(planned({.io_weight = 100}, v1), "blkio blkio.bfq.weight=100; ");
  Ground old(v1);
  old.missing = {"blkio.bfq.weight"};
  EXPECT_EQ(in_words(*plan_limits({.io_weight = 50}, LimitPolicy::required, old)), "blkio blkio.weight=50; ");
}

TEST(LimitPlan, RefusesByName) {
  Ground none(Ground::Kind::none);
  const auto refused = plan_limits({.pids_max = 3}, LimitPolicy::required, none);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::limit_unavailable);
  EXPECT_EQ(refused.error().message(), "cgroup pids_max: /here (nothing is here)");
  EXPECT_NE(planned({.memory_high = 3}, v1).find("memory_high: /cgroup/memory (the v1 memory controller has no such"),
            std::string::npos);
  Ground no_swap(v2);
  no_swap.missing = {"memory.swap.max"};
  const auto swap = plan_limits({.memory_max = 9, .swap_max = 0}, LimitPolicy::required, no_swap);
  ASSERT_FALSE(swap);
  EXPECT_NE(swap.error().message().find("swapaccount=1"), std::string::npos) << swap.error().message();
}

TEST(LimitPlan, GoesOnWithoutWhatCantBeHadWhereThatIsAllowed) {
  Ground ground(v1);
  ground.missing = {"memory.memsw.limit_in_bytes"};
  const Limits wanted{
      .memory_max = 9, .memory_high = 8, .swap_max = 0, .pids_max = 7, .cpu_time = Nanoseconds(5)};
  const auto plan = plan_limits(wanted, LimitPolicy::best_effort, ground);
  ASSERT_TRUE(plan);
  EXPECT_EQ(in_words(*plan), "memory memory.limit_in_bytes=9; pids pids.max=7; ");
  ASSERT_EQ(plan->outcomes.size(), 5U);
  const std::vector<bool> applied = {true, false, false, true, true};
  for (std::size_t i = 0; i < applied.size(); ++i) EXPECT_EQ(plan->outcomes[i].applied(), applied[i]) << i;
  EXPECT_FALSE(plan->outcomes[1].why_not.empty());
  EXPECT_EQ(plan->outcomes[0].by, "cgroup v1");
  EXPECT_EQ(plan->outcomes[4].by, "shepherd");
  EXPECT_EQ(plan->cpu_time_ns, 5);
  EXPECT_EQ(plan->hierarchies, os::bit_of(os::Hierarchy::memory) | os::bit_of(os::Hierarchy::pids));
}

TEST(LimitPlan, ARefusedWriteIsNamedByItsLimit) {
  Ground ground(v2);
  auto plan = plan_limits({.memory_max = 9, .cpuset_cpus = {99}}, LimitPolicy::best_effort, ground);
  ASSERT_TRUE(plan);
  const Error error = write_refused(*plan, 1, EINVAL);
  EXPECT_EQ(error.code, ErrorCode::limit_unavailable);
  EXPECT_TRUE(error.subject.starts_with("cpuset_cpus: \"99\" to cpuset.cpus")) << error.subject;
  note_refused(*plan, 1, EINVAL);
  EXPECT_FALSE(plan->outcomes[1].applied());
  EXPECT_TRUE(plan->outcomes[0].applied());
}

}  // namespace
}  // namespace netrunner::containment
