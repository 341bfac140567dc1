/// Many at once, hung ones among them, and kernels that refuse calls.

#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstddef>
#include <random>

#include "tests/unit/shepherd/host_fixture.hpp"

namespace netrunner::testing {
namespace {

using wire::WireTarget;

std::size_t rss_kib(pid_t pid) {
  const std::string status = read_file("/proc/" + std::to_string(pid) + "/status");
  const auto at = status.find("VmRSS:");
  return at == std::string::npos ? 0 : std::stoul(status.substr(at + 6));
}

std::size_t descriptor_count(pid_t pid) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
    ++count;
  }
  return count;
}

TEST(ShepherdCrowd, AThousandRunningCommandsCostLittle) {
  Host host;
  std::vector<std::uint32_t> slots;
  for (int i = 0; i < 1000; ++i) slots.push_back(host.spawn(Host::request("/bin/sleep"), {"sleep", "1000"}));
  for (const auto slot : slots) ASSERT_TRUE(host.started(slot, 30s));
  EXPECT_TRUE(host.wait_for([&] { return rss_kib(host.pid()) < 2048U; })) << "the burst's memory goes back";
  EXPECT_LT(descriptor_count(host.pid()), 20U);
  std::printf("RSS %zu KiB, %zu descriptors\n", rss_kib(host.pid()), descriptor_count(host.pid()));
  host.hang_up();
  EXPECT_TRUE(eventually([&] { return host.reaped(); }));
}

double spawn_rate(const char* way, const std::string& program, int commands) {
  Host host(HostOptions{way, {}});
  constexpr std::uint32_t window = 64;
  const auto before = Clock::now();
  std::uint32_t sent = 0;
  const auto all = static_cast<std::uint32_t>(commands);
  std::uint32_t done = 0;
  EXPECT_TRUE(host.wait_for([&] {
    while (done < sent && (host.told[done].exited || host.told[done].failed)) ++done;
    while (sent < all && sent - done < window) {
      host.spawn(Host::request(program), {"true"});
      ++sent;
    }
    return done == all;
  }, 60s));
  return commands / (ms_since(before) / 1000);
}

TEST(ShepherdCrowd, SpawnRate) {
  for (int round = 0; round < 2; ++round) {
    for (const char* way : {"futex", "pipe", "vfork"}) {
      const double rate = spawn_rate(way, "/bin/true", static_cast<int>(tests::scaled(10'000, 100)));
      std::printf("64 in flight, %s: %.0f/s\n", way, rate);
      EXPECT_GT(rate, 100 / tests::slowness()) << way;
    }
  }
}

/// Holds write leases on copies of /bin/true: exec of them hangs until it lets go. See fcntl(2), F_SETLEASE.
class LeaseHolder {
 public:
  LeaseHolder(const Scratch& scratch, int count) {
    ::signal(SIGIO, SIG_IGN);
    for (int i = 0; i < count; ++i) {
      paths.push_back(scratch.path("leased" + std::to_string(i)));
      std::filesystem::copy_file("/bin/true", paths.back());
    }
    for (const auto& path : paths) {
      fds_.emplace_back(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
      held = held && ::fcntl(fds_.back().get(), F_SETLEASE, F_WRLCK) == 0;
    }
  }
  ~LeaseHolder() { let_go(); }
  void let_go() { fds_.clear(); }
  std::vector<std::string> paths;
  bool held = true;

 private:
  std::vector<os::UniqueFd> fds_;
};

class ShepherdHungCrowd : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Ways, ShepherdHungCrowd, ::testing::Values("futex", "pipe"),
                         [](const auto& info) { return std::string(info.param); });

// W8.
TEST_P(ShepherdHungCrowd, ABinaryThatHangsInExecDelaysItselfAlone) {
  Scratch scratch;
  Host host(HostOptions{GetParam(), {}});
  LeaseHolder leases(scratch, 64);
  if (!leases.held) GTEST_SKIP() << "no write leases here (F_SETLEASE)";
  std::vector<std::uint32_t> hung;
  for (const auto& path : leases.paths) hung.push_back(host.spawn(Host::request(path), {"true"}));
  host.rest(100ms);
  for (const auto slot : hung) EXPECT_FALSE(host.told[slot].started || host.told[slot].failed);

  for (int i = 0; i < 200; ++i) {
    const auto before = Clock::now();
    const auto slot = host.spawn(Host::request("/bin/true"), {"true"});
    ASSERT_TRUE(host.ended(slot));
    EXPECT_LT(ms_since(before), 500 * tests::slowness());
  }
  // A stop reaches one that hangs, and tells that it never ran.
  const auto before = Clock::now();
  host.stop(hung[0], {rung(SIGTERM, WireTarget::group, 100ms)});
  ASSERT_TRUE(host.ended(hung[0]));
  EXPECT_LT(ms_since(before), 500 * tests::slowness());
  ASSERT_TRUE(host.told[hung[0]].failed);
  EXPECT_EQ(host.told[hung[0]].failed->fixed.sys_errno, ECANCELED);
  EXPECT_EQ(host.told[hung[0]].failed->stage(), Stage::exec);
  leases.let_go();
  for (std::size_t i = 1; i < hung.size(); ++i) {
    ASSERT_TRUE(host.ended(hung[i]));
    EXPECT_TRUE(host.told[hung[i]].exited);
  }
}

TEST_P(ShepherdHungCrowd, WhenEveryPlaceHangsTheOthersWaitInOrderAndCanBeWithdrawn) {
  Scratch scratch;
  Host host(HostOptions{GetParam(), {}});
  LeaseHolder leases(scratch, 1);
  if (!leases.held) GTEST_SKIP() << "no write leases here (F_SETLEASE)";
  std::vector<std::uint32_t> hung, waiting;
  for (int i = 0; i < 256; ++i) hung.push_back(host.spawn(Host::request(leases.paths[0]), {"true"}));
  for (int i = 0; i < 300; ++i) waiting.push_back(host.with_output(Host::request("/bin/true"), {"true"}));
  host.channel().post(wire::MessageType::ping, wire::PingFixed{1});
  ASSERT_TRUE(host.wait_for([&] { return host.pongs.size() == 1; }));
  host.stop(waiting[5], {});
  ASSERT_TRUE(host.ended(waiting[5]));
  EXPECT_EQ(host.told[waiting[5]].failed->fixed.sys_errno, ECANCELED);
  leases.let_go();
  for (const auto slot : hung) ASSERT_TRUE(host.ended(slot, 20s));
  for (const auto slot : waiting) {
    ASSERT_TRUE(host.ended(slot, 20s));
    EXPECT_EQ(host.told[slot].exited.has_value(), slot != waiting[5]);
    EXPECT_EQ(host.output(slot), "") << "an end of the pipe stays open";
  }
  host.rest(50ms);
  EXPECT_LT(descriptor_count(host.pid()), 20U);
  EXPECT_TRUE(host.wait_for([&] { return rss_kib(host.pid()) < 2048U; })) << "the burst's memory goes back";
}

TEST(ShepherdCrowd, AHostThatDoesNotReadLosesNothing) {
  Host host;
  host.channel().pause();
  std::vector<std::uint32_t> slots;
  for (int i = 0; i < 2000; ++i) slots.push_back(host.spawn(Host::request("/no/such/program/at/all"), {"x"}));
  host.rest(500ms);
  host.channel().resume();
  for (const auto slot : slots) ASSERT_TRUE(host.ended(slot, 20s));
}

// W5: at the process limit starts wait, then they fail with the errno; what runs is not touched.
TEST(ShepherdCrowd, AtTheProcessLimitStartsWaitAndThenFailByName) {
  if (::geteuid() != 0) GTEST_SKIP() << "another user with a process limit of its own is needed";
  constexpr uid_t nobody = 64'123;
  Host host(HostOptions{{}, [] {
    const rlimit few{12, 12};
    ::setrlimit(RLIMIT_NPROC, &few);
    (void)!::setgid(nobody);
    (void)!::setuid(nobody);
  }});
  ASSERT_TRUE(host.ready);
  std::vector<std::uint32_t> brief, lasting;
  for (int i = 0; i < 40; ++i) brief.push_back(host.spawn(Host::request("/bin/sleep"), {"sleep", "0.1"}));
  for (const auto slot : brief) {
    ASSERT_TRUE(host.ended(slot));
    EXPECT_TRUE(host.told[slot].exited) << "it would have found room in time";
  }
  const auto before = Clock::now();
  for (int i = 0; i < 40; ++i) lasting.push_back(host.spawn(Host::request("/bin/sleep"), {"sleep", "100"}));
  std::size_t running = 0, failed = 0;
  for (const auto slot : lasting) {
    ASSERT_TRUE(host.wait_for([&] { return host.told[slot].started || host.told[slot].failed; }));
    if (host.told[slot].started) ++running;
    if (!host.told[slot].failed) continue;
    ++failed;
    EXPECT_EQ(host.told[slot].failed->stage(), Stage::clone);
    EXPECT_EQ(host.told[slot].failed->fixed.sys_errno, EAGAIN);
  }
  EXPECT_LT(ms_since(before), 2500 * tests::slowness());
  EXPECT_GE(running, 8U);
  EXPECT_EQ(running + failed, 40U);
  const auto later = Clock::now();
  const auto one_more = host.spawn(Host::request("/bin/sleep"), {"sleep", "100"});
  ASSERT_TRUE(host.wait_for([&] { return host.told[one_more].failed.has_value(); }));
  EXPECT_GE(ms_since(later), 900) << "it has as much patience as those before it";
}

TEST(ShepherdCrowd, ASmallDescriptorLimitIsEnough) {
  Host host(HostOptions{{}, [] {
    const rlimit few{40, 40};
    ::setrlimit(RLIMIT_NOFILE, &few);
  }});
  for (int i = 0; i < 100; ++i) {
    const auto slot = host.with_output(Host::request("/bin/echo"), {"echo", "hello"});
    ASSERT_EQ(host.output(slot), "hello\n");
    ASSERT_TRUE(host.ended(slot));
    EXPECT_TRUE(host.told[slot].pidfd);
  }
}

// Whatever the host says in whatever order: each command ends once, and nothing of it stays.
TEST(ShepherdCrowd, RandomOrdersEndEachCommandAndLeaveNothing) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  Host host;
  const char* scripts[] = {"exit 3", "sleep 0.02", "sleep 5", "sleep 5 & sleep 0.01", "trap '' TERM; sleep 5; sleep 5",
                           "setsid sleep 5 & exit 1", "kill -9 $$", "(sleep 0.05 &) ; exec sleep 0.02"};
  std::vector<std::uint32_t> slots;
  for (std::size_t i = 0; i < tests::scaled(6000, 60); ++i) {
    slots.push_back(random() % 10 == 0 ? host.spawn(Host::request("/no/such"), {"x"})
                                       : host.shell(scripts[random() % std::size(scripts)]));
    const auto any = slots[random() % slots.size()];
    switch (random() % 4) {
      case 0: host.stop(any, {rung(SIGTERM, WireTarget::group, std::chrono::milliseconds(random() % 50))}); break;
      case 1: host.signal(any, random() % 2 == 0 ? SIGSTOP : SIGHUP, static_cast<WireTarget>(random() % 3)); break;
      case 2: host.settle(any, static_cast<wire::SettlePolicy>(random() % 2)); break;
      default: host.rest(std::chrono::milliseconds(random() % 4)); break;
    }
  }
  for (const auto slot : slots) host.stop(slot, {rung(SIGTERM, WireTarget::group, 30ms)});
  for (const auto slot : slots) {
    ASSERT_TRUE(host.ended(slot)) << slot;
    const Told& told = host.told[slot];
    ASSERT_NE(told.exited.has_value(), told.failed.has_value()) << slot;
    if (told.exited && told.exited->alone == 0 && !told.settled) host.settle(slot, wire::SettlePolicy::stop);
    if (told.exited && told.exited->alone == 0) {
      ASSERT_TRUE(host.settled(slot)) << slot;
    }
  }
  host.rest(100ms);
  EXPECT_LT(descriptor_count(host.pid()), 20U);
  host.channel().post(wire::MessageType::shutdown);
  EXPECT_TRUE(host.wait_for([&] { return host.closed(); }));
  EXPECT_TRUE(host.left_nobody);
  EXPECT_TRUE(eventually([&] { return host.reaped(); }));
  EXPECT_EQ(*host.exit_status, 0);
}

/// A seccomp filter that answers one system call with an errno.
void refuse(long number, int sys_errno, std::uint32_t flags_needed = 0) {
  const auto low_argument = static_cast<std::uint32_t>(offsetof(seccomp_data, args[0]));
  const sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low_argument),
      BPF_JUMP(flags_needed == 0 ? BPF_JMP | BPF_JA : BPF_JMP | BPF_JSET | BPF_K, flags_needed, 0,
               static_cast<unsigned char>(flags_needed == 0 ? 0 : 1)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(sys_errno)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{std::size(filter), const_cast<sock_filter*>(filter)};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

struct Refusal {
  const char* name;
  wire::CloneCall expected;
  std::function<void()> install;
};
class ShepherdUnderSeccomp : public ::testing::TestWithParam<Refusal> {};
INSTANTIATE_TEST_SUITE_P(
    Calls, ShepherdUnderSeccomp,
    ::testing::Values(
        Refusal{"Clone3NoSys", wire::CloneCall::clone, [] { refuse(SYS_clone3, ENOSYS); }},
        Refusal{"Clone3NoPermission", wire::CloneCall::clone, [] { refuse(SYS_clone3, EPERM); }},
        Refusal{"NoSharedMemory", wire::CloneCall::fork,
                [] { refuse(SYS_clone3, ENOSYS), refuse(SYS_clone, EINVAL, CLONE_VM); }},
        Refusal{"NoCloseRange", wire::CloneCall::clone3, [] { refuse(SYS_close_range, ENOSYS); }},
        Refusal{"NoPidfdOpen", wire::CloneCall::clone3, [] { refuse(SYS_pidfd_open, EPERM); }},
        Refusal{"NoPidfdSignal", wire::CloneCall::clone3, [] { refuse(SYS_pidfd_send_signal, ENOSYS); }}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_P(ShepherdUnderSeccomp, TheOlderWayIsTakenAndSaid) {
  Host host(HostOptions{{}, GetParam().install});
  EXPECT_EQ(host.ready->clone_call, GetParam().expected);
  for (std::size_t i = 0; i < tests::scaled(1000, 10); ++i) {
    const auto slot = host.with_output(Host::request("/bin/echo"), {"echo", "hello"});
    ASSERT_EQ(host.output(slot), "hello\n");
    ASSERT_TRUE(host.ended(slot));
  }
  const auto missing = host.spawn(Host::request("/no/such"), {"x"});
  ASSERT_TRUE(host.ended(missing));
  EXPECT_EQ(host.told[missing].failed->fixed.sys_errno, ENOENT);
  EXPECT_EQ(host.told[missing].failed->path, "/no/such");
  const auto slot = host.shell("sleep 100 & exit 3");
  ASSERT_TRUE(host.ended(slot));
  EXPECT_EQ(host.told[slot].exited->end_status, 3);
  EXPECT_EQ(host.told[slot].exited->alone, 0U);
  host.settle(slot, wire::SettlePolicy::stop);
  ASSERT_TRUE(host.settled(slot));
  EXPECT_EQ(host.told[slot].settled->tree_empty, 1U);
}

}  // namespace
}  // namespace netrunner::testing
