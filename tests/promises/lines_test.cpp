/// Output by lines, both streams in one order, chunks of a given size: against real commands.

#include <atomic>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/progress.hpp"

namespace tests {
namespace {

/// "out:text" of each line, with "+" where it is cut, "*" where it continues, "-" where it has no end.
std::string shown(const nr::Line& line) {
  std::string text = line.stream == nr::Stream::err ? "err:" : "out:";
  if (line.continues) text += "*";
  text += line.text;
  if (line.end == nr::LineEnd::cut) text += "+";
  if (line.end == nr::LineEnd::none) text += "-";
  return text + " ";
}

std::string all_lines(nr::LineReader lines) {
  std::string all;
  for (;;) {
    const auto line = value_of(nr::blocking::next(lines, verb_deadline()));
    if (!line) return all;
    all += shown(*line);
  }
}

TEST(Lines, AreSplitWhereverTheirBytesWereRead) {
  EngineFixture host;
  Running command = host.spawn(sh("printf 'on'; sleep 0.05; printf 'e\\ntwo\\r'; sleep 0.05; printf '\\n\\nlast'"));
  EXPECT_EQ(all_lines(nr::LineReader(command.process())), "out:one out:two out: out:last- ");
  EXPECT_TRUE(command.wait().success());
}

TEST(Lines, AHundredThousandComeAsTheyWere) {
  EngineFixture host;
  Running command = host.spawn(nr::Command("seq", "1", "100000"));
  nr::LineReader lines(command.process());
  int expected = 0;
  for (;;) {
    const auto line = value_of(nr::blocking::next(lines, verb_deadline()));
    if (!line) break;
    ASSERT_EQ(line->text, std::to_string(++expected));
    ASSERT_TRUE(line->whole());
  }
  EXPECT_EQ(expected, 100'000);
}

TEST(Lines, AnOverlongOneComesInFlaggedPiecesAndIsNoError) {
  EngineFixture host;
  Running command = host.spawn(sh("head -c 1000000 /dev/zero | tr '\\0' x; echo; echo short"));
  nr::LineReader lines(command.process(), nr::Stream::out, 4096);
  std::size_t bytes = 0, pieces = 0;
  for (;;) {
    const auto line = value_of(nr::blocking::next(lines, verb_deadline()));
    ASSERT_TRUE(line.has_value());
    ASSERT_LE(line->text.size(), 4096u);
    ASSERT_EQ(line->continues, pieces > 0);
    bytes += line->text.size();
    ++pieces;
    if (line->end == nr::LineEnd::newline) break;
    ASSERT_EQ(line->end, nr::LineEnd::cut);
  }
  EXPECT_EQ(bytes, 1'000'000u);
  EXPECT_EQ(pieces, 245u);
  EXPECT_EQ(value_of(nr::blocking::next(lines, verb_deadline()))->text, "short");
}

nr::Task<nr::Result<std::vector<std::string>>> lines_of(nr::Engine& engine, nr::Command command) {
  NR_CO_TRY(process, co_await engine.spawn(command));
  nr::LineReader lines(process);
  std::vector<std::string> all;
  for (;;) {
    NR_CO_TRY(line, co_await lines.next());
    if (!line) co_return all;
    all.emplace_back(line->text);
  }
}

TEST(Lines, MayBeAwaited) {
  EngineFixture host;
  const auto lines = value_of(host.get(lines_of(*host, sh("echo a; sleep 0.05; echo b; printf c"))));
  EXPECT_EQ(lines, (std::vector<std::string>{"a", "b", "c"}));
}

TEST(Lines, ATimeoutLosesNothing) {
  EngineFixture host;
  Running command = host.spawn(sh("printf 'half'; read go; echo ' and half'").in(nr::Stdio::pipe()));
  nr::LineReader lines(command.process());
  const auto early = nr::blocking::next(lines, nr::Deadline::after(50ms));
  ASSERT_FALSE(early.has_value());
  EXPECT_EQ(early.error().code, nr::ErrorCode::timed_out);
  command.write("go\n");
  EXPECT_EQ(value_of(nr::blocking::next(lines, verb_deadline()))->text, "half and half");
}

TEST(Lines, AStreamThatCannotBeReadIsAnError) {
  EngineFixture host;
  Running command = host.spawn(nr::Command("true").out(nr::Stdio::null()));
  nr::LineReader lines(command.process());
  const auto line = nr::blocking::next(lines, verb_deadline());
  ASSERT_FALSE(line.has_value());
  EXPECT_EQ(line.error().code, nr::ErrorCode::not_a_pipe);
}

TEST(Lines, WhoTakesNoneHoldsTheCommandUp) {
  EngineFixture host(nr::EngineOptions{.shards = 1, .pipe_bytes = 64 * KiB});
  Progress progress;
  Running flood = host.spawn(child("flood", progress.path()).out(nr::Stdio::pipe().window(8 * KiB)));
  nr::LineReader lines(flood.process(), nr::Stream::out, 100);
  EXPECT_TRUE(value_of(nr::blocking::next(lines, verb_deadline())).has_value());
  EXPECT_TRUE(eventually([&] { return progress.waited() > 0; }));
  EXPECT_TRUE(remains([&] { return progress.bytes() <= 64 * KiB + 2 * 8 * KiB; }));
}

TEST(Lines, OfBothStreamsComeInOneOrderAndAreToldApart) {
  EngineFixture host;
  Running command = host.spawn(child("take_turns", "1\n", "2\n", "3\n", "4").err(nr::Stdio::pipe()).keep_order());
  EXPECT_EQ(all_lines(nr::LineReader::of_all(command.process())), "out:1 err:2 out:3 err:4- ");
}

TEST(ReadAny, GivesWhicheverStreamHasDataFirst) {
  EngineFixture host;
  Running command = host.spawn(sh("echo err >&2; read go; echo out").in(nr::Stdio::pipe()).err(nr::Stdio::pipe()));
  const auto next = [&] { return value_of(nr::blocking::get(command.process().read_any(), verb_deadline())); };
  auto piece = next();
  ASSERT_TRUE(piece.has_value());
  EXPECT_EQ(piece->stream, nr::Stream::err);
  EXPECT_EQ(piece->chunk.text(), "err\n");
  command.write("go\n");
  piece = next();
  ASSERT_TRUE(piece.has_value());
  EXPECT_EQ(piece->stream, nr::Stream::out);
  EXPECT_EQ(piece->chunk.text(), "out\n");
  EXPECT_FALSE(next().has_value()) << "all streams have ended";
  EXPECT_TRUE(command.wait().success());
}

/// Nobody reads before the last byte has come: only what was kept tells the order.
TEST(ReadAny, KeepsTheOrderOfWhatWaitsWhereThatWasAskedFor) {
  EngineFixture host;
  const auto order_of = [&](const nr::Command& command) {
    Running running = host.spawn(command);
    EXPECT_TRUE(eventually([&] { return running.held_bytes() == 6 && running.held_bytes(nr::Stream::err) == 6; }));
    std::string order;
    for (;;) {
      const auto piece = value_of(nr::blocking::get(running.process().read_any(), verb_deadline()));
      if (!piece) return order;
      order += piece->chunk.text();
    }
  };
  const nr::Command command = child("take_turns", "o1", "e1", "o2", "e2", "o3", "e3").err(nr::Stdio::pipe());
  EXPECT_EQ(order_of(command.keep_order()), "o1e1o2e2o3e3");
  EXPECT_EQ(order_of(command), "o1o2o3e1e2e3") << "without, few buffers are used";
}

TEST(ReadAny, IsTheOnlyReader) {
  EngineFixture host;
  Running command = host.spawn(nr::Command("sleep", "1000").err(nr::Stdio::pipe()));
  const auto is_busy = [](const auto& read) { return !read && read.error().code == nr::ErrorCode::stream_busy; };
  std::atomic<bool> ended = false;
  std::thread any([&] {
    for (;;) {
      const auto read = nr::blocking::get(command.process().read_any(), verb_deadline());
      if (is_busy(read)) continue;  // The other one was first, for a moment.
      ended = read.has_value() && !read->has_value();
      return;
    }
  });
  EXPECT_TRUE(eventually([&] {
    return is_busy(nr::blocking::get(command.process().read(nr::Stream::err), nr::Deadline::after(20ms)));
  }));
  command.process().kill();
  any.join();
  EXPECT_TRUE(ended) << "the refusal of the other did not touch it";
}

TEST(ReadAny, NeedsAPipe) {
  EngineFixture host;
  Running command = host.spawn(nr::Command("true").out(nr::Stdio::null()));
  const auto read = nr::blocking::get(command.process().read_any(), verb_deadline());
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, nr::ErrorCode::not_a_pipe);
}

TEST(ChunkSize, IsBoundedPerStream) {
  EngineFixture host;
  Running command = host.spawn(nr::Command("head", "-c", "100000", "/dev/zero").out(nr::Stdio::pipe().chunk(1000)));
  std::size_t bytes = 0;
  while (const auto chunk = command.read()) {
    EXPECT_LE(chunk->size(), 1000u);
    bytes += chunk->size();
  }
  EXPECT_EQ(bytes, 100'000u);
  const nr::Ended ended = command.wait();
  EXPECT_GE(ended.stream(nr::Stream::out)->operations, 100u) << "read in pieces, not cut up by copying";
}

std::string interleaved(const nr::Completed& completed) {
  std::string all;
  for (const nr::CapturedPiece& piece : completed.interleaved()) {
    all += piece.stream == nr::Stream::err ? "[" + std::string(piece.text) + "]" : std::string(piece.text);
  }
  return all;
}

constexpr nr::CaptureLimits in_order = {.order = nr::CaptureOrder::interleaved};

TEST(Interleaved, ACaptureKeepsOneOrderOfBothStreams) {
  EngineFixture host;
  const nr::Completed completed = host.run(child("take_turns", "a", "b", "cd", "e"), in_order);
  EXPECT_EQ(interleaved(completed), "a[b]cd[e]");
  EXPECT_EQ(completed.out.head, "acd");
  EXPECT_EQ(completed.err.head, "be");
  EXPECT_TRUE(completed.success());
}

TEST(Interleaved, IsBoundedAsTheHeadsAre) {
  EngineFixture host;
  const nr::Completed completed = host.run(sh("head -c 100000 /dev/zero; head -c 100000 /dev/zero >&2; echo end"),
                                           {.head_bytes = 1000, .tail_bytes = 100, .order = in_order.order});
  std::size_t bytes = 0;
  for (const nr::CapturedPiece& piece : completed.interleaved()) bytes += piece.text.size();
  EXPECT_EQ(bytes, 2000u);
  EXPECT_EQ(completed.out.total_bytes, 100'004u);
  EXPECT_EQ(completed.err.total_bytes, 100'000u);
  EXPECT_EQ(completed.out.tail.substr(96), "end\n");
}

TEST(Interleaved, WithoutTheWishNoOrderIsKept) {
  EngineFixture host;
  EXPECT_TRUE(host.run(sh("echo out; echo err >&2")).interleaved().empty());
}

}  // namespace
}  // namespace tests
