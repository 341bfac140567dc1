/// The README tells the truth: its first program is the one that is compiled, its consoles are run, its links exist.

#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/command_line.hpp"
#include "tests/support/leak_check.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

namespace fs = std::filesystem;

fs::path root() { return fs::path(__FILE__).parent_path().parent_path().parent_path(); }

/// The insides of all ```LANGUAGE blocks.
std::vector<std::string> blocks(std::string_view markdown, const std::string& language) {
  std::vector<std::string> found;
  const std::string fence = "```" + language + "\n";
  for (std::size_t at = 0; (at = markdown.find(fence, at)) != std::string_view::npos;) {
    at += fence.size();
    const std::size_t end = markdown.find("```\n", at);
    found.emplace_back(markdown.substr(at, end - at));
    at = end;
  }
  return found;
}

struct Example {
  std::string command, output;
};

/// "$ command" and the lines that follow it.
std::vector<Example> examples(const std::string& console) {
  std::vector<Example> found;
  for (std::size_t at = 0; at < console.size();) {
    const std::size_t end = console.find('\n', at) + 1;
    const std::string line = console.substr(at, end - at);
    if (line.starts_with("$ ")) {
      found.push_back({line.substr(2), {}});
    } else if (!found.empty()) {
      found.back().output += line;
    }
    at = end;
  }
  return found;
}

/// The targets of [text](target) that are paths.
std::vector<std::string> links(std::string_view markdown) {
  std::vector<std::string> found;
  for (std::size_t at = 0; (at = markdown.find("](", at)) != std::string_view::npos;) {
    at += 2;
    std::string target(markdown.substr(at, markdown.find(')', at) - at));
    if (!target.starts_with("http") && !target.starts_with('#')) found.push_back(target.substr(0, target.find('#')));
  }
  return found;
}

std::vector<fs::path> readmes() {
  std::vector<fs::path> found = {root() / "README.md"};
  for (const char* top : {"engine", "shepherd", "tests", "tools", "bench", "include"}) {
    if (!fs::exists(root() / top)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root() / top)) {
      if (entry.path().filename() == "README.md") found.push_back(entry.path());
    }
  }
  return found;
}

TEST(Readme, ItsFirstProgramIsTheOneThatIsCompiledAndRun) {
  const auto programs = blocks(file_text(root() / "README.md"), "cpp");
  ASSERT_FALSE(programs.empty());
  EXPECT_EQ(programs.front(), file_text(root() / "tools/examples/first_program.cpp"));
}

TEST(Readme, ItsConsolesSayWhatTheCommandsSay) {
  const fs::path folder = fs::path(command_path()).parent_path();
  const TempFolder elsewhere;
  int count = 0;
  for (const std::string& console : blocks(file_text(root() / "README.md"), "console")) {
    for (const Example& example : examples(console)) {
      ++count;
      const CommandResult result = netrunner_script("PATH=" + folder.string() + ":/usr/local/bin:/usr/bin:/bin; cd " +
                                                    elsewhere.path() + "; exec 2>&1\n" + example.command);
      EXPECT_EQ(result.out, example.output) << "$ " << example.command;
    }
  }
  EXPECT_GT(count, 5);
}

TEST(Readme, TheTestsThatItNamesForItsPromisesExist) {
  const std::string text = file_text(root() / "README.md");
  std::string sources;
  for (const auto& entry : fs::directory_iterator(root() / "tests/promises")) sources += file_text(entry.path());
  const std::size_t begin = text.find("## Promised"), end = text.find("\n\n", text.find("|---|", begin));
  int count = 0;
  for (std::size_t line = begin; line < end; line = text.find('\n', line) + 1) {
    const std::string row = text.substr(line, text.find('\n', line) - line);
    if (!row.starts_with("| ") || row.starts_with("| promise")) continue;
    const std::string names = row.substr(row.rfind("| `") + 2);
    for (std::size_t at = 0; (at = names.find('`', at)) != std::string::npos; ++count) {
      const std::size_t close = names.find('`', at + 1);
      const std::string suite = names.substr(at + 1, close - at - 1);
      const bool exists = sources.contains("TEST(" + suite + ",") || sources.contains("TEST_P(" + suite + ",");
      EXPECT_TRUE(exists) << suite;
      at = close + 1;
    }
  }
  EXPECT_GT(count, 10);
}

TEST(Readme, ItsLinksLeadSomewhere) {
  for (const fs::path& readme : readmes()) {
    for (const std::string& link : links(file_text(readme))) {
      EXPECT_TRUE(fs::exists(readme.parent_path() / link)) << readme << " has a link to " << link;
    }
  }
}

TEST(Readme, EachRoomHasOneThatIsShort) {
  std::vector<fs::path> rooms = {root() / "shepherd", root() / "tests", root() / "tools"};
  for (const auto& entry : fs::directory_iterator(root() / "engine")) rooms.push_back(entry.path());
  for (const fs::path& room : rooms) {
    const std::string text = file_text(room / "README.md");
    const auto lines = std::ranges::count(text, '\n');
    EXPECT_GE(lines, 10) << room;
    EXPECT_LE(lines, 60) << room;
  }
}

}  // namespace
}  // namespace tests
