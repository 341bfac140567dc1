/// One rule for where a program is found: execvpe(3) in the child, by the command's own PATH, after its own chdir. X8.

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <string_view>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/support/engine_fixture.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/refusal.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

namespace fs = std::filesystem;

/// A script that prints `says`; not executable where the test needs one that is passed over.
void script(const std::string& path, std::string_view says, fs::perms permissions = fs::perms(0755)) {
  fs::create_directories(fs::path(path).parent_path());
  write_file(path, "#!/bin/sh\necho " + std::string(says) + "\n");
  fs::permissions(path, permissions);
}

/// This process's current directory for the length of a test.
class CurrentDirectory {
 public:
  explicit CurrentDirectory(const std::string& path) : before_(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)) {
    fs::current_path(path);
  }
  CurrentDirectory(const CurrentDirectory&) = delete;
  CurrentDirectory& operator=(const CurrentDirectory&) = delete;
  ~CurrentDirectory() {
    (void)!fchdir(before_);
    close(before_);
  }

 private:
  int before_;
};

std::string output(EngineFixture& host, const nr::Command& command) { return host.run(command).out.head; }

TEST(PathSearch, ByTheCommandsOwnPath) {
  EngineFixture host;
  const TempFolder folder;
  script(folder / "bin/only-here", "found");
  EXPECT_EQ(output(host, nr::Command("only-here").env("PATH", folder / "bin")), "found\n");
  EXPECT_EQ(refusal(host, nr::Command("only-here")).code, nr::ErrorCode::not_found);
}

TEST(PathSearch, TheFirstDirectoryWins) {
  EngineFixture host;
  const TempFolder folder;
  script(folder / "a/tool", "first");
  script(folder / "b/tool", "second");
  const std::string a = folder / "a", b = folder / "b";
  EXPECT_EQ(output(host, nr::Command("tool").env("PATH", a + ":" + b)), "first\n");
  EXPECT_EQ(output(host, nr::Command("tool").env("PATH", b + ":" + a)), "second\n");
  EXPECT_EQ(output(host, nr::Command("tool").env("PATH", "/no/such/directory:/etc/passwd:" + b)), "second\n");
}

TEST(PathSearch, AFileThatMayNotBeExecutedIsPassedOver) {
  EngineFixture host;
  const TempFolder folder;
  script(folder / "a/tool", "never", fs::perms(0644));
  script(folder / "b/tool", "second");
  fs::create_directories(folder / "c/tool");
  const std::string a = folder / "a", b = folder / "b", c = folder / "c";
  EXPECT_EQ(output(host, nr::Command("tool").env("PATH", c + ":" + a + ":" + b)), "second\n");
  const nr::Error error = refusal(host, nr::Command("tool").env("PATH", a + ":/no/such/directory"));
  EXPECT_EQ(error.sys_errno, EACCES) << error.message();
  EXPECT_EQ(error.code, nr::ErrorCode::not_executable);
}

TEST(PathSearch, ARelativeDirectoryIsSeenFromTheCommandsDirectory) {
  EngineFixture host;
  const TempFolder folder;
  script(folder / "d/bin/tool", "relative");
  script(folder / "d/here", "dot");
  const nr::Command in_d = nr::Command("tool").cwd(folder / "d");
  EXPECT_EQ(output(host, in_d.env("PATH", "bin")), "relative\n");
  EXPECT_EQ(output(host, nr::Command("here").cwd(folder / "d").env("PATH", ".")), "dot\n");
  EXPECT_EQ(output(host, nr::Command("here").cwd(folder / "d").env("PATH", "/no/such:")), "dot\n") << "empty: here";
}

TEST(PathSearch, ANameWithASlashIsSeenFromTheCommandsDirectory) {
  EngineFixture host;
  const TempFolder folder;
  script(folder / "d/t", "right");
  script(folder / "d/sub/t", "deep");
  EXPECT_EQ(output(host, nr::Command("./t").cwd(folder / "d")), "right\n");
  EXPECT_EQ(output(host, nr::Command("sub/t").cwd(folder / "d").env("PATH", folder / "d")), "deep\n");
  const CurrentDirectory elsewhere(folder / "d/sub");
  EXPECT_EQ(output(host, nr::Command("./t").cwd(folder / "d")), "right\n") << "not from the host's directory";
}

TEST(PathSearch, ANameWithASlashIsNotSearched) {
  EngineFixture host;
  const TempFolder folder;
  script(folder / "sub/t", "wrong");
  EXPECT_EQ(refusal(host, nr::Command("sub/t").cwd("/").env("PATH", folder.path())).code, nr::ErrorCode::not_found);
}

TEST(PathSearch, WithoutAPathTheSystemsDefaultIsUsed) {
  EngineFixture host;
  EXPECT_TRUE(host.run(nr::Command("true").unset_env("PATH")).success());
  EXPECT_TRUE(host.run(nr::Command("true").clear_env()).success());
}

TEST(PathSearch, TheProgramsNameIsWhatWasAskedFor) {
  EngineFixture host;
  EXPECT_EQ(output(host, nr::Command("sh", "-c", "echo $0")), "sh\n");
  EXPECT_EQ(output(host, nr::Command("sh", "-c", "echo $0").arg0("-zero")), "-zero\n");
}

TEST(WorkingDirectory, IsTheHostsAsItIsAtTheStart) {
  EngineFixture host;
  const TempFolder folder;
  const std::string real = fs::canonical(folder.path()).string();
  const CurrentDirectory here(folder.path());
  EXPECT_EQ(output(host, nr::Command("/bin/pwd", "-P")), real + "\n");
  fs::create_directories(folder / "sub");
  EXPECT_EQ(output(host, nr::Command("/bin/pwd", "-P").cwd("sub")), real + "/sub\n") << "relative to the host's";
}

TEST(WorkingDirectory, ThatWasRenamedOrRemovedIsNoObstacle) {  // X8: no chdir when none is asked for.
  EngineFixture host;
  const TempFolder folder;
  fs::create_directories(folder / "old");
  const CurrentDirectory here(folder / "old");
  fs::rename(folder / "old", folder / "new");
  EXPECT_TRUE(host.run(nr::Command("/bin/true")).success());
  EXPECT_EQ(output(host, nr::Command("/bin/pwd", "-P")), fs::canonical(folder / "new").string() + "\n");
  fs::remove(folder / "new");
  EXPECT_TRUE(host.run(nr::Command("/bin/true")).success());
}

}  // namespace
}  // namespace tests
