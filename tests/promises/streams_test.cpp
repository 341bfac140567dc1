/// Where the descriptors of a command lead: null, files, the host's own, closed, merged, and more than three.

#include <atomic>
#include <cstdio>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/pattern.hpp"
#include "tests/support/progress.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

using FileMode = nr::Stdio::FileMode;

/// Puts another file in the place of one of the host's own descriptors, and back.
class OwnDescriptor {
 public:
  OwnDescriptor(int number, int replacement) : number_(number), kept_(fcntl(number, F_DUPFD_CLOEXEC, 10)) {
    std::fflush(nullptr);
    replacement >= 0 ? dup2(replacement, number) : close(number);
  }
  OwnDescriptor(const OwnDescriptor&) = delete;
  OwnDescriptor& operator=(const OwnDescriptor&) = delete;
  ~OwnDescriptor() {
    std::fflush(nullptr);
    dup2(kept_, number_);
    close(kept_);
  }

 private:
  int number_, kept_;
};

/// A file that is open here.
class OpenFile {
 public:
  OpenFile(const std::string& path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() { close(fd_); }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

TEST(Streams, AFileIsReadTruncatedAndAppendedTo) {
  EngineFixture host;
  TempFolder folder;
  const std::string path = folder / "log";
  write_file(path, "old and long\n");
  EXPECT_TRUE(host.run(nr::Command("echo", "one").out(nr::Stdio::file(path, FileMode::truncate))).success());
  EXPECT_EQ(file_text(path), "one\n");
  EXPECT_TRUE(host.run(nr::Command("echo", "two").out(nr::Stdio::file(path, FileMode::append))).success());
  EXPECT_EQ(file_text(path), "one\ntwo\n");
  EXPECT_EQ(host.run(nr::Command("cat").in(nr::Stdio::file(path))).out.head, "one\ntwo\n");
  EXPECT_TRUE(host.run(sh("echo three >&2").err(nr::Stdio::file(path, FileMode::append))).success());
  EXPECT_EQ(file_text(path), "one\ntwo\nthree\n");
}

TEST(Streams, TwoStreamsMayHaveFilesOfTheirOwn) {
  EngineFixture host;
  TempFolder folder;
  EXPECT_TRUE(host.run(sh("echo o; echo e >&2")
                           .out(nr::Stdio::file(folder / "o", FileMode::truncate))
                           .err(nr::Stdio::file(folder / "e", FileMode::truncate)))
                  .success());
  EXPECT_EQ(file_text(folder / "o"), "o\n");
  EXPECT_EQ(file_text(folder / "e"), "e\n");
}

TEST(Streams, ANewFileHasThePermissionsThatWereAskedFor) {
  EngineFixture host;
  TempFolder folder;
  EXPECT_TRUE(host.run(nr::Command("echo", "x")
                           .umask(0)
                           .out(nr::Stdio::file(folder / "new", FileMode::truncate, 0640)))
                  .success());
  struct stat status{};
  ASSERT_EQ(stat((folder / "new").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0640u);
}

TEST(Streams, AFileThatCannotBeOpenedIsAnErrorThatNamesIt) {
  EngineFixture host;
  TempFolder folder;
  const std::string path = folder / "no/such/folder";
  const auto started = nr::blocking::get(host->spawn(nr::Command("cat").in(nr::Stdio::file(path))), verb_deadline());
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().stage, nr::Stage::open_file) << started.error().message();
  EXPECT_EQ(started.error().sys_errno, ENOENT);
  EXPECT_NE(started.error().message().find(path), std::string::npos) << started.error().message();
}

TEST(Streams, ADescriptorOfTheHostIsHandedOverAsItIs) {
  EngineFixture host;
  TempFolder folder;
  OpenFile file(folder / "file", O_RDWR | O_CREAT);
  const int flags = fcntl(file.fd(), F_GETFL);
  EXPECT_TRUE(host.run(nr::Command("echo", "mine").out(nr::Stdio::descriptor(file.fd()))).success());
  EXPECT_EQ(file_text(folder / "file"), "mine\n");
  EXPECT_EQ(fcntl(file.fd(), F_GETFL), flags) << "its flags are the host's own business";
  EXPECT_EQ(fcntl(file.fd(), F_GETFD), FD_CLOEXEC);
  ASSERT_EQ(lseek(file.fd(), 0, SEEK_SET), 0);
  EXPECT_EQ(host.run(nr::Command("cat").in(nr::Stdio::descriptor(file.fd()))).out.head, "mine\n");
}

TEST(Streams, ADescriptorMayBeClosedByTheHostOnceTheCommandWasAskedFor) {
  EngineFixture host;
  TempFolder folder;
  auto process = host.get([](nr::Engine& engine, std::string path) -> nr::Task<nr::Result<nr::Process>> {
    auto file = std::make_unique<OpenFile>(path, O_RDWR | O_CREAT);
    auto started = engine.spawn(sh("sleep 0.05; echo mine").out(nr::Stdio::descriptor(file->fd())));
    file.reset();  // Asked for, not yet started.
    co_return co_await started;
  }(*host, folder / "file"));
  ASSERT_TRUE(process.has_value()) << process.error().message();
  EXPECT_TRUE(Running(*std::move(process)).wait().success());
  EXPECT_EQ(file_text(folder / "file"), "mine\n");
}

TEST(Streams, InheritedIsTheHostsDescriptorOfTheSameNumber) {
  EngineFixture host;
  TempFolder folder;
  OpenFile out(folder / "out", O_RDWR | O_CREAT), in(folder / "out", O_RDONLY);
  {
    const OwnDescriptor swapped(1, out.fd());
    EXPECT_TRUE(host.run(nr::Command("echo", "to the host's own").out(nr::Stdio::inherit())).success());
  }
  EXPECT_EQ(file_text(folder / "out"), "to the host's own\n");
  const OwnDescriptor swapped(0, in.fd());
  EXPECT_EQ(host.run(nr::Command("cat").in(nr::Stdio::inherit())).out.head, "to the host's own\n");
}

TEST(Streams, InheritedIsNullWhereTheHostHasNone) {
  EngineFixture host;
  const OwnDescriptor closed(0, -1);
  EXPECT_EQ(host.run(nr::Command("readlink", "/proc/self/fd/0").in(nr::Stdio::inherit())).out.head, "/dev/null\n");
}

TEST(Streams, AClosedOneIsNotThere) {
  EngineFixture host;
  const nr::Completed completed = host.run(
      sh("[ -e /proc/$$/fd/0 ] && echo in; [ -e /proc/$$/fd/2 ] && echo err; echo end")
          .in(nr::Stdio::closed())
          .err(nr::Stdio::closed()));
  EXPECT_EQ(completed.out.head, "end\n");
}

TEST(Streams, NullTakesEverythingAndGivesNothing) {
  EngineFixture host;
  const nr::Completed completed =
      host.run(sh("head -c 1000000 /dev/zero; target=$(readlink /proc/$$/fd/1); echo $target >&2")
                   .out(nr::Stdio::null()));
  EXPECT_TRUE(completed.success());
  EXPECT_EQ(completed.out.total_bytes, 0u);
  EXPECT_EQ(completed.err.head, "/dev/null\n");
}

TEST(Streams, MergeWorksInBothDirections) {
  EngineFixture host;
  const std::string script = "echo o; echo e >&2; echo p";
  EXPECT_EQ(host.run(sh(script).err(nr::Stdio::merge())).out.head, "o\ne\np\n");
  EXPECT_EQ(host.run(sh(script).out(nr::Stdio::merge())).err.head, "o\ne\np\n");
  TempFolder folder;
  EXPECT_TRUE(host.run(sh(script).out(nr::Stdio::file(folder / "f", FileMode::truncate)).err(nr::Stdio::merge()))
                  .success());
  EXPECT_EQ(file_text(folder / "f"), "o\ne\np\n");
}

TEST(Streams, AStreamThatIsNoPipeCannotBeReadOrWritten) {
  EngineFixture host;
  Running cat = host.spawn(nr::Command("sleep", "600").out(nr::Stdio::null()));
  const auto read = nr::blocking::get(cat.process().read(), verb_deadline());
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, nr::ErrorCode::not_a_pipe);
  const auto written = nr::blocking::get(cat.process().write("x"), verb_deadline());
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, nr::ErrorCode::not_a_pipe);
}

TEST(Streams, TwoReadersOfOneStreamAtOnceAreToldSo) {
  EngineFixture host;
  Running sleeper = host.spawn(nr::Command("sleep", "600"));
  const auto is_busy = [](const auto& read) {
    return !read.has_value() && read.error().code == nr::ErrorCode::stream_busy;
  };
  std::atomic<bool> ended = false;
  std::thread first([&] {
    for (;;) {
      const auto read = nr::blocking::get(sleeper.process().read(), verb_deadline());
      if (is_busy(read)) continue;  // The other one was first, for a moment.
      ended = read.has_value() && !read->has_value();
      return;
    }
  });
  EXPECT_TRUE(eventually([&] {
    return is_busy(nr::blocking::get(sleeper.process().read(), nr::Deadline::after(20ms)));
  }));
  sleeper.process().kill();
  first.join();
  EXPECT_TRUE(ended) << "the refusal of the second did not touch the first";
}

TEST(Streams, MoreDescriptorsGoInBothDirections) {
  EngineFixture host;
  Running shell = host.spawn(sh("read line <&5; echo \"3:$line\" >&3; cat <&5 >&9")
                                 .extra({3, nr::Direction::from_command, nr::Stdio::pipe()})
                                 .extra({5, nr::Direction::to_command, nr::Stdio::pipe()})
                                 .extra({9, nr::Direction::from_command, nr::Stdio::pipe()}));
  shell.write("first\nthe rest", nr::extra_stream(5));
  EXPECT_EQ(shell.read_exactly(8, nr::extra_stream(3)), "3:first\n");
  shell.close_input(nr::extra_stream(5));
  EXPECT_EQ(shell.read_all(nr::extra_stream(9)), "the rest");
  EXPECT_EQ(shell.read_all(nr::extra_stream(3)), "");
  EXPECT_TRUE(shell.wait().success());
}

TEST(Streams, AnExtraDescriptorIsUnderCreditToo) {
  EngineFixture host({.shards = 1, .pipe_bytes = 64 * KiB});
  Progress written, taken;
  Running flood = host.spawn(child("flood", written.path(), "4096", "7")
                                 .extra({7, nr::Direction::from_command, nr::Stdio::pipe().window(4 * KiB)}));
  EXPECT_TRUE(eventually([&] { return flood.held_bytes(nr::extra_stream(7)) == 4 * KiB; }));
  EXPECT_TRUE(remains([&] { return written.bytes() <= 68 * KiB; }));

  Running reader = host.spawn(child("check_pattern", taken.path(), "4")
                                  .extra({4, nr::Direction::to_command, nr::Stdio::pipe().window(4 * KiB)}));
  const std::string input = pattern(500'000);
  std::atomic<std::size_t> accepted = 0;
  std::thread writer([&] {
    for (std::size_t at = 0; at < input.size(); at += 1000) {
      reader.write(std::string_view(input).substr(at, 1000), nr::extra_stream(4));
      accepted += 1000;
    }
    reader.close_input(nr::extra_stream(4));
  });
  EXPECT_TRUE(eventually([&] { return accepted >= 64'000; }));
  EXPECT_TRUE(remains([&] { return accepted <= 68 * KiB; })) << accepted;
  taken.go();
  EXPECT_EQ(reader.read_all(), "500000 right\n");
  writer.join();
}

TEST(Streams, AnExtraDescriptorMayBeAFileOrAHostsOwn) {
  EngineFixture host;
  TempFolder folder;
  write_file(folder / "in", "from a file\n");
  OpenFile own(folder / "own", O_RDWR | O_CREAT);
  const nr::Completed completed = host.run(
      nr::Command::shell("cat <&3; echo own >&200", "/bin/bash")
          .extra({3, nr::Direction::to_command, nr::Stdio::file(folder / "in")})
          .extra({200, nr::Direction::from_command, nr::Stdio::descriptor(own.fd())}));
  EXPECT_EQ(completed.out.head, "from a file\n");
  EXPECT_EQ(file_text(folder / "own"), "own\n");
}

TEST(Streams, AnExtraDescriptorOutOfRangeOrTwiceIsRefused) {
  EngineFixture host;
  const auto refused = [&](const nr::Command& command) {
    const auto started = nr::blocking::get(host->spawn(command), verb_deadline());
    return !started.has_value() && started.error().code == nr::ErrorCode::invalid_argument;
  };
  const nr::Command command("true");
  EXPECT_TRUE(refused(command.extra({2, nr::Direction::from_command, nr::Stdio::null()})));
  EXPECT_TRUE(refused(command.extra({256, nr::Direction::from_command, nr::Stdio::null()})));
  EXPECT_TRUE(refused(command.extra({-1, nr::Direction::from_command, nr::Stdio::null()})));
  EXPECT_TRUE(refused(command.extra({3, nr::Direction::from_command, nr::Stdio::null()})
                          .extra({3, nr::Direction::to_command, nr::Stdio::null()})));
}

TEST(Streams, AnOutputThatTheReaderClosesEndsItsWriterBySigpipe) {
  EngineFixture host;
  Running yes = host.spawn(nr::Command("yes"));
  EXPECT_FALSE(yes.read_text().empty());
  yes.close_output();
  const nr::Ended ended = yes.wait();
  EXPECT_EQ(end_signal(ended), SIGPIPE);
  EXPECT_EQ(ended.stream(nr::Stream::out)->end, nr::StreamEnd::abandoned);
  EXPECT_EQ(ended.reason, nr::EndReason::signaled);
}

}  // namespace
}  // namespace tests
