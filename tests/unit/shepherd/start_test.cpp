/// How commands start, and why they don't: on each way to await exec.

#include <sys/resource.h>
#include <sys/stat.h>

#include <set>

#include "tests/unit/shepherd/host_fixture.hpp"

namespace netrunner::testing {
namespace {

using wire::ActionKind;

class ShepherdStart : public ::testing::TestWithParam<const char*> {
 protected:
  Host host{HostOptions{GetParam(), {}}};
  Scratch scratch;
  Told& wait(std::uint32_t slot) {
    EXPECT_TRUE(host.ended(slot));
    return host.told[slot];
  }
};
INSTANTIATE_TEST_SUITE_P(Ways, ShepherdStart, ::testing::Values("futex", "pipe", "vfork"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(ShepherdStart, ReadySaysWhichWayItIs) {
  EXPECT_EQ(host.ready->spawn_path, std::string(GetParam()) == "vfork" ? 1U : 0U);
  EXPECT_EQ(host.ready->clone_call, wire::CloneCall::clone3);
  EXPECT_EQ(host.ready->pid, host.pid());
}

TEST_P(ShepherdStart, EchoesThroughAPipe) {
  const auto slot = host.with_output(Host::request("/bin/echo"), {"echo", "hello"});
  EXPECT_EQ(host.output(slot), "hello\n");
  const Told& told = wait(slot);
  ASSERT_TRUE(told.started && told.exited);
  EXPECT_TRUE(told.pidfd);
  EXPECT_EQ(told.exited->end_code, CLD_EXITED);
  EXPECT_EQ(told.exited->end_status, 0);
  EXPECT_EQ(told.exited->alone, 1U);
  EXPECT_GT(told.exited->max_rss_kib, 0U);
  EXPECT_LE(told.started->spawned_ns, told.started->exec_ns);
  EXPECT_LE(told.started->exec_ns, told.exited->exited_ns);
}

TEST_P(ShepherdStart, TellsCodeAndSignalApart) {
  const auto code = host.shell("exit 143");
  const auto death = host.shell("kill -TERM $$");
  EXPECT_EQ(wait(code).exited->end_code, CLD_EXITED);
  EXPECT_EQ(wait(code).exited->end_status, 143);
  EXPECT_EQ(wait(death).exited->end_code, CLD_KILLED);
  EXPECT_EQ(wait(death).exited->end_status, SIGTERM);
}

TEST_P(ShepherdStart, NamesAMissingProgram) {
  const Told& told = wait(host.spawn(Host::request("/no/such/program"), {"x"}));
  ASSERT_TRUE(told.failed);
  EXPECT_EQ(told.failed->stage(), Stage::exec);
  EXPECT_EQ(told.failed->fixed.sys_errno, ENOENT);
  EXPECT_EQ(told.failed->path, "/no/such/program");
  EXPECT_EQ(told.failed->head, "");
  EXPECT_FALSE(told.started);
}

TEST_P(ShepherdStart, ShowsTheHeadOfAScriptWhoseInterpreterIsMissing) {
  const auto script = scratch.write("nr_script", "#!/no/such/interpreter\r\necho\n");
  const Told& direct = wait(host.spawn(Host::request(script), {"x"}));
  ASSERT_TRUE(direct.failed);
  EXPECT_EQ(direct.failed->fixed.sys_errno, ENOENT);
  EXPECT_EQ(direct.failed->path, script);
  EXPECT_TRUE(direct.failed->head.starts_with("#!/no/such/interpreter\r\n"));
  // Found by PATH, with a directory after it that has nothing: the broken file is named all the same.
  const Told& searched =
      wait(host.spawn(Host::request("nr_script"), {"x"}, {"PATH=" + scratch.path("") + ":/bin"}));
  ASSERT_TRUE(searched.failed);
  EXPECT_EQ(searched.failed->path, scratch.path("") + "/nr_script");
  EXPECT_TRUE(searched.failed->head.starts_with("#!"));
}

TEST_P(ShepherdStart, NamesTheDirectoryThatIsMissing) {
  auto request = Host::request("/bin/true");
  request.cwd = "/no/such/directory";
  const Told& told = wait(host.spawn(request, {"true"}));
  ASSERT_TRUE(told.failed);
  EXPECT_EQ(told.failed->stage(), Stage::cwd);
  EXPECT_EQ(told.failed->fixed.sys_errno, ENOENT);
  EXPECT_EQ(told.failed->path, "/no/such/directory");
}

TEST_P(ShepherdStart, OpensFilesRelativeToTheHostAndRunsInItsOwnDirectory) {
  auto request = Host::request("/bin/pwd");
  request.flags |= wire::cwd_attached;
  request.cwd = "/usr";
  request.actions[1] = {1, ActionKind::open_file, 0, "out", O_WRONLY | O_CREAT | O_TRUNC, 0640};
  request.umask = 0;
  std::vector<os::UniqueFd> descriptors;
  descriptors.emplace_back(::open(scratch.path("").c_str(), O_PATH | O_CLOEXEC));
  EXPECT_EQ(wait(host.spawn(request, {"pwd"}, {}, std::move(descriptors))).exited->end_status, 0);
  EXPECT_EQ(read_file(scratch.path("out")), "/usr\n");
}

TEST_P(ShepherdStart, NamesTheFileThatCannotBeOpened) {
  auto request = Host::request("/bin/true");
  request.actions[0] = {0, ActionKind::open_file, 0, "/no/such/input", O_RDONLY, 0};
  const Told& told = wait(host.spawn(request, {"true"}));
  ASSERT_TRUE(told.failed);
  EXPECT_EQ(told.failed->stage(), Stage::open_file);
  EXPECT_EQ(told.failed->path, "/no/such/input");
}

TEST_P(ShepherdStart, BigArgumentsTravelInAMemfdAndTooBigOnesAreE2Big) {
  const std::string big(100'000, 'x');
  const auto fits = host.with_output(Host::request("/bin/sh"), {"sh", "-c", "echo ${#1} $#", "sh", big, "b", "c"});
  EXPECT_EQ(host.output(fits), "100000 3\n");
  std::vector<std::string> many(3000, "argument");
  many.insert(many.begin(), {"sh", "-c", "echo $#", "sh"});
  EXPECT_EQ(host.output(host.with_output(Host::request("/bin/sh"), many)), "3000\n");
  const Told& told = wait(host.spawn(Host::request("/bin/true"), {"true", std::string(200'000, 'x')}));
  ASSERT_TRUE(told.failed);
  EXPECT_EQ(told.failed->stage(), Stage::exec);
  EXPECT_EQ(told.failed->fixed.sys_errno, E2BIG);
}

TEST_P(ShepherdStart, PutsEachPermutationOfDescriptorsInPlace) {
  auto out = os::make_pipe(os::OurEnd::none), err = os::make_pipe(os::OurEnd::none);
  auto request = Host::request("/bin/sh");
  // stdout and stderr swapped, 0 and 5 from the same pipe's writing end, 7 closed by being unnamed.
  request.actions[1].kind = request.actions[2].kind = ActionKind::attached;
  request.actions[0] = {0, ActionKind::same_as, 5, {}, 0, 0};
  request.actions.push_back({5, ActionKind::same_as, 2, {}, 0, 0});
  request.actions.push_back({9, ActionKind::same_as, 1, {}, 0, 0});
  std::vector<os::UniqueFd> descriptors;
  descriptors.push_back(std::move(err->write_end));
  descriptors.push_back(std::move(out->write_end));
  const std::string script = "echo to1; echo to2 >&2; echo to0 >&0; echo to5 >&5; echo to9 >&9";
  const auto slot = host.spawn(request, {"sh", "-c", script}, {}, std::move(descriptors));
  EXPECT_EQ(wait(slot).exited->end_status, 0);
  char text[64] = {};
  EXPECT_EQ(::read(err->read_end.get(), text, sizeof text), 8);
  EXPECT_STREQ(text, "to1\nto9\n");
  ::memset(text, 0, sizeof text);
  EXPECT_EQ(::read(out->read_end.get(), text, sizeof text), 12);
  EXPECT_STREQ(text, "to2\nto0\nto5\n");
}

TEST_P(ShepherdStart, ACommandHasItsDescriptorsAndNoOther) {
  const auto numbers = [&](std::uint32_t slot) {
    std::set<int> found;
    const auto directory = "/proc/" + std::to_string(host.pid_of(slot)) + "/fd";
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      found.insert(std::stoi(entry.path().filename()));
    }
    return found;
  };
  // Eventually: the loader has its libraries open for a moment.
  const auto plain = host.spawn(Host::request("/bin/sleep"), {"sleep", "100"});
  EXPECT_TRUE(eventually([&] { return numbers(plain) == (std::set{0, 1, 2}); }, 1s));
  auto request = Host::request("/bin/sleep");
  request.actions[0].kind = ActionKind::closed;
  request.actions.push_back({4, ActionKind::null, 0, {}, 0, 0});
  request.actions.push_back({200, ActionKind::null, 0, {}, 0, 0});
  const auto extras = host.spawn(request, {"sleep", "100"});
  EXPECT_TRUE(eventually([&] { return numbers(extras) == (std::set{1, 2, 4, 200}); }, 1s));
}

TEST_P(ShepherdStart, ACommandBlocksAndIgnoresNoSignal) {
  const auto slot = host.spawn(Host::request("/bin/sleep"), {"sleep", "100"});
  const std::string text = read_file("/proc/" + std::to_string(host.pid_of(slot)) + "/status");
  for (const char* field : {"SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000", "SigCgt:\t0000000000000000"}) {
    EXPECT_NE(text.find(field), std::string::npos) << text;
  }
}

TEST_P(ShepherdStart, ACommandLeadsItsOwnGroupOrSession) {
  const std::string print = "cut -d' ' -f1,5,6 /proc/$$/stat";
  int pid = 0, group = 0, session = 0;
  EXPECT_EQ(std::sscanf(host.output(host.shell_with_output(print)).c_str(), "%d %d %d", &pid, &group, &session), 3);
  EXPECT_EQ(pid, group);
  EXPECT_EQ(session, host.pid());
  auto request = Host::request("/bin/sh");
  request.flags |= wire::own_session;
  const auto slot = host.with_output(request, {"sh", "-c", print});
  EXPECT_EQ(std::sscanf(host.output(slot).c_str(), "%d %d %d", &pid, &group, &session), 3);
  EXPECT_EQ(pid, session);
}

TEST_P(ShepherdStart, SearchesTheCommandsOwnPath) {
  const auto tool = scratch.write("tool", "#!/bin/sh\necho found $0\n");
  std::filesystem::create_directory(scratch.path("denied"));
  scratch.write("denied/tool", "#!/bin/sh\necho wrong\n", 0644);
  const auto denied = scratch.path("denied"), here = scratch.path("");
  const auto run = [&](const std::string& path) {
    return host.output(host.with_output(Host::request("tool"), {"tool"}, {"A=1", "PATH=" + path}));
  };
  EXPECT_EQ(run("/none:" + tool + ":" + denied + ":" + here), "found " + here + "/tool\n");
  auto in_cwd = Host::request("tool");
  in_cwd.cwd = here;
  EXPECT_EQ(host.output(host.with_output(in_cwd, {"tool"}, {"PATH=/none::/bin"})), "found tool\n");
  const Told& refused = wait(host.spawn(Host::request("tool"), {"tool"}, {"PATH=" + denied + ":/none"}));
  ASSERT_TRUE(refused.failed);
  EXPECT_EQ(refused.failed->fixed.sys_errno, EACCES);
  EXPECT_EQ(refused.failed->path, denied + "/tool");
  const Told& missing = wait(host.spawn(Host::request("nosuch"), {"nosuch"}, {"PATH=/none"}));
  EXPECT_EQ(missing.failed->fixed.sys_errno, ENOENT);
  EXPECT_EQ(missing.failed->path, "nosuch");
  EXPECT_EQ(host.output(host.with_output(Host::request("echo"), {"echo", "ok"}, {"A=1"})), "ok\n");
}

TEST_P(ShepherdStart, ATextFileIsRunByTheShellOnlyWhereAskedFor) {
  const auto script = scratch.write("script", "echo $0 $1\n");
  const Told& refused = wait(host.spawn(Host::request(script), {"script", "a"}));
  ASSERT_TRUE(refused.failed);
  EXPECT_EQ(refused.failed->fixed.sys_errno, ENOEXEC);
  EXPECT_EQ(refused.failed->head, "echo $0 $1\n");
  auto request = Host::request(script);
  request.flags |= wire::shell_fallback;
  EXPECT_EQ(host.output(host.with_output(request, {"script", "a"})), script + " a\n");
}

TEST_P(ShepherdStart, SetsWhatWasAskedFor) {
  auto request = Host::request("/bin/sh");
  request.umask = 027;
  request.nice = 5;
  request.oom_score_adj = 321;
  request.cpus = {0};
  request.limits = {{RLIMIT_NOFILE, 0, 100, 200}, {RLIMIT_CORE, 0, 0, 0}};
  request.flags |= wire::set_no_new_privs;
  const auto slot = host.with_output(
      request, {"sh", "-c",
                "umask; ulimit -Sn; ulimit -Hn; cat /proc/self/oom_score_adj; cut -d' ' -f19 /proc/self/stat;"
                "grep -E 'NoNewPrivs|Cpus_allowed_list' /proc/self/status"});
  EXPECT_EQ(host.output(slot), "0027\n100\n200\n321\n5\nNoNewPrivs:\t1\nCpus_allowed_list:\t0\n");
}

TEST_P(ShepherdStart, ACommandHasTheDescriptorLimitOfTheHost) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_EQ(host.output(host.shell_with_output("ulimit -Sn")), std::to_string(limit.rlim_cur) + "\n");
}

TEST_P(ShepherdStart, BecomesAnotherUserAndDiesWithTheShepherdAllTheSame) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may become another user";
  auto request = Host::request("/bin/sh");
  request.uid = request.gid = 65534;
  request.groups.emplace();
  const auto slot = host.with_output(request, {"sh", "-c", "id -u; id -g; id -G; exec sleep 100"});
  const pid_t pid = host.pid_of(slot);
  EXPECT_TRUE(eventually([&] { return read_file("/proc/" + std::to_string(pid) + "/comm") == "sleep\n"; }));
  ::kill(host.pid(), SIGKILL);
  EXPECT_EQ(host.output(slot), "65534\n65534\n65534\n");
  EXPECT_TRUE(eventually([&] { return is_gone(pid) || state_of(pid) == 'Z'; }));
}

TEST_P(ShepherdStart, WaitsForAFileThatIsStillBeingWritten) {
  const auto program = scratch.path("program");
  std::filesystem::copy_file("/bin/true", program);
  os::UniqueFd writer(::open(program.c_str(), O_WRONLY | O_CLOEXEC));
  const auto slot = host.spawn(Host::request(program), {"true"});
  host.flush();
  if (std::string(GetParam()) != "vfork") {
    host.rest(100ms);
    EXPECT_FALSE(host.told[slot].failed);
    writer.reset();
    EXPECT_EQ(wait(slot).exited->end_status, 0);
    writer = os::UniqueFd(::open(program.c_str(), O_WRONLY | O_CLOEXEC));
  }
  const auto before = Clock::now();
  const Told& busy = wait(host.spawn(Host::request(program), {"true"}));
  ASSERT_TRUE(busy.failed);
  EXPECT_EQ(busy.failed->fixed.sys_errno, ETXTBSY);
  EXPECT_LT(ms_since(before), 1500 * tests::slowness());
}

TEST_P(ShepherdStart, AMalformedSpawnIsRefusedAndTheNextOneRuns) {
  auto request = Host::request("/bin/true");
  request.actions[2] = {2, ActionKind::same_as, 0, {}, 0, 0};
  request.actions[0] = {0, ActionKind::same_as, 2, {}, 0, 0};
  const Told& circle = wait(host.spawn(request, {"true"}));
  ASSERT_TRUE(circle.failed);
  EXPECT_EQ(circle.failed->stage(), Stage::treaty);
  EXPECT_EQ(circle.failed->fixed.sys_errno, EPROTO);
  EXPECT_EQ(wait(host.spawn(Host::request("/bin/true"), {"true"})).exited->end_status, 0);
}

TEST_P(ShepherdStart, FailedStartsLeaveNoZombieAndNoDescriptor) {
  const auto descriptors = [&] {
    const auto fds = std::filesystem::directory_iterator("/proc/" + std::to_string(host.pid()) + "/fd");
    return std::distance(begin(fds), end(fds));
  };
  const auto before = descriptors();
  std::vector<std::uint32_t> slots;
  for (int i = 0; i < 200; ++i) slots.push_back(host.with_output(Host::request("/no/such"), {"x"}));
  for (const auto slot : slots) EXPECT_TRUE(wait(slot).failed);
  const auto pid = std::to_string(host.pid());
  EXPECT_EQ(read_file("/proc/" + pid + "/task/" + pid + "/children"), "");
  EXPECT_EQ(descriptors(), before);
}

}  // namespace
}  // namespace netrunner::testing
