/// A stream of a running command can be handed to another owner, who may outlive the command's own handle.

#include <csignal>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/refusal.hpp"

namespace tests {
namespace {

nr::Reader reader_of(Running& command, nr::Stream stream = nr::Stream::out) {
  return value_of(nr::blocking::get(command.process().take(stream), verb_deadline()));
}
nr::Writer writer_of(Running& command) {
  return value_of(nr::blocking::get(command.process().take_input(), verb_deadline()));
}
std::string read_all(nr::Reader& reader) {
  std::string all;
  while (auto chunk = value_of(nr::blocking::get(reader.read(), verb_deadline()))) all += chunk->text();
  return all;
}

TEST(TakenStream, ItsReaderReadsInAnotherThread) {
  EngineFixture host;
  Running command = host.spawn(sh("for i in 1 2 3; do echo $i; done"));
  std::string read;
  std::thread owner([&read, reader = reader_of(command)]() mutable { read = read_all(reader); });
  EXPECT_TRUE(command.wait().success());
  owner.join();
  EXPECT_EQ(read, "1\n2\n3\n");
}

TEST(TakenStream, TheProcessCanUseItNoMore) {
  EngineFixture host;
  Running command = host.spawn(nr::Command("cat").in(nr::Stdio::pipe()));
  nr::Reader reader = reader_of(command);
  nr::Writer writer = writer_of(command);
  const auto read = nr::blocking::get(command.process().read(), verb_deadline());
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, nr::ErrorCode::stream_busy);
  EXPECT_TRUE(says(read.error(), "it was taken"));
  EXPECT_EQ(nr::blocking::get(command.process().write("x"), verb_deadline()).error().code, nr::ErrorCode::stream_busy);
  EXPECT_EQ(nr::blocking::get(command.process().close_input(), verb_deadline()).error().code,
            nr::ErrorCode::stream_busy);
  EXPECT_EQ(nr::blocking::get(command.process().take(), verb_deadline()).error().code, nr::ErrorCode::stream_busy);
  value_of(nr::blocking::get(writer.write("hello"), verb_deadline()));
  value_of(nr::blocking::get(writer.close(), verb_deadline()));
  EXPECT_EQ(read_all(reader), "hello");
  EXPECT_TRUE(command.wait().success());
}

TEST(TakenStream, TheOthersAreReadWhicheverHasBytesFirst) {
  EngineFixture host;
  Running command = host.spawn(sh("echo out; echo err >&2").err(nr::Stdio::pipe()));
  nr::Reader reader = reader_of(command);
  std::string rest;
  while (auto chunk = value_of(nr::blocking::get(command.process().read_any(), verb_deadline()))) {
    EXPECT_EQ(chunk->stream, nr::Stream::err);
    rest += chunk->chunk.text();
  }
  EXPECT_EQ(rest, "err\n");
  EXPECT_EQ(read_all(reader), "out\n");
}

TEST(TakenStream, OneThatIsNoPipeCantBeTaken) {
  EngineFixture host;
  Running command = host.spawn(sh("exit 0").err(nr::Stdio::null()));
  EXPECT_EQ(nr::blocking::get(command.process().take(nr::Stream::err), verb_deadline()).error().code,
            nr::ErrorCode::not_a_pipe);
  EXPECT_EQ(nr::blocking::get(command.process().take_input(), verb_deadline()).error().code,
            nr::ErrorCode::not_a_pipe);
}

TEST(TakenStream, ItOutlivesTheHandleOfItsCommand) {
  EngineFixture host;
  std::optional<nr::Reader> reader;
  pid_t pid = 0;
  {
    Running command = host.spawn(sh("trap 'echo after; exit' TERM; echo before; while :; do sleep 0.05; done")
                                     .ladder({{SIGTERM, nr::Target::leader, 60s}}));
    reader = reader_of(command);
    pid = command.pid();
    EXPECT_EQ(value_of(nr::blocking::get(reader->read(), verb_deadline()))->text(), "before\n");
  }
  EXPECT_EQ(read_all(*reader), "after\n") << "what it wrote when it was being stopped";
  EXPECT_TRUE(eventually([&] { return !is_running(pid); })) << "a dropped handle stops its command all the same";
}

TEST(TakenStream, ADetachedCommandKeepsIt) {
  EngineFixture host;
  Running command = host.spawn(nr::Command("cat").in(nr::Stdio::pipe()));
  nr::Writer writer = writer_of(command);
  nr::Reader reader = reader_of(command);
  const pid_t pid = command.pid();
  command.take().detach();
  value_of(nr::blocking::get(writer.write("still there"), verb_deadline()));
  { const nr::Writer gone = std::move(writer); }
  EXPECT_EQ(read_all(reader), "still there") << "a dropped writer is end of input";
  EXPECT_TRUE(eventually([&] { return !is_running(pid); }));
}

TEST(TakenStream, ADetachedCommandsStragglersAreHeardAsAnOwnedOnesAre) {
  for (const bool detached : {false, true}) {
    EngineFixture host;
    Running command = host.spawn(sh("(sleep 0.4; echo later) & echo now").stragglers(nr::Stragglers::leave).drain(
        {.idle = patience(10s), .max = patience(20s)}));
    nr::Reader reader = reader_of(command);
    if (detached) command.take().detach();
    EXPECT_EQ(read_all(reader), "now\nlater\n") << (detached ? "detached" : "owned");
  }
}

TEST(TakenStream, ADroppedReaderClosesThePipe) {
  EngineFixture host;
  Running command = host.spawn(nr::Command("yes"));
  { const nr::Reader reader = reader_of(command); }
  EXPECT_EQ(end_signal(command.wait()), SIGPIPE);
}

TEST(TakenStream, WaitingDoesNotEndAnInputThatSomebodyElseHas) {
  EngineFixture host;
  Running command = host.spawn(nr::Command("cat").in(nr::Stdio::pipe()));
  nr::Reader reader = reader_of(command);
  nr::Writer writer = writer_of(command);
  std::thread waiter([&] { EXPECT_TRUE(command.wait().success()); });
  EXPECT_TRUE(remains([&] { return is_running(command.pid()); }));
  value_of(nr::blocking::get(writer.write("late"), verb_deadline()));
  value_of(nr::blocking::get(writer.close(), verb_deadline()));
  EXPECT_EQ(read_all(reader), "late");
  waiter.join();
}

TEST(TakenStream, ItOutlivesItsEngineSafely) {
  std::optional<nr::Reader> reader;
  std::optional<nr::Writer> writer;
  {
    EngineFixture host;
    Running command = host.spawn(nr::Command("cat").in(nr::Stdio::pipe()));
    reader = reader_of(command);
    writer = writer_of(command);
  }
  EXPECT_FALSE(value_of(nr::blocking::get(reader->read(), verb_deadline())));
  EXPECT_EQ(nr::blocking::get(writer->write("x"), verb_deadline()).error().code, nr::ErrorCode::engine_closed);
}

TEST(TakenStream, NoByteIsLostOnTheWayToItsOwner) {
  EngineFixture host;
  Running command = host.spawn(nr::Command("head", "-c", "1000000", "/dev/zero"));
  std::size_t bytes = command.read(nr::Stream::out, 1000)->size();
  nr::Reader reader = reader_of(command);
  bytes += read_all(reader).size();
  EXPECT_EQ(bytes, 1'000'000U);
  EXPECT_EQ(command.wait().stream(nr::Stream::out)->bytes, 1'000'000U);
}

}  // namespace
}  // namespace tests
