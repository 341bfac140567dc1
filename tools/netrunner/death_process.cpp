#include "tools/netrunner/death_process.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

#include "tools/netrunner/messages.hpp"
#include "tools/netrunner/stress_proc.hpp"

namespace netrunner::tool {
namespace {

using namespace std::chrono_literals;

constexpr auto answer_max = std::chrono::seconds(60);

int open_pidfd(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

}  // namespace

DeathProcess::DeathProcess(const std::vector<std::string>& arguments) {
  std::array<int, 2> in{-1, -1}, out{-1, -1};
  const bool piped = ::pipe2(in.data(), O_CLOEXEC) == 0 && ::pipe2(out.data(), O_CLOEXEC) == 0;
  if (piped) start(arguments, in[0], out[1]);
  else failure_ = "no pipes to the host: " + std::generic_category().message(errno);
  for (const int fd : {in[0], out[1]}) {
    if (fd >= 0) ::close(fd);
  }
  orders_ = in[1];
  answers_ = out[0];
}

void DeathProcess::start(const std::vector<std::string>& arguments, int in, int out) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  std::vector<std::string> words = {own_program(), "stress", "--death-host"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const auto spawn = [&] { return ::posix_spawn(&pid_, pointers[0], &actions, nullptr, pointers.data(), environ); };
  int failed = spawn();
  const Deadline deadline = Deadline::after(answer_max);  // Bombs beside it may have used up the process numbers.
  while (failed == EAGAIN && Deadline::now_ns() < deadline.monotonic_ns()) {
    std::this_thread::sleep_for(20ms);
    failed = spawn();
  }
  posix_spawn_file_actions_destroy(&actions);
  if (failed == 0) return;
  pid_ = -1;
  failure_ = "the host could not be started: " + std::generic_category().message(failed);
}

DeathProcess::~DeathProcess() {
  if (pid_ > 0) {
    kill(SIGKILL);
    (void)wait_dead(60s);
  }
  for (const int fd : {orders_, answers_}) {
    if (fd >= 0) ::close(fd);
  }
}

std::optional<std::string> DeathProcess::next_line() {
  const Deadline deadline = Deadline::after(answer_max);
  for (;;) {
    if (const std::size_t end = unread_.find('\n'); end != std::string::npos) {
      std::string line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return line;
    }
    const std::int64_t left_ms = (deadline.monotonic_ns() - Deadline::now_ns()) / 1'000'000;
    pollfd ready{.fd = answers_, .events = POLLIN, .revents = 0};
    if (left_ms <= 0 || ::poll(&ready, 1, static_cast<int>(left_ms)) == 0) {
      failure_ = "the host doesn't answer";
      return std::nullopt;
    }
    std::array<char, 4096> buffer{};
    const ssize_t got = ::read(answers_, buffer.data(), buffer.size());
    if (got == 0 || (got < 0 && errno != EINTR)) {
      failure_ = "the host ended";
      return std::nullopt;
    }
    if (got > 0) unread_.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

bool DeathProcess::wait_ready() {
  if (pid_ <= 0) return false;
  while (const std::optional<std::string> line = next_line()) {
    if (*line == "ready") return true;
    if (line->starts_with("error ")) refused_ = line->substr(6);
    if (line->starts_with("failed ")) failure_ = line->substr(7);
    if (!refused_.empty() || !failure_.empty()) return false;
    if (line->starts_with("shepherd ")) working_.push_back(std::atoi(line->c_str() + 9));
  }
  return false;
}

void DeathProcess::order(const std::string& line) const { (void)write_all(orders_, line + "\n"); }

bool DeathProcess::wait_dead(Nanoseconds limit) {
  if (pid_ <= 0) return true;
  const int pidfd = open_pidfd(pid_);
  pollfd ended{.fd = pidfd, .events = POLLIN, .revents = 0};
  const bool dead = ::poll(&ended, 1, static_cast<int>(limit / 1ms)) == 1;
  ::close(pidfd);
  if (!dead) return false;
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return true;
}

void DeathProcess::kill(int signal) const {
  if (pid_ > 0) (void)::kill(pid_, signal);
}

std::vector<pid_t> DeathProcess::all_shepherds() const {
  std::vector<pid_t> shepherds;
  if (pid_ <= 0) return shepherds;
  for (const pid_t pid : pids_by_pidfd(pid_)) {
    if (is_shepherd(pid)) shepherds.push_back(pid);
  }
  return shepherds;
}

bool is_shepherd(pid_t pid) { return proc_text(pid, "cmdline").starts_with("netrunner-shepherd"); }

void signal_shepherd(pid_t pid, int signal) {
  const int pidfd = open_pidfd(pid);
  if (pidfd < 0) return;
  // After the pidfd was opened: what it says now is true of what gets the signal.
  if (is_shepherd(pid)) (void)::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0);
  ::close(pidfd);
}

}  // namespace netrunner::tool
