/// When output is waited for in vain, the result says who held the pipe open: stream, pid, name.

#include <algorithm>
#include <csignal>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/bystander.hpp"
#include "tests/support/child.hpp"
#include "tests/support/command_line.hpp"
#include "tests/support/contained.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/scale.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/support/transports.hpp"

namespace tests {
namespace {

const nr::Drain short_drain{.idle = patience(200ms), .max = patience(2s)};

class PipeHolders : public OverEachTransport {};
INSTANTIATE_OVER_EACH_TRANSPORT(PipeHolders);

TEST_P(PipeHolders, ADescendantInAnotherSessionIsNamed) {
  for (const nr::Containment level : {nr::Containment::cgroup, nr::Containment::subreaper,
                                      nr::Containment::pid_namespace, nr::Containment::process_group}) {
    if (!why_not(level).empty()) continue;
    EngineFixture host{options_of(level)};
    Running bystander = host.spawn(sh("sleep 600"));  // Another command of the same shepherd is none of them.
    Running shell = host.spawn(sh("setsid sleep 601 & exit 0").drain(short_drain).stragglers(nr::Stragglers::leave));
    const nr::Ended ended = shell.wait();
    ASSERT_EQ(ended.holders.size(), 1U) << nr::name_of(level);
    EXPECT_EQ(ended.holders[0].stream, nr::Stream::out);
    EXPECT_EQ(ended.holders[0].name, "sleep") << nr::name_of(level);
    EXPECT_NE(proc_file(ended.holders[0].pid, "cmdline").find("601"), std::string::npos) << nr::name_of(level);
    kill(ended.holders[0].pid, SIGKILL);
  }
}

TEST_P(PipeHolders, EachStreamHasItsOwn) {
  EngineFixture host{options_of(nr::Containment::automatic)};
  Running shell = host.spawn(sh("sleep 600 2>&- & sleep 601 >&- & exit 0").err(nr::Stdio::pipe()).drain(short_drain));
  const nr::Ended ended = shell.wait();
  ASSERT_EQ(ended.holders.size(), 2U);
  EXPECT_NE(ended.holders[0].stream, ended.holders[1].stream);
  EXPECT_NE(ended.holders[0].pid, ended.holders[1].pid);
  EXPECT_EQ(ended.stragglers, 2U);
}

TEST_P(PipeHolders, AStrangerThatWasHandedTheDescriptorIsNamed) {
  const TempFolder folder;
  const std::string path = folder / "socket";
  Bystander stranger({"python3", "-S", "-c",
                      "import socket,sys,time\n"
                      "s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()\n"
                      "c,_=s.accept(); fds=socket.recv_fds(c,1,1)[1]; c.sendall(b'x'); time.sleep(600)",
                      path});
  EngineFixture host{options_of(nr::Containment::automatic)};
  // It ends when the stranger has it: what is on its way through a socket is nobody's.
  Running giver = host.spawn(nr::Command("python3", "-S", "-c",
                                         "import socket,sys,time\n"
                                         "s=socket.socket(socket.AF_UNIX)\n"
                                         "while s.connect_ex(sys.argv[1]): time.sleep(0.01)\n"
                                         "socket.send_fds(s,[b'y'],[1]); s.recv(1)",
                                         path)
                                 .drain(short_drain));
  const nr::Ended ended = giver.wait();
  EXPECT_TRUE(ended.success());
  EXPECT_EQ(ended.stragglers, 0U);
  EXPECT_TRUE(ended.tree_empty);
  EXPECT_EQ(ended.stream(nr::Stream::out)->end, nr::StreamEnd::inherited);
  ASSERT_EQ(ended.holders.size(), 1U);
  EXPECT_EQ(ended.holders[0], (nr::PipeHolder{nr::Stream::out, stranger.pid(), "python3"}));
}

TEST_P(PipeHolders, ThereAreNoneWhereEveryStreamCameToItsEnd) {
  EngineFixture host;
  Running shell = host.spawn(sh("sleep 600 >&- 2>&- & echo row").err(nr::Stdio::pipe()).drain(short_drain));
  EXPECT_EQ(shell.read_all(), "row\n");
  EXPECT_TRUE(shell.wait().holders.empty());
}

TEST_P(PipeHolders, TheirNumberIsBounded) {
  EngineFixture host;
  Running shell = host.spawn(sh("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 600 & done").drain(short_drain));
  const nr::Ended ended = shell.wait();
  EXPECT_EQ(ended.stragglers, 12U);
  EXPECT_EQ(ended.holders.size(), nr::Ended::holders_max);
}

// One look at each process answers all: one per command was quadratic, and made a shard of 400 deaf for nine seconds.
TEST(PipeHoldersCrowd, ManyCommandsThatEndTogetherDoNotMakeTheEngineDeaf) {
  EngineFixture host{{.shards = 1}};
  const std::size_t count = scaled(2000, 50);
  std::vector<Running> shells;
  for (std::size_t i = 0; i < count; ++i) {
    shells.push_back(host.spawn(sh("read go; sleep 600 & exit 0").in(nr::Stdio::pipe()).drain(short_drain)));
  }
  for (Running& shell : shells) shell.write("go\n");
  nr::Nanoseconds longest{0};
  for (std::uint64_t running = count; running > 0;) {
    const Stopwatch watch;
    running = host.get(host->stats()).running();
    longest = std::max(longest, watch.elapsed());
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_LT(longest, patience(1s));
  for (Running& shell : shells) {
    const nr::Ended ended = shell.wait();
    ASSERT_EQ(ended.holders.size(), 1U);
    EXPECT_EQ(ended.holders[0].name, "sleep");
  }
}

TEST(PipeHoldersOfRun, TheCommandLineSaysWho) {
  const CommandResult result =
      netrunner_command({"run", "--drain", "200ms", "--report", "-", "--", "sh", "-c", "sleep 600 & exit 0"});
  EXPECT_EQ(result.exit_status, 0) << result.err;
  EXPECT_NE(result.err.find("stdout was still held open by sleep (pid "), std::string::npos) << result.err;
  EXPECT_NE(result.out.find("\"holders\": [\n"), std::string::npos) << result.out;
  EXPECT_EQ(json_value(result.out.substr(result.out.find("\"holders\"")), "name"), "sleep") << result.out;
}

}  // namespace
}  // namespace tests
