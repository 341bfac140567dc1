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
  std::array<int, 2> in{}, out{};
  if (::pipe2(in.data(), O_CLOEXEC) != 0) return;
  if (::pipe2(out.data(), O_CLOEXEC) != 0) {
    ::close(in[0]);
    ::close(in[1]);
    return;
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::vector<std::string> words = {own_program(), "stress", "--death-host"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  if (::posix_spawn(&pid_, pointers[0], &actions, nullptr, pointers.data(), environ) != 0) pid_ = -1;
  posix_spawn_file_actions_destroy(&actions);
  ::close(in[0]);
  ::close(out[1]);
  orders_ = in[1];
  answers_ = out[0];
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

std::string DeathProcess::next_line() {
  const Deadline deadline = Deadline::after(answer_max);
  for (;;) {
    if (const std::size_t end = unread_.find('\n'); end != std::string::npos) {
      std::string line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return line;
    }
    const std::int64_t left_ms = (deadline.monotonic_ns() - Deadline::now_ns()) / 1'000'000;
    pollfd ready{.fd = answers_, .events = POLLIN, .revents = 0};
    if (left_ms <= 0 || ::poll(&ready, 1, static_cast<int>(left_ms)) == 0) return "error it doesn't answer";
    std::array<char, 4096> buffer{};
    const ssize_t got = ::read(answers_, buffer.data(), buffer.size());
    if (got == 0 || (got < 0 && errno != EINTR)) return "error it ended";
    if (got > 0) unread_.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

std::string DeathProcess::wait_ready() {
  if (pid_ <= 0) return "the host could not be started";
  for (;;) {
    const std::string line = next_line();
    if (line == "ready") return {};
    if (line.starts_with("error ")) return line.substr(6);
    if (line.starts_with("shepherd ")) working_.push_back(std::atoi(line.c_str() + 9));
  }
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
