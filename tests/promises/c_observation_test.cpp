/// Events, figures, log lines, lines of output and both streams in one order, in C.

#include <cstring>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <netrunner/netrunner.h>
#include <string>
#include <vector>

#include "tests/support/c_handle.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/openmetrics.hpp"
#include "tests/support/paths.hpp"

namespace tests {
namespace {

constexpr std::int64_t patient = 60'000'000'000;

class CObservation : public testing::Test {
 protected:
  CObservation() {
    nr_engine_options options = NR_ENGINE_OPTIONS_INIT;
    options.shards = 1;
    options.on_event = [](void* self, const nr_event* event) { static_cast<CObservation*>(self)->keep(*event); };
    options.on_event_data = this;
    options.log = [](void* self, nr_log_level level, const char* line) {
      auto& test = *static_cast<CObservation*>(self);
      const std::lock_guard guard(test.mutex_);
      test.log_ += std::string(nr_log_level_name(level)) + ": " + line + "\n";
    };
    options.log_data = this;
    options.log_least = NR_LOG_DEBUG;
    nr_engine* opened = nullptr;
    EXPECT_EQ(nr_engine_open(&options, &opened, &error), NR_OK) << error.message;
    engine.reset(opened);
  }

  void keep(const nr_event& event) {
    const std::lock_guard guard(mutex_);
    kinds_ += std::string(nr_event_kind_name(event.kind)) + " ";
    if (event.kind == NR_EVENT_START_FAILED) message_ = event.message;
    if (event.kind == NR_EVENT_STOP_COMMAND) message_ = event.message;
    if (event.kind == NR_EVENT_GONE) ended_code_ = event.ended->status.code;
    if (event.command != 0) program_ = event.program;
  }
  [[nodiscard]] std::string kinds() {
    const std::lock_guard guard(mutex_);
    return kinds_;
  }
  [[nodiscard]] std::string log() {
    const std::lock_guard guard(mutex_);
    return log_;
  }
  [[nodiscard]] Handle<nr_process> spawn(const Handle<nr_command>& command) {
    nr_process* process = nullptr;
    EXPECT_EQ(nr_spawn(engine.get(), command.get(), &process, &error), NR_OK) << error.message;
    return Handle<nr_process>(process);
  }
  /// The child that writes its arguments to stdout and stderr in turn.
  [[nodiscard]] static Handle<nr_command> take_turns(std::vector<const char*> texts) {
    Handle<nr_command> command(nr_command_new(child_path("take_turns").c_str()));
    texts.push_back(nullptr);
    nr_command_args(command.get(), texts.data());
    nr_command_stdio(command.get(), NR_ERR, NR_STDIO_PIPE);
    return command;
  }

  nr_error error = NR_ERROR_INIT;
  std::mutex mutex_;
  std::string kinds_, message_, program_, log_;
  int ended_code_ = -1;
  Handle<nr_engine> engine;  // Last: its threads use what is above.
};

TEST_F(CObservation, EventsAndLogLinesAreTold) {
  const Handle<nr_command> command(nr_command_shell("exit 3"));
  nr_completed* completed = nullptr;
  ASSERT_EQ(nr_run(engine.get(), command.get(), nullptr, &completed, &error), NR_OK) << error.message;
  nr_completed_free(completed);
  EXPECT_EQ(kinds(), "shepherd_started queued spawned exec exited drained gone ");
  EXPECT_EQ(ended_code_, 3);
  EXPECT_EQ(program_, "/bin/sh");
  EXPECT_NE(log().find("debug: command 1 (/bin/sh, pid "), std::string::npos) << log();
  const Handle<nr_command> missing(nr_command_new("/no/such/program"));
  nr_process* process = nullptr;
  EXPECT_EQ(nr_spawn(engine.get(), missing.get(), &process, &error), NR_NOT_FOUND);
  EXPECT_EQ(message_, error.message);
}

TEST_F(CObservation, AStopCommandIsTold) {
  const Handle<nr_command> command(nr_command_shell("trap 'exit 5' USR1; echo; while :; do sleep 0.05; done"));
  nr_command_ladder(command.get(), "exec(kill -USR1 $NETRUNNER_PID):60s");
  const Handle<nr_process> process = spawn(command);
  char byte = 0;
  std::size_t count = 0;
  ASSERT_EQ(nr_process_read(process.get(), NR_OUT, &byte, 1, patient, &count, &error), NR_OK) << error.message;
  ASSERT_EQ(nr_process_stop(process.get(), nullptr, &error), NR_OK);
  nr_ended ended = NR_ENDED_INIT;
  ASSERT_EQ(nr_process_wait(process.get(), patient, &ended, &error), NR_OK) << error.message;
  EXPECT_EQ(ended.status.code, 5);
  EXPECT_NE(kinds().find("stop stop_command exited"), std::string::npos) << kinds();
  EXPECT_EQ(message_, "/bin/sh");
}

TEST_F(CObservation, FiguresOfOneOfAllAndAsText) {
  const Handle<nr_command> command(nr_command_new("sleep"));
  nr_command_arg(command.get(), "1000");
  const Handle<nr_process> process = spawn(command);
  nr_command_stats stats = NR_COMMAND_STATS_INIT;
  ASSERT_EQ(nr_process_stats(process.get(), patient, &stats, &error), NR_OK) << error.message;
  EXPECT_EQ(stats.id, nr_process_id(process.get()));
  EXPECT_EQ(stats.pid, nr_process_pid(process.get()));
  EXPECT_STREQ(stats.program, "sleep");
  EXPECT_STREQ(nr_command_state_name(stats.state), "running");
  EXPECT_TRUE(stats.streams[NR_OUT].is_pipe);
  EXPECT_FALSE(stats.streams[NR_IN].is_pipe);
  EXPECT_GT(stats.usage.max_rss_kib, 0u);

  std::vector<nr_command_stats> list(4, NR_COMMAND_STATS_INIT);
  EXPECT_EQ(nr_engine_list(engine.get(), list.data(), list.size()), 1u);
  EXPECT_EQ(list[0].id, stats.id);
  EXPECT_EQ(nr_engine_list(engine.get(), nullptr, 0), 1u);

  std::string text(nr_engine_openmetrics(engine.get(), nullptr, 0) + 4096, '\0');
  text.resize(nr_engine_openmetrics(engine.get(), text.data(), text.size()));
  const Metrics metrics = parse_openmetrics(text);
  EXPECT_EQ(metrics.fault, "");
  EXPECT_EQ(metrics.sum("netrunner_commands_running"), 1);
}

TEST_F(CObservation, LinesOfBothStreamsInOrder) {
  const Handle<nr_process> process = spawn(take_turns({"a\n", "b\r\n", "c"}));
  const Handle<nr_lines> lines(nr_lines_new(process.get(), NR_ANY, 0));
  std::string all;
  for (nr_line line = NR_LINE_INIT;;) {
    ASSERT_EQ(nr_lines_next(lines.get(), patient, &line, &error), NR_OK) << error.message;
    if (line.text == nullptr) break;
    const std::string text(line.text, line.bytes);
    all += std::to_string(line.stream) + ":" + text + ":" + std::to_string(line.end) + " ";
  }
  EXPECT_EQ(all, "1:a:0 2:b:1 1:c:2 ");
}

TEST_F(CObservation, WhicheverStreamHasBytesFirst) {
  const Handle<nr_command> command = take_turns({"o1", "e1", "o2"});
  nr_command_keep_order(command.get());
  nr_command_chunk(command.get(), NR_OUT, 1);
  const Handle<nr_process> process = spawn(command);
  std::string all;
  for (;;) {
    char buffer[64];
    int stream = -1;
    std::size_t count = 0;
    ASSERT_EQ(nr_process_read_any(process.get(), &stream, buffer, sizeof buffer, patient, &count, &error), NR_OK);
    if (count == 0) break;
    all += std::string(buffer, count) + (stream == NR_OUT ? "|" : "! ");
  }
  EXPECT_EQ(all, "o|1|e1! o|2|") << "stdout in chunks of one byte";
}

TEST_F(CObservation, AStreamMayBeCarriedByASocket) {
  const Handle<nr_command> command(nr_command_new("/bin/sh"));
  nr_command_arg(command.get(), "-c");
  nr_command_arg(command.get(), "for n in 0 1 2; do stat -L -c %F /proc/self/fd/$n; done; cat");
  nr_command_input(command.get(), "known\n", 6);
  nr_command_transport(command.get(), NR_IN, NR_TRANSPORT_SOCKET);
  nr_command_transport(command.get(), NR_OUT, NR_TRANSPORT_SOCKET);
  nr_completed* completed = nullptr;
  ASSERT_EQ(nr_run(engine.get(), command.get(), nullptr, &completed, &error), NR_OK) << error.message;
  const Handle<nr_completed> owned(completed);
  const nr_captured out = nr_completed_captured(completed, NR_OUT);
  EXPECT_EQ(std::string(out.head, out.head_bytes), "socket\nsocket\nfifo\nknown\n");
}

TEST_F(CObservation, ACaptureKeepsTheOrderOfBothStreams) {
  nr_capture_limits limits = NR_CAPTURE_LIMITS_INIT;
  limits.interleaved = true;
  nr_completed* completed = nullptr;
  ASSERT_EQ(nr_run(engine.get(), take_turns({"a", "b", "c"}).get(), &limits, &completed, &error), NR_OK);
  const Handle<nr_completed> owned(completed);
  std::string all;
  EXPECT_EQ(nr_completed_piece(completed, nr_completed_pieces(completed)).bytes, 0U);
  for (std::size_t i = 0; i < nr_completed_pieces(completed); ++i) {
    const nr_piece piece = nr_completed_piece(completed, i);
    all += (piece.stream == NR_ERR ? "!" : "") + std::string(piece.text, piece.bytes);
  }
  EXPECT_EQ(all, "a!bc");
}

}  // namespace
}  // namespace tests
