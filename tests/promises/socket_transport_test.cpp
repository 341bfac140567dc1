/// A stream over a socket instead of a pipe: what is the same is shown by the suites that run over each transport;
/// here is what the command sees of it, and what only a socket could lose.

#include <gtest/gtest.h>
#include <string>

#include "tests/support/child.hpp"
#include "tests/support/command_line.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/pattern.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/transports.hpp"

namespace tests {
namespace {

nr::Stdio socket() { return nr::Stdio::pipe().transport(nr::Transport::socket); }

class SocketTransport : public testing::Test {
 private:
  UsedTransport used_{nr::Transport::socket};
};

TEST_F(SocketTransport, TheCommandHasSocketsWhichCantBeOpenedByName) {
  EngineFixture host;
  const nr::Completed kinds = host.run(sh("for n in 0 1 2; do stat -L -c %F /proc/self/fd/$n; done").input("x"));
  EXPECT_EQ(kinds.out.head, "socket\nsocket\nsocket\n");
  const nr::Completed opened = host.run(sh("echo lost >/dev/stdout"));
  EXPECT_FALSE(opened.success());
  EXPECT_NE(opened.err.head.find("No such device or address"), std::string::npos) << opened.err.head;
}

TEST_F(SocketTransport, EachIsForItsOwnStreamAlone) {
  EngineFixture host;
  Running mixed = host.spawn(sh("stat -L -c %F /proc/self/fd/0; stat -L -c %F /proc/self/fd/1; cat")
                                 .in(nr::Stdio::pipe())
                                 .err(nr::Stdio::null()));
  mixed.write("in\n");
  mixed.close_input();
  EXPECT_EQ(mixed.read_all(), "socket\nsocket\nin\n");
}

TEST_F(SocketTransport, ACommandThatReadsItsStdoutMeetsEndOfFile) {
  EngineFixture host;
  EXPECT_EQ(host.run(python("import os; print(os.read(1, 10), os.read(2, 10))")).out.head, "b'' b''\n");
}

TEST_F(SocketTransport, WhatACommandWritesToItsStdinHarmsNothing) {
  EngineFixture host;
  Running mixed = host.spawn(python("import os,time\n"
                                    "os.write(0, b'x' * 50000)\n"
                                    "print('written', flush=True)\n"
                                    "while text := os.read(0, 1000): os.write(1, text)")
                                 .in(nr::Stdio::pipe()));
  EXPECT_EQ(mixed.read_exactly(8), "written\n");
  mixed.write("all of it");
  mixed.close_input();
  EXPECT_EQ(mixed.read_all(), "all of it");
  EXPECT_TRUE(mixed.wait().success()) << "it came to the end of its input";
}

/// A writing end that is shut for reading is always ready to io_uring's poll: the write would be tried again and again,
/// then by a worker of the kernel's.
TEST_F(SocketTransport, AWriteForWhichThereIsNoRoomWaitsInTheRing) {
  EngineFixture host({.shards = 1});
  Running deaf = host.spawn(child("deaf").in(nr::Stdio::pipe()));
  EXPECT_EQ(deaf.read_exactly(5), "deaf\n");
  const std::size_t threads = own_threads();
  const std::string much(2'000'000, 'i');
  const auto written = nr::blocking::get(deaf.process().write(much), nr::Deadline::after(200ms));
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, nr::ErrorCode::timed_out);
  EXPECT_EQ(own_threads(), threads);
}

/// The kernel makes ECONNRESET of what was not read at a socket's end; a pipe knows no such thing.
TEST_F(SocketTransport, ACommandThatDiesWithUnreadInputLosesNoOutput) {
  EngineFixture host;
  std::string expected;
  for (int n = 1; n <= 5000; ++n) expected += std::to_string(n) + "\n";
  for (std::size_t round = 0; round < scaled(200, 10); ++round) {
    const nr::Completed completed = host.run(sh("seq 1 5000; kill -9 $$").input(std::string(1'000'000, 'i')));
    ASSERT_TRUE(completed.out.head == expected) << "round " << round << ": " << completed.out.total_bytes;
    EXPECT_EQ(end_signal(completed.ended), SIGKILL);
    ASSERT_NE(completed.ended.stream(nr::Stream::out), nullptr);
    EXPECT_EQ(completed.ended.stream(nr::Stream::out)->end, nr::StreamEnd::file_end);
  }
}

TEST_F(SocketTransport, AnOutputThatTheHostClosesIsABrokenPipeAndNeverAReset) {
  EngineFixture host;
  for (const char* block : {"4096", "65536"}) {
    for (std::size_t round = 0; round < scaled(50, 5); ++round) {
      Running writer = host.spawn(python("import os,sys\n"  // Python ignores SIGPIPE.
                                         "try:\n"
                                         " while True: os.write(1, bytes(" + std::string(block) + "))\n"
                                         "except OSError as e: sys.stderr.write(e.strerror)")
                                      .out(nr::Stdio::pipe().window(4 * KiB))
                                      .err(nr::Stdio::pipe()));
      const auto stands_still = [&] { return writer.held_bytes() == 4 * KiB; };
      if (round % 2 == 0) {
        EXPECT_TRUE(eventually(stands_still));
      }
      writer.close_output();
      ASSERT_EQ(writer.read_all(nr::Stream::err), "Broken pipe") << block << " round " << round;
    }
  }
}

TEST_F(SocketTransport, ACommandThatWritesToAClosedOutputIsEndedBySigpipe) {
  EngineFixture host;
  Running writer = host.spawn(sh("read x; echo more; echo still here >&2; exit 3")
                                  .in(nr::Stdio::pipe())
                                  .err(nr::Stdio::pipe()));
  writer.close_output();
  writer.write("go\n");
  EXPECT_EQ(writer.read_all(nr::Stream::err), "");
  EXPECT_EQ(end_signal(writer.wait()), SIGPIPE);
}

TEST_F(SocketTransport, FiftyMegabytesComeBackThroughCat) {
  EngineFixture host;
  const std::string input = pattern(scaled(50'000'000, 5'000'000));
  const nr::Completed completed = host.run(nr::Command("cat").input(input), {.head_bytes = input.size()});
  EXPECT_TRUE(completed.success());
  EXPECT_TRUE(completed.out.head == input) << completed.out.total_bytes;
}

TEST_F(SocketTransport, ADescriptorThatTheCommandSendsIsNotReceived) {
  EngineFixture host;
  Running sender = host.spawn(python("import socket\n"
                                     "s=socket.socket(fileno=1)\n"
                                     "for n in range(100): socket.send_fds(s, [b'row\\n'], [0, 2])\n"
                                     "s.detach()"));
  std::string expected;
  for (int n = 0; n < 100; ++n) expected += "row\n";
  EXPECT_EQ(sender.read_all(), expected);
  EXPECT_TRUE(sender.wait().success());
}  // The leak check counts this host's descriptors.

TEST_F(SocketTransport, ItsBufferIsWhatWasAskedForAndNeverSmall) {
  EngineFixture host;
  const auto buffer_of = [&](const nr::Stdio& out) {
    const nr::Completed completed = host.run(
        python("import socket\ns=socket.socket(fileno=1)\nprint(s.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF), "
               "flush=True)\ns.detach()")
            .out(out));
    return std::stoul(completed.out.head);
  };
  EXPECT_GE(buffer_of(nr::Stdio::pipe()), 208 * KiB);
  EXPECT_GE(buffer_of(nr::Stdio::pipe().pipe_size(4096)), 208 * KiB);
  EXPECT_GE(buffer_of(nr::Stdio::pipe().pipe_size(400 * KiB)), 400 * KiB) << "wmem_max is 208 KiB, doubled, at least";
}

TEST(SocketTransportAsked, OfAFileItIsRefused) {
  EngineFixture host({.shards = 1});
  const nr::Command command = nr::Command("true").out(nr::Stdio::null().transport(nr::Transport::socket));
  const auto started = nr::blocking::get(host->spawn(command), verb_deadline());
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().code, nr::ErrorCode::invalid_argument);
  EXPECT_NE(started.error().message().find("stdout"), std::string::npos) << started.error().message();
}

TEST(SocketTransportAsked, OneStreamMayHaveItAndTheOthersPipes) {
  EngineFixture host({.shards = 1});
  const nr::Command command = sh("for n in 0 1 2 3; do stat -L -c %F /proc/self/fd/$n; done")
                                  .in(nr::Stdio::bytes("x"))
                                  .out(socket())
                                  .extra({3, nr::Direction::from_command, socket()});
  EXPECT_EQ(host.run(command).out.head, "fifo\nsocket\nfifo\nsocket\n");
}

TEST(SocketTransportAsked, OnTheCommandLine) {
  const std::string script = "stat -L -c %F /proc/self/fd/1; seq 1 100000";
  const CommandResult result = netrunner_command({"run", "--streams", "socket", "--", "sh", "-c", script});
  EXPECT_EQ(result.exit_status, 0) << result.err;
  EXPECT_EQ(result.out.substr(0, 9), "socket\n1\n");
  EXPECT_EQ(result.out.size(), 7 + 588'895u);
}

}  // namespace
}  // namespace tests
