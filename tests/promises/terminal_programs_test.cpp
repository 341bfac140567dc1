/// `netrunner run --pty` inside a real terminal (tmux), with the programs that people run in one. A program that is not
/// installed is skipped.

#include <cstdlib>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/command_line.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

bool is_installed(const std::string& program) {
  return netrunner_script("command -v " + program + " >/dev/null").exit_status == 0;
}

/// A tmux server of its own with one window. Killed with this object.
class Tmux {
 public:
  explicit Tmux(const std::string& shell_line) {
    EXPECT_EQ(run({"-f", "/dev/null", "new-session", "-d", "-x", "90", "-y", "25", shell_line}).exit_status, 0);
  }
  Tmux(const Tmux&) = delete;
  Tmux& operator=(const Tmux&) = delete;
  ~Tmux() { (void)run({"kill-server"}); }

  void type(const std::string& text) { EXPECT_EQ(run({"send-keys", "-l", text}).exit_status, 0); }
  void press(const std::string& key) { EXPECT_EQ(run({"send-keys", key}).exit_status, 0); }
  void resize(int columns, int rows) {
    (void)run({"resize-window", "-x", std::to_string(columns), "-y", std::to_string(rows)});
  }
  [[nodiscard]] std::string screen() { return run({"capture-pane", "-p"}).out; }
  [[nodiscard]] testing::AssertionResult shows(const std::string& part) {
    std::string last;
    const auto seen = eventually([&] { return (last = screen()).find(part) != std::string::npos; });
    return seen ? seen : testing::AssertionFailure() << part << " is not on the screen:\n" << last;
  }

 private:
  [[nodiscard]] CommandResult run(std::vector<std::string> words) const {
    words.insert(words.begin(), {"tmux", "-S", folder_ / "socket"});
    return CommandLine(std::move(words)).wait();
  }
  TempFolder folder_;
};

std::string run_pty(const std::string& command) {
  // What the window shows at the end: the status, and that a line typed into the restored terminal is echoed.
  return std::string(command_path()) + " run --pty -- " + command +
         "; echo \"ended $?\"; stty -a | grep -o ' icanon'; cat";
}

#define SKIP_WITHOUT(program) \
  if (!is_installed("tmux") || !is_installed(program)) GTEST_SKIP() << "tmux or " << (program) << " is not installed"

TEST(TerminalPrograms, Bash) {
  SKIP_WITHOUT("bash");
  Tmux tmux(run_pty("bash --norc -i"));
  EXPECT_TRUE(tmux.shows("bash-"));
  tmux.type("echo $((6*7)); stty size\n");
  EXPECT_TRUE(tmux.shows("42\n25 90"));
  // Said by the job itself: a key that comes before it has the terminal would be the shell's.
  tmux.type("sh -c 'echo fi''rst; exec sleep 1000'\n");
  EXPECT_TRUE(tmux.shows("\nfirst"));
  tmux.press("C-c");
  tmux.type("echo status $?\n");
  EXPECT_TRUE(tmux.shows("status 130"));
  tmux.type("sh -c 'echo sec''ond; exec sleep 1000'\n");
  EXPECT_TRUE(tmux.shows("\nsecond"));
  tmux.press("C-z");
  EXPECT_TRUE(tmux.shows("Stopped"));
  tmux.type("kill -9 %1; exec sh -c 'exit 3'\n");  // exit says first that there are stopped jobs, or not.
  EXPECT_TRUE(tmux.shows("ended 3\n icanon"));
}

TEST(TerminalPrograms, Vim) {
  SKIP_WITHOUT("vi");
  TempFolder folder;
  Tmux tmux(run_pty("vi -u NONE -c 'set showmode' " + (folder / "file")));
  EXPECT_TRUE(tmux.shows("~"));
  tmux.type("ihello from vi");
  tmux.press("Escape");
  EXPECT_TRUE(tmux.shows("hello from vi"));
  tmux.resize(60, 12);
  tmux.type("yyp");
  EXPECT_TRUE(tmux.shows("hello from vi\nhello from vi"));
  tmux.type("ogone");  // ^C ends the insertion, and doesn't end vi.
  EXPECT_TRUE(tmux.shows("INSERT"));
  EXPECT_TRUE(tmux.shows("gone"));
  tmux.press("C-c");
  // A terminal that makes a signal of it throws away what was typed and not read.
  EXPECT_TRUE(eventually([&] { return tmux.screen().find("INSERT") == std::string::npos; }));
  tmux.type("u");
  tmux.type(":wq\n");
  EXPECT_TRUE(tmux.shows("ended 0\n icanon"));
  EXPECT_EQ(file_text(folder / "file"), "hello from vi\nhello from vi\n");
}

TEST(TerminalPrograms, Top) {
  SKIP_WITHOUT("top");
  Tmux tmux(run_pty("top -d 0.5"));
  EXPECT_TRUE(tmux.shows("PID USER"));
  tmux.resize(70, 15);
  EXPECT_TRUE(tmux.shows("PID USER"));
  tmux.type("q");
  EXPECT_TRUE(tmux.shows("ended 0\n icanon"));
  Tmux interrupted(run_pty("top -d 0.5"));
  EXPECT_TRUE(interrupted.shows("PID USER"));
  interrupted.press("C-c");
  EXPECT_TRUE(interrupted.shows("ended 0\n icanon"));
}

TEST(TerminalPrograms, PythonsPrompt) {
  SKIP_WITHOUT("python3");
  Tmux tmux(run_pty("/usr/bin/python3 -q"));
  EXPECT_TRUE(tmux.shows(">>>"));
  tmux.type("print(6 * 7)\n");
  EXPECT_TRUE(tmux.shows("42\n>>>"));
  tmux.type("while True: pass\n\n");
  tmux.press("C-c");
  EXPECT_TRUE(tmux.shows("KeyboardInterrupt"));
  tmux.type("exit(4)\n");
  EXPECT_TRUE(tmux.shows("ended 4\n icanon"));
}

// Under a shell with job control: each of them is stopped by ^Z, brought back by fg, and then ended in its own way.
TEST(TerminalPrograms, ControlZStopsEachAndFgBringsItBack) {
  SKIP_WITHOUT("bash");
  struct Program {
    const char *name, *command, *shown, *end;
  };
  for (const Program& program : {Program{"vi", "vi -u NONE", "~\n~", ":q!\n"},
                                 Program{"top", "top -d 0.5", "PID USER", "q"},
                                 Program{"/usr/bin/python3", "/usr/bin/python3 -q", ">>>", "exit(0)\n"}}) {
    if (!is_installed(program.name)) continue;
    Tmux tmux(run_pty("bash --norc -i"));
    EXPECT_TRUE(tmux.shows("bash-"));
    tmux.type(std::string(program.command) + "\n");
    EXPECT_TRUE(tmux.shows(program.shown));
    tmux.press("C-z");
    EXPECT_TRUE(tmux.shows("Stopped"));
    tmux.type("clear\n");
    EXPECT_TRUE(eventually([&] { return tmux.screen().find("Stopped") == std::string::npos; }));
    tmux.type("fg >/dev/null\n");
    // The prompt of python is not written again by itself.
    if (std::string_view(program.name).ends_with("python3")) tmux.type("\n");
    EXPECT_TRUE(tmux.shows(program.shown)) << program.name;
    tmux.type(program.end);
    EXPECT_TRUE(tmux.shows("bash-")) << program.name;  // What it shows has covered the one before.
    tmux.type("exit 3\n");
    EXPECT_TRUE(tmux.shows("ended 3\n icanon")) << program.name;
  }
}

}  // namespace
}  // namespace tests
