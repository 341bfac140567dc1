/// The C interface says the same as the C++ one: results, errors, time limits, ownership, structs of other versions.
/// (That the header is C is seen by tools/examples/c_first.c, which a C compiler reads.)

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <memory>
#include <netrunner/netrunner.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include "tests/support/bystander.hpp"
#include "tests/support/c_handle.hpp"
#include "tests/support/command_line.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

constexpr std::int64_t ms = 1'000'000, second = 1000 * ms, patient = 60 * second;

nr_engine* open_engine() {
  nr_engine_options options = NR_ENGINE_OPTIONS_INIT;
  options.shards = 2;
  nr_error error = NR_ERROR_INIT;
  nr_engine* engine = nullptr;
  EXPECT_EQ(nr_engine_open(&options, &engine, &error), NR_OK) << error.message;
  return engine;
}

class CInterface : public testing::Test {
 protected:
  Handle<nr_engine> engine{open_engine()};
  nr_error error = NR_ERROR_INIT;

  [[nodiscard]] static Handle<nr_command> shell(const std::string& script) {
    return Handle<nr_command>(nr_command_shell(script.c_str()));
  }
  [[nodiscard]] static Handle<nr_command> program(const std::string& name) {
    return Handle<nr_command>(nr_command_new(name.c_str()));
  }
  [[nodiscard]] static Handle<nr_command> with_stdin(Handle<nr_command> command) {
    nr_command_stdio(command.get(), NR_IN, NR_STDIO_PIPE);
    return command;
  }
  [[nodiscard]] Handle<nr_completed> run(const Handle<nr_command>& command, const nr_capture_limits* limits = nullptr) {
    nr_completed* completed = nullptr;
    EXPECT_EQ(nr_run(engine.get(), command.get(), limits, &completed, &error), NR_OK) << error.message;
    return Handle<nr_completed>(completed);
  }
  /// What the start of it is refused with.
  [[nodiscard]] nr_code refusal(const Handle<nr_command>& command) {
    error = NR_ERROR_INIT;
    nr_process* process = nullptr;
    const nr_code code = nr_spawn(engine.get(), command.get(), &process, &error);
    EXPECT_EQ(process, nullptr);
    nr_process_free(process);
    EXPECT_EQ(error.code, code);
    nr_completed* completed = nullptr;
    EXPECT_EQ(nr_run(engine.get(), command.get(), nullptr, &completed, nullptr), code) << "nr_run refuses it too";
    EXPECT_EQ(completed, nullptr);
    return code;
  }
  [[nodiscard]] Handle<nr_process> spawn(const Handle<nr_command>& command) {
    nr_process* process = nullptr;
    EXPECT_EQ(nr_spawn(engine.get(), command.get(), &process, &error), NR_OK) << error.message;
    return Handle<nr_process>(process);
  }
  [[nodiscard]] nr_ended wait(const Handle<nr_process>& process) {
    nr_ended ended = NR_ENDED_INIT;
    EXPECT_EQ(nr_process_wait(process.get(), patient, &ended, &error), NR_OK) << error.message;
    return ended;
  }
  [[nodiscard]] std::string read_all(const Handle<nr_process>& process, int stream = NR_OUT) {
    std::string all;
    char buffer[4096];
    for (std::size_t count = 1; count != 0;) {
      EXPECT_EQ(nr_process_read(process.get(), stream, buffer, sizeof buffer, patient, &count, &error), NR_OK)
          << error.message;
      all.append(buffer, count);
    }
    return all;
  }
  [[nodiscard]] static std::string out(const Handle<nr_completed>& completed, int stream = NR_OUT) {
    const nr_captured kept = nr_completed_captured(completed.get(), stream);
    return {kept.head, kept.head_bytes};
  }
};

TEST_F(CInterface, RunGivesTheOutputAndTheEnd) {
  const auto completed = run(shell("echo out; echo err >&2; exit 3"));
  EXPECT_EQ(out(completed), "out\n");
  EXPECT_EQ(out(completed, NR_ERR), "err\n");
  const nr_ended* ended = nr_completed_ended(completed.get());
  EXPECT_EQ(ended->status.kind, NR_EXITED);
  EXPECT_EQ(ended->status.code, 3);
  EXPECT_EQ(ended->reason, NR_REASON_EXITED);
  EXPECT_FALSE(nr_ended_success(ended));
  EXPECT_GT(ended->pid, 1);
  EXPECT_GT(ended->usage.max_rss_kib, 0u);
  EXPECT_TRUE(ended->tree_empty);
  EXPECT_EQ(ended->streams[NR_IN].end, NR_END_NONE);
  EXPECT_EQ(ended->streams[NR_OUT].end, NR_END_FILE);
  EXPECT_EQ(ended->streams[NR_OUT].bytes, 4u);
  const nr_timeline& time = ended->timeline;
  EXPECT_TRUE(std::ranges::is_sorted(std::vector{time.queued_ns, time.spawned_ns, time.exec_ns, time.exited_ns}));
  EXPECT_GT(time.first_byte_ns, 0);
  EXPECT_GT(time.queued_ns, 0);
}

TEST_F(CInterface, TheWordsAreThoseOfCpp) {
  EXPECT_STREQ(nr_code_name(NR_OK), "ok");
  for (int i = NR_OK + 1; i <= NR_SYSTEM; ++i) {
    EXPECT_EQ(nr_code_name(static_cast<nr_code>(i)), nr::name_of(static_cast<nr::ErrorCode>(i - 1)));
  }
  for (int i = 0; i <= NR_STAGE_EXEC; ++i) {
    EXPECT_EQ(nr_stage_name(static_cast<nr_stage>(i)), nr::name_of(static_cast<nr::Stage>(i)));
  }
  EXPECT_STREQ(nr_code_name(NR_TIMED_OUT), "timed_out");
  EXPECT_STREQ(nr_code_name(NR_BROKEN_PIPE), "broken_pipe");
  EXPECT_STREQ(nr_stage_name(NR_STAGE_CWD), "cwd");
  EXPECT_STREQ(nr_stage_name(NR_STAGE_UID), "uid");
  EXPECT_STREQ(nr_end_reason_name(NR_REASON_OUTPUT_LIMIT), "output_limit");
  EXPECT_STREQ(nr_stream_end_name(NR_END_TRUNCATED), "truncated");
  EXPECT_STREQ(nr_containment_name(NR_CONTAINMENT_SUBREAPER), "subreaper");
  EXPECT_STREQ(nr_code_name(static_cast<nr_code>(NR_SYSTEM + 1)), "?");
  EXPECT_STREQ(nr_version(), NR_VERSION);
  EXPECT_NE(netrunner_command({"version"}).out.find(NR_VERSION), std::string::npos);
}

TEST_F(CInterface, AFailedStartNamesCodeStageErrnoAndWhatToDo) {
  EXPECT_EQ(refusal(program("no-such-program")), NR_NOT_FOUND);
  EXPECT_EQ(error.stage, NR_STAGE_EXEC);
  EXPECT_EQ(error.sys_errno, ENOENT);
  EXPECT_NE(std::string(error.message).find("no-such-program"), std::string::npos);
  const auto elsewhere = program("true");
  nr_command_cwd(elsewhere.get(), "/no/such/folder");
  EXPECT_EQ(refusal(elsewhere), NR_NOT_FOUND);
  EXPECT_EQ(error.stage, NR_STAGE_CWD);
}

TEST_F(CInterface, ALongMessageIsCutAndStillAString) {
  EXPECT_EQ(refusal(program("/" + std::string(3000, 'x'))), NR_SYSTEM);
  EXPECT_EQ(error.sys_errno, ENAMETOOLONG);
  EXPECT_EQ(std::strlen(error.message), std::size_t{NR_MESSAGE_BYTES} - 1);
}

TEST_F(CInterface, WhatASetterCannotReadIsTheErrorOfTheStart) {
  const auto expect_invalid = [&](auto&& set, const std::string& part) {
    const auto command = program("true");
    set(command.get());
    EXPECT_EQ(refusal(command), NR_INVALID_ARGUMENT) << part;
    EXPECT_NE(std::string(error.message).find(part), std::string::npos) << error.message;
  };
  expect_invalid([](nr_command* c) { nr_command_ladder(c, "TERM:soon"); }, "soon");
  expect_invalid([](nr_command* c) { nr_command_ladder(c, "exec(true)"); }, "pause");
  expect_invalid([](nr_command* c) { nr_command_deadline(c, -2); }, "deadline");
  expect_invalid([](nr_command* c) { nr_command_idle_limit(c, INT64_MIN); }, "idle_limit");
  expect_invalid([](nr_command* c) { nr_command_drain(c, 1, -5); }, "drain");
  expect_invalid([](nr_command* c) { nr_command_stdio(c, 3, NR_STDIO_PIPE); }, "stream 3");
  expect_invalid([](nr_command* c) { nr_command_stdio(c, NR_IN, static_cast<nr_stdio>(7)); }, "nr_stdio 7");
  expect_invalid([](nr_command* c) { nr_command_grouping(c, static_cast<nr_grouping>(3), 0); }, "nr_grouping 3");
  expect_invalid([](nr_command* c) { nr_command_extra(c, 2, NR_FROM_COMMAND, -1); }, "descriptor 2");
  expect_invalid([](nr_command* c) { nr_command_env(c, "A=B", "c"); }, "A=B");
  expect_invalid([](nr_command* c) { nr_command_env(c, nullptr, nullptr); }, "name is empty");
  expect_invalid([](nr_command* c) { nr_command_descriptor(c, NR_OUT, 987654); }, "987654");
  const auto stranger = program("true");
  nr_command_user(stranger.get(), "no-such-user");
  EXPECT_EQ(refusal(stranger), NR_NOT_FOUND);
  EXPECT_EQ(refusal(Handle<nr_command>(nr_command_new(nullptr))), NR_INVALID_ARGUMENT);
  EXPECT_EQ(refusal(Handle<nr_command>(nr_command_from_argv(nullptr))), NR_INVALID_ARGUMENT);
}

TEST_F(CInterface, TheFirstComplaintOfASetterIsKeptAndCopied) {
  const auto command = program("true");
  nr_command_ladder(command.get(), "FIRST");
  nr_command_ladder(command.get(), "SECOND");
  nr_command_ladder(command.get(), "TERM");
  const Handle<nr_command> copy(nr_command_copy(command.get()));
  EXPECT_EQ(refusal(copy), NR_INVALID_ARGUMENT);
  EXPECT_NE(std::string(error.message).find("FIRST"), std::string::npos) << error.message;
}

TEST_F(CInterface, ACopyGoesItsOwnWay) {
  const auto command = program("echo");
  nr_command_arg(command.get(), "a");
  const Handle<nr_command> copy(nr_command_copy(command.get()));
  nr_command_arg(copy.get(), "b");
  EXPECT_EQ(out(run(command)), "a\n");
  EXPECT_EQ(out(run(copy)), "a b\n");
  EXPECT_EQ(out(run(command)), "a\n") << "and may be run again";
}

TEST_F(CInterface, ArgumentsEnvironmentDirectoryAndUmask) {
  const char* const argv[] = {"/bin/sh", "-c", "echo $0 $1 $2 $A $B $HOME; pwd; umask", nullptr};
  const char* const more[] = {"one", "two words", nullptr};
  const Handle<nr_command> command(nr_command_from_argv(argv));
  nr_command_arg(command.get(), "zero");
  nr_command_args(command.get(), more);
  nr_command_clear_env(command.get());
  nr_command_env(command.get(), "A", "a");
  nr_command_env(command.get(), "B", "b");
  nr_command_unset_env(command.get(), "B");
  nr_command_cwd(command.get(), "/usr");
  nr_command_umask(command.get(), 027);
  EXPECT_EQ(out(run(command)), "zero one two words a\n/usr\n0027\n");
}

TEST_F(CInterface, FilesDescriptorsMergesAndExtras) {
  const TempFolder folder;
  const auto command = shell("echo out; echo err >&2; echo three >&3; cat <&4");
  nr_command_file(command.get(), NR_OUT, (folder / "out").c_str(), NR_FILE_TRUNCATE, 0600);
  nr_command_stdio(command.get(), NR_ERR, NR_STDIO_MERGE);
  nr_command_extra(command.get(), 3, NR_FROM_COMMAND, -1);
  const int input = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
  nr_command_extra(command.get(), 4, NR_TO_COMMAND, input);
  const auto process = spawn(command);
  close(input);  // Borrowed until nr_spawn only.
  EXPECT_EQ(read_all(process, 3), "three\n");
  const nr_ended ended = wait(process);
  EXPECT_TRUE(nr_ended_success(&ended));
  EXPECT_EQ(file_text(folder / "out").substr(0, 8), "out\nerr\n");
  EXPECT_GT(file_text(folder / "out").size(), 8u) << "what descriptor 4 gave";
  char byte = 0;
  std::size_t count = 0;
  EXPECT_EQ(nr_process_read(process.get(), NR_OUT, &byte, 1, patient, &count, &error), NR_NOT_A_PIPE);
}

TEST_F(CInterface, AReadThatTimesOutLosesNothing) {
  const auto process = spawn(with_stdin(program("cat")));
  char buffer[16];
  std::size_t count = 99;
  EXPECT_EQ(nr_process_read(process.get(), NR_OUT, buffer, sizeof buffer, 0, &count, &error), NR_TIMED_OUT);
  EXPECT_EQ(count, 0u);
  EXPECT_EQ(nr_process_read(process.get(), NR_OUT, buffer, sizeof buffer, 20 * ms, &count, &error), NR_TIMED_OUT);
  ASSERT_EQ(nr_process_write(process.get(), NR_IN, "hello", 5, patient, &count, &error), NR_OK);
  EXPECT_EQ(count, 5u);
  std::string all;
  while (all.size() < 5) {
    const nr_code code = nr_process_read(process.get(), NR_OUT, buffer, 2, 1, &count, &error);
    ASSERT_TRUE(code == NR_OK || code == NR_TIMED_OUT) << error.message;
    ASSERT_LE(count, 2u);
    all.append(buffer, count);
  }
  EXPECT_EQ(all, "hello");
  EXPECT_EQ(nr_process_read(process.get(), NR_OUT, buffer, 0, 0, &count, &error), NR_INVALID_ARGUMENT);
  EXPECT_EQ(nr_process_close_input(process.get(), NR_IN, patient, &error), NR_OK);
  EXPECT_EQ(nr_process_close_input(process.get(), NR_IN, patient, &error), NR_OK) << "idempotent";
  EXPECT_EQ(read_all(process), "");
  EXPECT_EQ(nr_process_write(process.get(), NR_IN, "x", 1, patient, &count, &error), NR_BROKEN_PIPE);
  EXPECT_EQ(count, 0u);
}

TEST_F(CInterface, AWriteThatTimesOutTellsHowFarItCame) {
  std::string input(3 * MiB, 'x');
  for (std::size_t i = 0; i < input.size(); i += 1000) input[i] = static_cast<char>('a' + i / 1000 % 26);
  std::size_t sent = 0;
  const auto slow = spawn(with_stdin(shell("sleep 0.3; sha256sum")));
  int timeouts = 0;
  while (sent < input.size()) {
    std::size_t count = 0;
    const nr_code code = nr_process_write(slow.get(), NR_IN, input.data() + sent, input.size() - sent, 10 * ms, &count,
                                          &error);
    ASSERT_TRUE(code == NR_OK || code == NR_TIMED_OUT) << error.message;
    timeouts += code == NR_TIMED_OUT ? 1 : 0;
    sent += count;
  }
  EXPECT_GT(timeouts, 3);
  EXPECT_EQ(nr_process_close_input(slow.get(), NR_IN, patient, &error), NR_OK);
  const auto plain = program("sha256sum");
  nr_command_input(plain.get(), input.data(), input.size());
  EXPECT_EQ(read_all(slow), out(run(plain))) << "no byte is missing and none is twice";
}

TEST_F(CInterface, SignalsStopsAndKills) {
  const std::string script = "trap 'echo usr1' USR1; trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done";
  const auto process = spawn(shell(script));
  char buffer[64];
  std::size_t count = 0;
  ASSERT_EQ(nr_process_read(process.get(), NR_OUT, buffer, 64, patient, &count, &error), NR_OK);
  EXPECT_EQ(nr_process_signal(process.get(), SIGUSR1, NR_LEADER, patient, &error), NR_OK);
  ASSERT_EQ(nr_process_read(process.get(), NR_OUT, buffer, 64, patient, &count, &error), NR_OK);
  EXPECT_EQ(std::string(buffer, count), "usr1\n");
  EXPECT_EQ(nr_process_signal(process.get(), 65, NR_LEADER, patient, &error), NR_INVALID_ARGUMENT);
  EXPECT_EQ(nr_process_signal(process.get(), SIGUSR1, static_cast<nr_target>(3), patient, &error), NR_INVALID_ARGUMENT);
  EXPECT_EQ(nr_process_stop(process.get(), "nonsense", &error), NR_INVALID_ARGUMENT);
  nr_exit_status status{};
  EXPECT_EQ(nr_process_exited(process.get(), 0, &status, &error), NR_TIMED_OUT) << "nothing of it was done";
  EXPECT_EQ(nr_process_stop(process.get(), "TERM@leader:30s", &error), NR_OK);
  EXPECT_EQ(nr_process_exited(process.get(), patient, &status, &error), NR_OK);
  EXPECT_EQ(status.code, 7);
  EXPECT_EQ(wait(process).reason, NR_REASON_STOPPED);
  EXPECT_EQ(nr_process_signal(process.get(), SIGUSR1, NR_LEADER, patient, &error), NR_ALREADY_EXITED);

  const auto other = spawn(shell("sleep 1000"));
  EXPECT_EQ(nr_process_wait(other.get(), 20 * ms, nullptr, &error), NR_TIMED_OUT);
  nr_process_kill(other.get());
  const nr_ended ended = wait(other);
  EXPECT_EQ(ended.status.kind, NR_SIGNALED);
  EXPECT_EQ(ended.status.signal, SIGKILL);
  char text[32];
  EXPECT_EQ(nr_exit_status_text(&ended.status, text, sizeof text), 17u);
  EXPECT_STREQ(text, "killed by SIGKILL");
  EXPECT_EQ(nr_exit_status_text(&ended.status, text, 7), 17u);
  EXPECT_STREQ(text, "killed");
}

TEST_F(CInterface, DeadlineIdleAndOutputLimitAreReasons) {
  const auto reason = [&](auto&& set, const char* script) {
    const auto command = shell(script);
    nr_command_ladder(command.get(), "KILL");
    set(command.get());
    return nr_completed_ended(run(command).get())->reason;
  };
  static const auto briefly = [] { return patience(std::chrono::milliseconds(400)).count(); };
  EXPECT_EQ(reason([](nr_command* c) { nr_command_deadline(c, briefly()); }, "sleep 1000"), NR_REASON_DEADLINE);
  EXPECT_EQ(reason([](nr_command* c) { nr_command_idle_limit(c, briefly()); }, "sleep 1000"), NR_REASON_IDLE);
  EXPECT_EQ(reason([](nr_command* c) { nr_command_output_limit(c, 10, NR_AT_LIMIT_STOP); }, "yes"),
            NR_REASON_OUTPUT_LIMIT);
  EXPECT_EQ(reason([](nr_command* c) { nr_command_output_limit(c, 10, NR_AT_LIMIT_TRUNCATE); }, "seq 1 100"),
            NR_REASON_EXITED);
  EXPECT_EQ(reason([](nr_command* c) { nr_command_deadline(c, NR_FOREVER); }, "sleep 0.1"), NR_REASON_EXITED);
}

TEST_F(CInterface, ADeadlineThatPassesBeforeTheStartIsAnErrorOfTheStart) {
  const auto command = program("sleep");
  nr_command_deadline(command.get(), 0);
  EXPECT_EQ(refusal(command), NR_TIMED_OUT);
}

TEST_F(CInterface, ACaptureIsBoundedAndCounted) {
  const nr_capture_limits limits = {sizeof limits, 10, 5, false};
  const auto completed = run(shell("seq -w 1 1000"), &limits);
  const nr_captured kept = nr_completed_captured(completed.get(), NR_OUT);
  EXPECT_EQ(kept.total_bytes, 5000u);
  EXPECT_EQ(std::string(kept.head, kept.head_bytes), "0001\n0002\n");
  EXPECT_EQ(std::string(kept.tail, kept.tail_bytes), "1000\n");
  EXPECT_EQ(std::strlen(kept.head), kept.head_bytes) << "a NUL follows";
  EXPECT_EQ(nr_completed_captured(completed.get(), NR_IN).total_bytes, 0u);
}

TEST_F(CInterface, FreeingAProcessStopsItsCommand) {
  auto process = spawn(shell("sleep 1000 & exec sleep 1001"));
  const pid_t pid = nr_process_pid(process.get());
  EXPECT_TRUE(is_running(pid));
  process.reset();
  EXPECT_TRUE(eventually([&] { return !is_running(pid); }));
}

TEST_F(CInterface, DetachTakesTheHandleAndTheCommandGoesOn) {
  const auto command = program("sleep");
  nr_command_arg(command.get(), "1000");
  auto process = spawn(command);
  const pid_t pid = nr_process_pid(process.get());
  nr_process_detach(process.release());
  EXPECT_TRUE(remains([&] { return is_running(pid); }));
  nr_close_report report = NR_CLOSE_REPORT_INIT;
  nr_engine_close(engine.get(), &report);
  EXPECT_EQ(report.detached, 1u);
  EXPECT_TRUE(report.complete);
  EXPECT_FALSE(is_running(pid));
}

TEST_F(CInterface, AProcessOutlivesItsEngine) {
  const auto process = spawn(shell("sleep 1000"));
  engine.reset();
  EXPECT_EQ(wait(process).reason, NR_REASON_STOPPED);
  EXPECT_EQ(nr_process_signal(process.get(), SIGTERM, NR_GROUP, patient, nullptr), NR_ALREADY_EXITED);
}

TEST_F(CInterface, AfterCloseNothingStarts) {
  nr_engine_close(engine.get(), nullptr);
  EXPECT_EQ(refusal(program("true")), NR_ENGINE_CLOSED);
}

TEST_F(CInterface, AStructOfAnEarlierVersionIsFilledAsFarAsItReaches) {
  const auto process = spawn(shell("exit 5"));
  nr_ended earlier;
  std::memset(&earlier, 0x5a, sizeof earlier);
  const nr_ended untouched = earlier;
  earlier.size = offsetof(nr_ended, usage);
  ASSERT_EQ(nr_process_wait(process.get(), patient, &earlier, &error), NR_OK);
  EXPECT_EQ(earlier.status.code, 5);
  EXPECT_EQ(earlier.size, offsetof(nr_ended, usage));
  EXPECT_EQ(std::memcmp(&earlier.usage, &untouched.usage, sizeof earlier - offsetof(nr_ended, usage)), 0);
}

TEST_F(CInterface, AForgottenSizeIsSaid) {
  const auto process = spawn(program("true"));
  nr_ended ended{};
  EXPECT_EQ(nr_process_wait(process.get(), patient, &ended, &error), NR_INVALID_ARGUMENT);
  EXPECT_NE(std::string(error.message).find("NR_ENDED_INIT"), std::string::npos);
  const nr_engine_options options{};
  nr_engine* opened = nullptr;
  EXPECT_EQ(nr_engine_open(&options, &opened, &error), NR_INVALID_ARGUMENT);
  EXPECT_EQ(opened, nullptr);
}

TEST_F(CInterface, AnOptionOfALaterVersionIsNeverIgnored) {
  struct {
    nr_engine_options known;
    std::uint64_t unknown;
  } later{};
  later.known.size = sizeof later;
  later.known.shards = 1;
  nr_engine* opened = nullptr;
  EXPECT_EQ(nr_engine_open(&later.known, &opened, &error), NR_OK) << "not asked for: " << error.message;
  nr_engine_free(opened);
  later.unknown = 1;
  EXPECT_EQ(nr_engine_open(&later.known, &opened, &error), NR_INVALID_ARGUMENT);
  EXPECT_EQ(opened, nullptr);
}

TEST_F(CInterface, ManyThreadsShareAnEngineAndACommand) {
  const auto command = shell("echo $$");
  std::vector<std::jthread> threads;
  std::vector<int> right(8);
  for (int& mine : right) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        const auto completed = run(command);
        mine += out(completed) == std::to_string(nr_completed_ended(completed.get())->pid) + "\n" ? 1 : 0;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(right, std::vector<int>(8, 20));
}

TEST_F(CInterface, SuccessCodesAndHoldersOfAPipeAreTold) {
  const auto command = shell("sleep 600 & exit 1");
  const int codes[] = {0, 1};
  nr_command_success_codes(command.get(), codes, 2);
  nr_command_drain(command.get(), 200 * ms, second);
  nr_completed* completed = nullptr;
  ASSERT_EQ(nr_run(engine.get(), command.get(), nullptr, &completed, &error), NR_OK) << error.message;
  const Handle<nr_completed> owned(completed);
  const nr_ended* ended = nr_completed_ended(completed);
  EXPECT_TRUE(nr_ended_success(ended));
  EXPECT_EQ(ended->status.code, 1);
  ASSERT_EQ(ended->holder_count, 2U);  // stdout and stderr.
  EXPECT_STREQ(ended->holders[0].name, "sleep");
}

TEST_F(CInterface, CapabilitiesAreReadAsText) {
  const auto command = program("true");
  nr_command_capabilities(command.get(), "fly");
  nr_completed* completed = nullptr;
  EXPECT_EQ(nr_run(engine.get(), command.get(), nullptr, &completed, &error), NR_INVALID_ARGUMENT);
  EXPECT_NE(std::strstr(error.message, "fly"), nullptr) << error.message;
}

TEST_F(CInterface, AProcessThatOthersStartedIsAdoptedAndStopped) {
  const Bystander child({"sleep", "600"});
  nr_adopted* adopted = nullptr;
  ASSERT_EQ(nr_adopt(engine.get(), child.pid(), &adopted, &error), NR_OK) << error.message;
  EXPECT_EQ(nr_adopted_wait(adopted, 10 * ms, nullptr, nullptr, &error), NR_TIMED_OUT);
  EXPECT_EQ(nr_adopted_signal(adopted, 0, patient, &error), NR_OK) << error.message;
  EXPECT_EQ(nr_adopted_stop(adopted, "TREM", &error), NR_INVALID_ARGUMENT);
  EXPECT_EQ(nr_adopted_stop(adopted, "INT:60s", &error), NR_OK);
  nr_exit_status status{};
  nr_end_reason reason{};
  EXPECT_EQ(nr_adopted_wait(adopted, patient, &status, &reason, &error), NR_OK) << error.message;
  EXPECT_EQ(status.signal, SIGINT);
  EXPECT_EQ(reason, NR_REASON_STOPPED);
  nr_adopted_free(adopted);
  EXPECT_EQ(nr_adopt(engine.get(), 0, &adopted, &error), NR_INVALID_ARGUMENT);
  EXPECT_EQ(adopted, nullptr);
}

}  // namespace
}  // namespace tests
