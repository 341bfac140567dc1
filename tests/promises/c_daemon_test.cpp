/// The daemon in C says the same as in C++.

#include <algorithm>
#include <csignal>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <netrunner/daemon.h>
#include <string>
#include <vector>

#include "tests/support/c_handle.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

constexpr std::int64_t ms = 1'000'000, patient = 60'000 * ms;

class CDaemon : public testing::Test {
 protected:
  CDaemon() {
    nr_engine* opened = nullptr;
    EXPECT_EQ(nr_engine_open(nullptr, &opened, &error), NR_OK) << error.message;
    engine.reset(opened);
    options.backoff_first_ns = ms;
    options.backoff_max_ns = 2 * ms;
  }
  [[nodiscard]] Handle<nr_daemon> start(const char* script) {
    const Handle<nr_command> command(nr_command_shell(script));
    nr_command_stdio(command.get(), NR_IN, NR_STDIO_PIPE);
    nr_daemon* daemon = nullptr;
    EXPECT_EQ(nr_daemon_start(engine.get(), command.get(), &options, &daemon, &error), NR_OK) << error.message;
    return Handle<nr_daemon>(daemon);
  }
  [[nodiscard]] nr_daemon_status status(const Handle<nr_daemon>& daemon, std::uint32_t instance = 0) {
    nr_daemon_status now = NR_DAEMON_STATUS_INIT;
    EXPECT_EQ(nr_daemon_get_status(daemon.get(), instance, &now, &error), NR_OK) << error.message;
    return now;
  }

  Handle<nr_engine> engine;
  nr_error error = NR_ERROR_INIT;
  nr_daemon_options options = NR_DAEMON_OPTIONS_INIT;
};

TEST_F(CDaemon, IsReadyWrittenToSignalledRestartedAndStopped) {
  const TempFolder folder;
  const std::string log = folder / "log";
  options.ready = NR_READY_LINE;
  options.ready_line = "^ready$";
  options.log_path = log.c_str();
  const auto daemon = start("echo ready; while read line; do echo got $line; done");
  ASSERT_EQ(nr_daemon_ready(daemon.get(), patient, &error), NR_OK) << error.message;
  EXPECT_EQ(nr_daemon_write(daemon.get(), 0, "one\n", 4, &error), NR_OK) << error.message;
  EXPECT_TRUE(eventually([&] { return file_text(log) == "ready\ngot one\n"; }));
  EXPECT_EQ(nr_daemon_signal(daemon.get(), 0, SIGKILL, NR_LEADER, &error), NR_OK) << error.message;
  EXPECT_TRUE(eventually([&] { return status(daemon).restarts == 1; }));
  EXPECT_TRUE(status(daemon).has_ended);
  EXPECT_EQ(status(daemon).last_end.signal, SIGKILL);
  ASSERT_EQ(nr_daemon_ready(daemon.get(), patient, &error), NR_OK) << error.message;
  nr_daemon_restart(daemon.get());
  EXPECT_TRUE(eventually([&] { return status(daemon).restarts == 2; }));
  nr_daemon_reopen_log(daemon.get());
  EXPECT_EQ(nr_daemon_wait(daemon.get(), 0, &error), NR_TIMED_OUT);
  EXPECT_EQ(nr_daemon_stop(daemon.get(), "TERM:1s,KILL", &error), NR_OK) << error.message;
  EXPECT_EQ(nr_daemon_wait(daemon.get(), patient, &error), NR_OK) << error.message;
  EXPECT_EQ(status(daemon).state, NR_DAEMON_STOPPED);
  EXPECT_STREQ(nr_daemon_state_name(status(daemon).state), "stopped");
  EXPECT_EQ(nr_daemon_signal(daemon.get(), 0, SIGTERM, NR_LEADER, &error), NR_ALREADY_EXITED);
}

struct Lines {
  std::mutex mutex;
  std::vector<std::string> lines;
};

TEST_F(CDaemon, GivesItsLinesToACallbackAndUpAfterTooManyEnds) {
  Lines taken;
  options.burst_restarts = 2;
  options.instances = 2;
  options.context = &taken;
  options.on_line = [](const nr_daemon_line* line, void* context) {
    auto& into = *static_cast<Lines*>(context);
    const std::lock_guard guard(into.mutex);
    into.lines.emplace_back(line->text, line->bytes);
  };
  const auto daemon = start("echo instance {i}; exit 3");
  EXPECT_EQ(nr_daemon_wait(daemon.get(), patient, &error), NR_OK) << error.message;
  for (std::uint32_t i = 0; i < 2; ++i) {
    EXPECT_EQ(status(daemon, i).state, NR_DAEMON_FAILED);
    EXPECT_EQ(status(daemon, i).starts, 3U);
    EXPECT_STREQ(status(daemon, i).reason, "given up after 2 restarts within 1m; the last: exited 3");
    EXPECT_EQ(std::count(taken.lines.begin(), taken.lines.end(), "instance " + std::to_string(i)), 3);
  }
  EXPECT_EQ(nr_daemon_ready(daemon.get(), patient, &error), NR_ALREADY_EXITED);
  nr_daemon_status none = NR_DAEMON_STATUS_INIT;
  EXPECT_EQ(nr_daemon_get_status(daemon.get(), 2, &none, &error), NR_INVALID_ARGUMENT);
}

TEST_F(CDaemon, WrongOptionsAreRefused) {
  const Handle<nr_command> command(nr_command_new("true"));
  const auto refused = [&](auto change) {
    nr_daemon_options wrong = NR_DAEMON_OPTIONS_INIT;
    change(wrong);
    nr_daemon* daemon = nullptr;
    const nr_code code = nr_daemon_start(engine.get(), command.get(), &wrong, &daemon, &error);
    EXPECT_EQ(daemon, nullptr);
    return code == NR_INVALID_ARGUMENT;
  };
  EXPECT_TRUE(refused([](nr_daemon_options& wrong) { wrong.size = 0; }));
  EXPECT_TRUE(refused([](nr_daemon_options& wrong) { wrong.restart = static_cast<nr_restart>(3); }));
  EXPECT_TRUE(refused([](nr_daemon_options& wrong) { wrong.ready = NR_READY_LINE; }));
  EXPECT_TRUE(refused([](nr_daemon_options& wrong) { wrong.ready = NR_READY_PORT; }));
  EXPECT_TRUE(refused([](nr_daemon_options& wrong) { wrong.backoff_first_ns = 1; }));
}

}  // namespace
}  // namespace tests
