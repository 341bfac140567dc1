#include "engine/daemon/rotated_file.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <thread>

#include "tests/support/temp_folder.hpp"

namespace netrunner::daemon {
namespace {

using tests::file_text;
using tests::TempFolder;

std::unique_ptr<RotatedFile> open_log(const std::string& path, Rotation rotation = {}) {
  auto opened = RotatedFile::open(path, rotation);
  EXPECT_TRUE(opened) << opened.error().message();
  return opened ? std::move(*opened) : nullptr;
}

/// How often each number stands on a line of its own in the files of a folder; what is no number counts as -1.
std::map<long, int> numbers_in(const std::string& folder) {
  std::map<long, int> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string text = file_text(entry.path());
    if (!text.empty() && !text.ends_with('\n')) ++found[-1];
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      const bool whole = line.size() == 8 && line.find_first_not_of("0123456789") == std::string::npos;
      ++found[whole ? std::stol(line) : -1];
    }
  }
  return found;
}

std::string line_of(long number) {
  const std::string digits = std::to_string(number);
  return std::string(8 - digits.size(), '0') + digits;
}

void expect_each_once(const std::string& folder, long from, long to) {
  const auto found = numbers_in(folder);
  EXPECT_EQ(found.count(-1), 0U) << "a torn line";
  EXPECT_EQ(static_cast<long>(found.size()), to - from);
  for (const auto& [number, times] : found) EXPECT_EQ(times, 1) << number;
}

LogStats stats_of(const RotatedFile& file) {
  LogStats stats;
  file.add_to(stats);
  return stats;
}

TEST(RotatedFile, ARotationIsAtALineEndAndKeepsSoManyFiles) {  // N4
  const TempFolder folder;
  const auto log = open_log(folder / "log", {.bytes_max = 4096, .files = 3});
  for (long number = 0; number < 10'000; ++number) log->put("", line_of(number));
  log->flush();
  for (const char* name : {"log", "log.1", "log.2", "log.3"}) {
    const std::string text = file_text(folder / name);
    EXPECT_LE(text.size(), 4096U) << name;
    EXPECT_TRUE(text.ends_with('\n')) << name;
    EXPECT_EQ(text.size() % 9, 0U) << name;
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "log.4"));
  EXPECT_TRUE(file_text(folder / "log").ends_with("00009999\n"));
  EXPECT_EQ(stats_of(*log).rotations, 90'000U / (4096 / 9 * 9));
}

TEST(RotatedFile, AFileThatWasThereIsGoneOnWith) {
  const TempFolder folder;
  tests::write_file(folder / "log", std::string(4000, 'x') + "\n");
  const auto log = open_log(folder / "log", {.bytes_max = 4096, .files = 1});
  log->put("p: ", std::string(200, 'y'));
  log->flush();
  EXPECT_EQ(file_text(folder / "log.1").size(), 4001U);
  EXPECT_EQ(file_text(folder / "log"), "p: " + std::string(200, 'y') + "\n");
}

TEST(RotatedFile, ANewFileHasThePermissionsOfTheOld) {
  const TempFolder folder;
  const auto log = open_log(folder / "log", {.bytes_max = 4096, .files = 1});
  ASSERT_EQ(::chmod((folder / "log").c_str(), 0600), 0);
  for (long number = 0; number < 1000; ++number) log->put("", line_of(number));
  log->flush();
  struct stat status {};
  ASSERT_EQ(::stat((folder / "log").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST(RotatedFile, AfterARenameAndAReopenEveryLineIsInExactlyOneFile) {  // N3
  const TempFolder folder;
  const auto log = open_log(folder / "log");
  long number = 0;
  for (int round = 0; round < 100; ++round) {
    for (int line = 0; line < 77; ++line) log->put("", line_of(number++));
    if (round % 2 == 0) log->flush();
    std::filesystem::rename(folder / "log", folder / ("log." + std::to_string(round)));
    for (int line = 0; line < 33; ++line) log->put("", line_of(number++));
    log->reopen();
  }
  log->flush();
  expect_each_once(folder.path(), 0, number);
  EXPECT_EQ(stats_of(*log).reopened, 100U);
}

TEST(RotatedFile, ARemovedFileIsMadeAnew) {  // N3
  const TempFolder folder;
  const auto log = open_log(folder / "log");
  log->put("", line_of(1));
  log->flush();
  std::filesystem::remove(folder / "log");
  log->put("", line_of(2));
  log->flush();
  EXPECT_EQ(file_text(folder / "log"), "00000002\n");
  EXPECT_EQ(stats_of(*log).reopened, 1U);
}

TEST(RotatedFile, WhereARotationFailsWritingGoesOn) {  // N3
  const TempFolder folder;
  const auto log = open_log(folder / "log", {.bytes_max = 4096, .files = 1});
  // A folder that isn't empty stands where the full file is to go.
  std::filesystem::create_directories(folder / "log.1/in the way");
  for (long number = 0; number < 5000; ++number) log->put("", line_of(number));
  log->flush();
  EXPECT_EQ(file_text(folder / "log").size(), 45'000U);
  EXPECT_GE(stats_of(*log).rotations_failed, 1U);
  EXPECT_NE(stats_of(*log).last_error.find("log.1"), std::string::npos) << stats_of(*log).last_error;
  EXPECT_FALSE(std::filesystem::exists(folder / "log.next"));
}

TEST(RotatedFile, WhereItCannotBeReopenedWritingGoesOnInTheOldOne) {  // N3
  const TempFolder folder;
  std::filesystem::create_directory(folder / "logs");
  const auto log = open_log(folder / "logs/log");
  std::filesystem::rename(folder / "logs", folder / "elsewhere");
  log->put("", line_of(1));
  log->reopen();
  log->put("", line_of(2));
  log->flush();
  EXPECT_EQ(file_text(folder / "elsewhere/log"), "00000001\n00000002\n");
  EXPECT_EQ(stats_of(*log).reopens_failed, 1U);
}

TEST(RotatedFile, AFileThatCannotBeMadeIsAnErrorWithItsPath) {
  const auto opened = RotatedFile::open("/nowhere/at all/log", {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message(), "open log file /nowhere/at all/log: No such file or directory");
}

TEST(RotatedFile, AFifoWithoutAReaderIsAnErrorAndNotAWait) {
  const TempFolder folder;
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
  EXPECT_FALSE(RotatedFile::open(folder / "fifo", {}));
}

/// A file system of so many bytes, seen by this thread alone, and gone with it. False: not permitted here.
bool mount_small(const std::string& folder, const char* size) {
  return ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("tmpfs", folder.c_str(), "tmpfs", 0, size) == 0;
}

TEST(RotatedFile, OnAFullDiskNoLineIsTornAndEachMissingOneIsCounted) {  // N3
  const TempFolder folder;
  bool mounted = false;
  // In a thread: a mount namespace of its own, and nothing of it is left.
  std::thread([&] {
    mounted = mount_small(folder.path(), "size=64k");
    if (!mounted) return;
    constexpr long lines = 20'000;
    const auto log = open_log(folder / "log");
    for (long number = 0; number < lines; ++number) {
      log->put("", line_of(number));
      if (number % 700 == 699) log->flush();
    }
    log->flush();
    const auto found = numbers_in(folder.path());
    EXPECT_EQ(found.count(-1), 0U) << "a torn line";
    EXPECT_GT(found.size(), 1000U);
    EXPECT_EQ(static_cast<long>(found.size()) + static_cast<long>(stats_of(*log).dropped_lines), lines);
    EXPECT_NE(stats_of(*log).last_error.find("No space left"), std::string::npos) << stats_of(*log).last_error;
    // There is room again: it goes on, in the same file.
    EXPECT_EQ(::truncate((folder / "log").c_str(), 0), 0);
    log->put("", line_of(lines));
    log->flush();
    EXPECT_EQ(file_text(folder / "log"), line_of(lines) + "\n");
  }).join();
  if (!mounted) GTEST_SKIP() << "mounting a tmpfs needs CAP_SYS_ADMIN";
}

}  // namespace
}  // namespace netrunner::daemon
