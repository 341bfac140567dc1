/// What the engine tells its operator: nothing unless asked, and then each thing that was lost and made up for.

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <netrunner/spdlog.hpp>
#include <string>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/contained.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/leak_check.hpp"

namespace tests {
namespace {

/// "warning: shard 0: shepherd 7 died; ..." of each line.
class Lines {
 public:
  void add(std::string_view level, std::string_view line) {
    const std::lock_guard guard(mutex_);
    lines_.push_back(std::string(level) + ": " + std::string(line));
  }
  [[nodiscard]] nr::Logger logger(nr::LogLevel least) {
    return nr::Logger([this](nr::LogLevel level, std::string_view line) { add(nr::name_of(level), line); }, least);
  }
  [[nodiscard]] bool has(std::string_view part) const {
    const std::lock_guard guard(mutex_);
    return std::ranges::any_of(lines_, [&](const std::string& line) { return line.find(part) != line.npos; });
  }
  [[nodiscard]] std::string text() const {
    const std::lock_guard guard(mutex_);
    std::string all;
    for (const std::string& line : lines_) all += line + "\n";
    return all;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

nr::EngineOptions logging(Lines& lines, nr::LogLevel least = nr::LogLevel::info) {
  nr::EngineOptions options;
  options.shards = 1;
  options.logger = lines.logger(least);
  return options;
}

TEST(Log, SaysWhichContainmentIsInEffectAndWhyNoneStronger) {
  for (const auto level : {nr::Containment::automatic, nr::Containment::process_group}) {
    Lines lines;
    nr::EngineOptions options = logging(lines);
    options.containment = level;
    EngineFixture host(options);
    const nr::ShardStats stats = host.shard_stats();
    EXPECT_TRUE(lines.has("containment: " + std::string(nr::name_of(stats.containment)))) << lines.text();
    if (!stats.containment_note.empty()) {
      EXPECT_TRUE(lines.has("warning: containment")) << lines.text();
      EXPECT_TRUE(lines.has(stats.containment_note)) << lines.text();
    }
  }
}

TEST(Log, ALostShepherdAndItsReplacementAreTold) {
  Lines lines;
  EngineFixture host(logging(lines));
  Running command = host.spawn(nr::Command("sleep", "1000").out(nr::Stdio::null()));
  const pid_t lost = host.shard_stats().shepherd_pid;
  ASSERT_EQ(::kill(lost, SIGKILL), 0);
  command.wait();
  EXPECT_TRUE(lines.has("warning: shard 0: shepherd " + std::to_string(lost) +
                        " died; 1 running commands end with shepherd_lost")) << lines.text();
  EXPECT_TRUE(eventually([&] { return lines.has("info: shard 0: shepherd ") && lines.has("replaces the lost one"); }))
      << lines.text();
}

TEST(Log, WhatASweepFoundIsTold) {
  SKIP_WITHOUT_CONTAINMENT(nr::Containment::cgroup);
  // As a host leaves it that died with all its shepherds: its pid is one that nobody has.
  std::ifstream boot("/proc/sys/kernel/random/boot_id");
  std::string boot_id;
  std::getline(boot, boot_id);
  std::erase(boot_id, '-');
  const std::string space = std::filesystem::read_symlink("/proc/self/ns/pid").string();
  const std::string inode = space.substr(space.find('[') + 1, space.find(']') - space.find('[') - 1);
  const std::string left = own_cgroup_path() + "/netrunner-" + boot_id + "-" + inode + "-999999999-1";
  ASSERT_TRUE(std::filesystem::create_directory(left));
  Lines lines;
  const EngineFixture host(logging(lines));
  EXPECT_TRUE(lines.has("info: swept what ")) << lines.text();
  EXPECT_TRUE(lines.has(" dead owners had left: 0 processes killed")) << lines.text();
  EXPECT_FALSE(std::filesystem::exists(left));
}

TEST(Log, CommandsAreTalkedOfOnlyWhereDebugIsWanted) {
  Lines info, debug;
  const nr::Command command = sh("echo secret-argument; exit 4").env("SECRET", "secret-value");
  EXPECT_FALSE(EngineFixture(logging(info)).run(command).success());
  EXPECT_FALSE(EngineFixture(logging(debug, nr::LogLevel::debug)).run(command).success());
  EXPECT_FALSE(info.has("command ")) << info.text();
  EXPECT_TRUE(debug.has("debug: command 1 (/bin/sh, pid ")) << debug.text();
  EXPECT_TRUE(debug.has("ended: exited, exited 4")) << debug.text();
  EXPECT_FALSE(debug.has("secret")) << debug.text();
}

TEST(Log, AKillAtTheCloseIsAWarning) {
  Lines lines;
  {
    nr::EngineOptions options = logging(lines);
    options.close_max = 50ms;
    EngineFixture host(options);
    const nr::KillLadder patient{{SIGUSR1, nr::Target::leader, 60s}};
    Running deaf = host.spawn(sh("trap '' USR1; echo deaf; while :; do sleep 0.02; done").ladder(patient));
    EXPECT_EQ(deaf.read_exactly(5), "deaf\n");
    EXPECT_EQ(host->close().killed, 1u);
  }
  EXPECT_TRUE(lines.has("warning: shard 0 closed: 1 commands stopped, 1 of them killed")) << lines.text();
}

/// As an embedder has them; written out, so that no other header of spdlog is needed.
class KeepingSink final : public spdlog::sinks::sink {
 public:
  explicit KeepingSink(Lines& lines) : lines_(lines) {}
  void log(const spdlog::details::log_msg& message) override {
    lines_.add(std::string_view(spdlog::level::to_string_view(message.level).data()),
               std::string_view(message.payload.data(), message.payload.size()));
  }
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

 private:
  Lines& lines_;
};

TEST(Log, MayGoToALoggerOfSpdlog) {
  Lines lines;
  const auto logger = std::make_shared<spdlog::logger>("engine", std::make_shared<KeepingSink>(lines));
  logger->set_level(spdlog::level::debug);
  nr::EngineOptions options;
  options.shards = 1;
  options.logger = nr::log_to(logger);
  EXPECT_TRUE(options.logger.wants(nr::LogLevel::debug));
  {
    EngineFixture host(options);
    EXPECT_TRUE(host.run(nr::Command("true")).success());
  }
  EXPECT_TRUE(lines.has("debug: command 1 (true, pid ")) << lines.text();
  logger->set_level(spdlog::level::err);
  EXPECT_FALSE(nr::log_to(logger).wants(nr::LogLevel::warning));
  EXPECT_TRUE(nr::log_to(logger).wants(nr::LogLevel::error));
}

}  // namespace
}  // namespace tests
