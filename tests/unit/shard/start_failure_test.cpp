#include "engine/shard/start_failure.hpp"

#include <gtest/gtest.h>

#include <string>

namespace netrunner::shard {
namespace {

Error failure(const Command& command, int sys_errno, std::string_view path, std::string_view head,
              Stage stage = Stage::exec) {
  wire::StartFailedFixed fixed;
  fixed.stage = static_cast<std::uint32_t>(stage);
  fixed.sys_errno = sys_errno;
  return start_failure(command.spec(), {fixed, path, head});
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(StartFailure, NamesAMissingInterpreter) {
  const Error error = failure(Command{"./x"}, ENOENT, "./x", "#!/nope -x\n");
  EXPECT_EQ(error.code, ErrorCode::not_found);
  EXPECT_TRUE(contains(error.message(), "/nope")) << error.message();
}

TEST(StartFailure, SaysThatTheLineEndsWithCarriageReturn) {
  EXPECT_TRUE(contains(failure(Command{"./x"}, ENOENT, "./x", "#!/bin/sh\r\necho\n").message(), "CR LF"));
}

TEST(StartFailure, NamesTheDirectoryAndNotTheProgram) {
  const Error error = failure(Command{"ls"}.cwd("/nope"), ENOENT, "", "", Stage::cwd);
  EXPECT_EQ(error.subject, "/nope");
  EXPECT_EQ(error.stage, Stage::cwd);
}

TEST(StartFailure, TellsAForeignArchitectureFromAScriptWithoutItsFirstLine) {
  std::string elf(64, '\0');
  elf.replace(0, 5, "\177ELF\2");
  elf[18] = '\xb7';  // EM_AARCH64.
  const Error foreign = failure(Command{"./x"}, ENOEXEC, "./x", elf);
  EXPECT_EQ(foreign.code, ErrorCode::not_executable);
#if defined(__x86_64__)
  EXPECT_TRUE(contains(foreign.message(), "another architecture")) << foreign.message();
#endif
  EXPECT_TRUE(contains(failure(Command{"./x"}, ENOEXEC, "./x", "echo hi\n").message(), "no #! line"));
}

TEST(StartFailure, NamesTheStringThatIsTooLong) {
  const Error error = failure(Command{"true", "a", std::string(131072, 'x')}, E2BIG, "/bin/true", "");
  EXPECT_EQ(error.subject, "argv[2]");
  EXPECT_TRUE(contains(error.message(), "131072")) << error.message();
}

TEST(StartFailure, ShowsNoValueOfTheEnvironment) {
  const Error error = failure(Command{"true"}.env("SECRET", std::string(131072, 's')), E2BIG, "/bin/true", "");
  EXPECT_TRUE(contains(error.message(), "SECRET"));
  EXPECT_FALSE(contains(error.message(), "sss"));
}

}  // namespace
}  // namespace netrunner::shard
