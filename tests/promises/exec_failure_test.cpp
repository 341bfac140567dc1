/// A command that can't start is an Error that names the step, the thing and the errno; never an exit. Theme EXEC.

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fcntl.h>
#include <set>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/bystander.hpp"
#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/host_program.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

const nr::Command ls{"ls"};

/// A file that may be executed.
std::string program(const TempFolder& folder, std::string_view name, std::string_view text) {
  const std::string path = folder / name;
  write_file(path, text);
  std::filesystem::permissions(path, std::filesystem::perms(0755));
  return path;
}

TEST(ExecFailure, AMissingDirectoryIsNotAMissingProgram) {  // X2
  EngineFixture host;
  const nr::Error error = refusal(host, ls.cwd("/no/such/directory"));
  EXPECT_TRUE(is(error, nr::Stage::cwd, ENOENT, "/no/such/directory"));
  EXPECT_EQ(error.code, nr::ErrorCode::not_found);
}

TEST(ExecFailure, ADirectoryThatIsAFile) {  // X2
  EngineFixture host;
  EXPECT_TRUE(is(refusal(host, ls.cwd("/etc/passwd")), nr::Stage::cwd, ENOTDIR, "/etc/passwd"));
}

TEST(ExecFailure, AMissingProgramNamesItselfAndThePathThatWasSearched) {  // X2
  EngineFixture host;
  const nr::Error error = refusal(host, nr::Command("no-such-program").env("PATH", "/no/such/bin:/bin"));
  EXPECT_TRUE(is(error, nr::Stage::exec, ENOENT, "no-such-program"));
  EXPECT_EQ(error.code, nr::ErrorCode::not_found);
  EXPECT_TRUE(says(error, "/no/such/bin:/bin"));
}

TEST(ExecFailure, AMissingFileIsNamed) {
  EngineFixture host;
  const nr::Error error = refusal(host, nr::Command("/no/such/program"));
  EXPECT_TRUE(is(error, nr::Stage::exec, ENOENT, "/no/such/program"));
  EXPECT_EQ(error.code, nr::ErrorCode::not_found);
}

TEST(ExecFailure, AFileForStdinOrStdoutIsNamed) {  // X2
  EngineFixture host;
  const nr::Error in = refusal(host, nr::Command("cat").in(nr::Stdio::file("/no/such/input")));
  EXPECT_TRUE(is(in, nr::Stage::open_file, ENOENT, "/no/such/input"));
  EXPECT_EQ(in.code, nr::ErrorCode::not_found);
  const nr::Error out =
      refusal(host, ls.out(nr::Stdio::file("/no/such/output", nr::Stdio::FileMode::truncate)));
  EXPECT_TRUE(is(out, nr::Stage::open_file, ENOENT, "/no/such/output"));
  const nr::Error directory = refusal(host, ls.out(nr::Stdio::file("/tmp", nr::Stdio::FileMode::append)));
  EXPECT_TRUE(is(directory, nr::Stage::open_file, EISDIR, "/tmp"));
}

TEST(ExecFailure, WhatTheKernelRefusesIsNamedByStep) {
  EngineFixture host;
  const std::uint64_t beyond_nr_open = std::uint64_t{1} << 40;
  const nr::Error limit = refusal(host, ls.resource_limit({RLIMIT_NOFILE, beyond_nr_open, beyond_nr_open}));
  EXPECT_TRUE(is(limit, nr::Stage::rlimit, EPERM, "nofile"));
  EXPECT_EQ(limit.code, nr::ErrorCode::permission_denied);
  EXPECT_TRUE(is(refusal(host, ls.cpus({1000})), nr::Stage::affinity, EINVAL, ""));
  // The group of another session.
  EXPECT_TRUE(is(refusal(host, ls.grouping(nr::Grouping::join, getpgid(0))), nr::Stage::group, EPERM, ""));
}

TEST(ExecFailure, ARequestThatIsWrongInItselfIsPermanent) {
  EngineFixture host;
  const auto minus_one = static_cast<uid_t>(-1);  // "No change", to the kernel.
  const std::vector<std::pair<const char*, nr::Command>> wrong = {
      {"no program", nr::Command::from_argv({})},
      {"empty program", nr::Command("")},
      {"stdin merged", ls.in(nr::Stdio::merge())},
      {"bytes for stdout", ls.out(nr::Stdio::bytes("x"))},
      {"both merged", ls.out(nr::Stdio::merge()).err(nr::Stdio::merge())},
      {"extra 2", ls.extra({.number = 2})},
      {"extra 256", ls.extra({.number = 256})},
      {"extra twice", ls.extra({.number = 5}).extra({.number = 5})},
      {"descriptor -1", ls.in(nr::Stdio::descriptor(-1))},
      {"closed descriptor", ls.in(nr::Stdio::descriptor(900'000))},
      {"oom score 5000", ls.oom_score_adj(5000)},
      {"nice 99", ls.nice(99)},
      {"umask 01777", ls.umask(01777)},
      {"soft above hard", ls.resource_limit({RLIMIT_NOFILE, 20, 10})},
      {"no such limit", ls.resource_limit({4711, 1, 1})},
      {"uid -1", ls.identity({.uid = minus_one, .gid = {}, .groups = {}})},
      {"gid -1", ls.identity({.uid = {}, .gid = minus_one, .groups = {}})},
      {"group 1", ls.grouping(nr::Grouping::join, 1)},
      {"group 0", ls.grouping(nr::Grouping::join, 0)},
  };
  for (const auto& [what, command] : wrong) {
    const nr::Result<nr::Process> started = nr::blocking::get(host->spawn(command), verb_deadline());
    ASSERT_FALSE(started) << what;
    EXPECT_EQ(started.error().code, nr::ErrorCode::invalid_argument) << what << ": " << started.error().message();
    EXPECT_FALSE(started.error().subject.empty()) << what << ": " << started.error().message();
  }
}

TEST(ExecFailure, AnUnprivilegedHostIsToldWhichStepItMayNot) {
  EXPECT_TRUE(host_succeeds("unprivileged_host", {"refused"}));
}

TEST(ExecFailure, NoPermissionToExecute) {
  EngineFixture host;
  const TempFolder folder;
  write_file(folder / "plain", "#!/bin/sh\n");
  for (const std::string& path : {folder / "plain", std::string("/etc")}) {
    const nr::Error error = refusal(host, nr::Command(path));
    EXPECT_TRUE(is(error, nr::Stage::exec, EACCES, path));
    EXPECT_EQ(error.code, nr::ErrorCode::not_executable);
  }
}

TEST(ExecFailure, AScriptWithoutAFirstLineSaysSo) {  // X4
  EngineFixture host;
  const TempFolder folder;
  const std::string script = program(folder, "script", "echo hi $0\n");
  const nr::Error error = refusal(host, nr::Command(script));
  EXPECT_TRUE(is(error, nr::Stage::exec, ENOEXEC, script));
  EXPECT_EQ(error.code, nr::ErrorCode::not_executable);
  EXPECT_TRUE(says(error, "#!"));
  EXPECT_EQ(host.run(nr::Command(script).shell_fallback()).out.head, "hi " + script + "\n");
  EXPECT_EQ(host.run(nr::Command(script, "a").shell_fallback()).out.head, "hi " + script + "\n");
}

TEST(ExecFailure, AnotherArchitectureIsNamedAndNeverAScript) {  // X4
  EngineFixture host;
  const TempFolder folder;
  std::string elf("\x7f" "ELF\x02\x01\x01", 7);
  elf.resize(64);
  elf[16] = 2;                          // ET_EXEC
  elf[18] = static_cast<char>(183);     // EM_AARCH64
  elf[20] = 1;
  const std::string path = program(folder, "foreign", elf);
  for (const nr::Command& command : {nr::Command(path), nr::Command(path).shell_fallback()}) {
    const nr::Error error = refusal(host, command);
    EXPECT_TRUE(is(error, nr::Stage::exec, ENOEXEC, path));
    EXPECT_TRUE(says(error, "architecture"));
  }
}

TEST(ExecFailure, AMissingInterpreterIsNamed) {  // X5
  EngineFixture host;
  const TempFolder folder;
  const nr::Error error = refusal(host, nr::Command(program(folder, "script", "#!/opt/nope -x\necho\n")));
  EXPECT_TRUE(is(error, nr::Stage::exec, ENOENT, "script"));
  EXPECT_EQ(error.code, nr::ErrorCode::not_found);
  EXPECT_TRUE(says(error, "/opt/nope"));
  EXPECT_TRUE(says(error, "interpreter"));
}

TEST(ExecFailure, AMissingLoaderIsNamed) {  // X5: as a musl program on a glibc system.
  EngineFixture host;
  const TempFolder folder;
  std::string elf = file_text("/bin/true");
  const std::size_t at = elf.find("/lib64/ld-linux");
  if (at == std::string::npos) GTEST_SKIP() << "/bin/true is linked statically here";
  elf.replace(at, 15, "/lib64/no-loade");
  const nr::Error error = refusal(host, nr::Command(program(folder, "foreign", elf)));
  EXPECT_TRUE(is(error, nr::Stage::exec, ENOENT, "foreign"));
  EXPECT_TRUE(says(error, "/lib64/no-loade"));
}

TEST(ExecFailure, EachFaultOfAFirstLineHasItsOwnMessage) {  // X5
  EngineFixture host;
  const TempFolder folder;
  std::set<std::string> messages;
  const std::string long_line = "#!/" + std::string(300, 'x') + "\n";
  for (const std::string& text : {std::string("#!/nope\n"), std::string("#!/bin/sh\r\necho\r\n"), std::string("#!\n"),
                                  std::string("#!"), long_line, std::string("echo\n")}) {
    const nr::Error error = refusal(host, nr::Command(program(folder, "script", text)));
    EXPECT_EQ(error.stage, nr::Stage::exec);
    EXPECT_TRUE(says(error, folder / "script"));
    messages.insert(error.message());
  }
  EXPECT_GE(messages.size(), 5U) << testing::PrintToString(messages);
}

TEST(ExecFailure, LinesThatEndAsInDosAreRecognised) {  // X5
  EngineFixture host;
  const TempFolder folder;
  const nr::Error error = refusal(host, nr::Command(program(folder, "script", "#!/bin/sh\r\necho\r\n")));
  EXPECT_TRUE(says(error, "\\r") || says(error, "CR")) << error.message();
  EXPECT_FALSE(error.message().contains('\r')) << "a raw carriage return wrecks the terminal";
}

TEST(ExecFailure, TheBoundsOfOneString) {  // X3: MAX_ARG_STRLEN is 131,072 with the NUL.
  EngineFixture host;
  const nr::Command three = nr::Command("true", "1", "2");
  EXPECT_TRUE(host.run(three.arg(std::string(131'071, 'a'))).success());
  const nr::Error error = refusal(host, three.arg(std::string(131'072, 'a')).arg("4"));
  EXPECT_EQ(error.code, nr::ErrorCode::argument_list_too_long);
  EXPECT_EQ(error.sys_errno, E2BIG);
  EXPECT_TRUE(says(error, "argv[3]"));
  EXPECT_TRUE(says(error, "131072"));
  EXPECT_LT(error.message().size(), 1000U) << "values are not printed";
}

TEST(ExecFailure, TheBoundsOfOneVariable) {  // X3: the name and `=` count.
  EngineFixture host;
  EXPECT_TRUE(host.run(nr::Command("true").env("LONG", std::string(131'066, 'a'))).success());
  const nr::Error error = refusal(host, nr::Command("true").env("LONG", std::string(131'067, 'a')));
  EXPECT_EQ(error.code, nr::ErrorCode::argument_list_too_long);
  EXPECT_TRUE(says(error, "LONG"));
  EXPECT_TRUE(says(error, "131072"));
  EXPECT_FALSE(error.message().contains("aaaa")) << "values are not printed";
}

TEST(ExecFailure, TheBoundOfAllStringsTogether) {  // X3: a quarter of the stack's limit, 6 MiB at most.
  EngineFixture host;
  const nr::Command command =
      nr::Command("true").args(std::vector<std::string>(30'000, std::string(100, 'a'))).resource_limit(
          {RLIMIT_STACK, 8 * MiB, 8 * MiB});
  const nr::Error error = refusal(host, command);
  EXPECT_EQ(error.code, nr::ErrorCode::argument_list_too_long);
  EXPECT_EQ(error.sys_errno, E2BIG);
  EXPECT_TRUE(says(error, "2097152") || says(error, "2 MiB")) << error.message();
  EXPECT_FALSE(says(error, "argv[")) << "no single string is at fault";
}

TEST(ExecFailure, ASmallStackLowersTheBoundOfAllStrings) {  // X3: never below 128 KiB.
  EngineFixture host;
  const nr::Command command = nr::Command("true").args(std::vector<std::string>(2'000, std::string(100, 'a')));
  EXPECT_TRUE(host.run(command).success());
  const nr::Error error = refusal(host, command.resource_limit({RLIMIT_STACK, 256 * KiB, 256 * KiB}));
  EXPECT_EQ(error.code, nr::ErrorCode::argument_list_too_long);
  EXPECT_TRUE(says(error, "131072") || says(error, "128 KiB")) << error.message();
  EXPECT_TRUE(host.run(command.args(std::vector<std::string>(9'000, std::string(100, 'b')))).success());
}

TEST(ExecFailure, ANulByteIsRefusedByField) {  // X7
  EngineFixture host;
  const TempFolder folder;
  const std::string nul("a\0b", 3);
  const nr::Command touch = nr::Command("touch", folder / "ran");
  const std::vector<std::pair<nr::Command, std::string>> cases = {
      {nr::Command(nul), "program"},
      {touch.arg("x").arg(nul), "argv[3]"},
      {touch.arg0(nul), "arg"},
      {touch.env(nul, "x"), "environment"},
      {touch.env("SECRET_NAME", "xyzzy" + nul), "SECRET_NAME"},
      {touch.cwd(nul), "cwd"},
      {touch.in(nr::Stdio::file(nul)), "stdin"},
      {touch.out(nr::Stdio::file(nul, nr::Stdio::FileMode::truncate)), "stdout"},
  };
  for (const auto& [command, field] : cases) {
    const nr::Error error = refusal(host, command);
    EXPECT_EQ(error.code, nr::ErrorCode::invalid_argument) << error.message();
    EXPECT_EQ(error.stage, nr::Stage::validate) << error.message();
    EXPECT_TRUE(says(error, field));
    EXPECT_FALSE(error.message().contains("xyzzy")) << error.message();
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "ran"));
}

TEST(ExecFailure, AVariableNeedsAName) {  // X7
  EngineFixture host;
  for (const char* name : {"", "A=B", "="}) {
    EXPECT_EQ(refusal(host, nr::Command("true").env(name, "x")).code, nr::ErrorCode::invalid_argument) << name;
  }
}

TEST(ExecFailure, AllOtherBytesPassUnchanged) {  // X7
  EngineFixture host;
  std::string bytes;
  for (int byte = 1; byte < 256; ++byte) bytes += static_cast<char>(byte);
  EXPECT_EQ(host.run(nr::Command("printf", "%s", bytes)).out.head, bytes);
  EXPECT_EQ(host.run(nr::Command("printenv", "BYTES").env("BYTES", bytes)).out.head, bytes + "\n");
}

TEST(ExecFailure, NothingOfTheHostRunsInAChildThatFailed) {  // X6
  EXPECT_TRUE(host_succeeds("atexit_host"));
}

TEST(ExecFailure, AFreshlyWrittenProgramRuns) {  // X1: ETXTBSY, while other threads of the host fork.
  EngineFixture host;
  const TempFolder folder;
  std::atomic<bool> over{false};
  std::jthread forker([&over] {
    while (!over) Bystander({"true"}).wait();
  });
  std::vector<std::jthread> writers;
  const std::string binary = file_text("/bin/true");
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([&, writer] {
      for (std::size_t round = 0; round < scaled(1000, 25); ++round) {
        const std::string name = "t" + std::to_string(writer) + "-" + std::to_string(round);
        const std::string path = program(folder, name, round % 2 == 0 ? binary : "#!/bin/sh\nexit 0\n");
        const nr::Result<nr::Completed> completed = host->run(nr::Command(path));
        EXPECT_TRUE(completed && completed->success()) << (completed ? "" : completed.error().message());
      }
    });
  }
  writers.clear();
  over = true;
}

TEST(ExecFailure, AProgramThatStaysOpenForWritingIsNamedAsThat) {  // X1
  EngineFixture host;
  const TempFolder folder;
  const std::string path = program(folder, "busy", file_text("/bin/true"));
  const int writer = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_GE(writer, 0);
  const Stopwatch watch;
  EXPECT_TRUE(is(refusal(host, nr::Command(path)), nr::Stage::exec, ETXTBSY, path));
  EXPECT_LT(watch.elapsed(), patience(10s));

  std::jthread closer([writer] {
    std::this_thread::sleep_for(100ms);  // The fault, not a synchronisation.
    close(writer);
  });
  EXPECT_TRUE(host.run(nr::Command(path)).success()) << "a writer that goes away soon is waited for";
}

TEST(ExecFailure, IsCountedAndLeavesTheEngineWell) {
  EngineFixture host({.shards = 1});
  for (int round = 0; round < 100; ++round) (void)refusal(host, nr::Command("/no/such/program"));
  EXPECT_EQ(host.shard_stats().start_failures, 100U);
  EXPECT_EQ(host.shard_stats().running, 0U);
  EXPECT_TRUE(host.run(nr::Command("true")).success());
}

}  // namespace
}  // namespace tests
