#include "tests/support/command_line.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <spawn.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "tests/support/paths.hpp"
#include "tests/support/proc.hpp"

namespace tests {

namespace {

double now_s() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

int memory_file(const char* name) {
  const int fd = ::memfd_create(name, MFD_CLOEXEC);
  // Several processes write to it: a memfd has no lock on the offset that they share, and lines would be lost.
  if (fd < 0 || ::fcntl(fd, F_SETFL, O_APPEND) != 0) throw std::runtime_error("memfd_create");
  return fd;
}

/// From the start, whatever the offset that it shares with the writer is.
std::string contents(int fd) {
  std::string text;
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t got = ::pread(fd, buffer.data(), buffer.size(), static_cast<off_t>(text.size()));
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

/// Not ru_maxrss: it has the memory of this process in it, whose image the child had before its exec.
long resident_high_kib(pid_t pid) {
  const std::string status = proc_file(pid, "status");
  const std::size_t at = status.find("VmHWM:");
  return at == std::string::npos ? 0 : std::stol(status.substr(at + 6));
}

/// The child starts with nothing blocked and nothing ignored, whatever this process has.
pid_t spawn(std::vector<std::string> argv, int in, int out, int err) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::vector<char*> pointers;
  for (std::string& argument : argv) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  pid_t pid = -1;
  const int failed = posix_spawnp(&pid, pointers[0], &actions, &attributes, pointers.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw std::runtime_error("posix_spawnp: " + argv[0]);
  return pid;
}

}  // namespace

CommandLine::CommandLine(std::vector<std::string> argv, std::string_view input)
    : in_(memory_file("in")), out_(memory_file("out")), err_(memory_file("err")), started_s_(now_s()) {
  for (std::string_view rest = input; !rest.empty();) {
    const ssize_t written = ::write(in_, rest.data(), rest.size());
    if (written <= 0) throw std::runtime_error("write to a memfd");
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  (void)::lseek(in_, 0, SEEK_SET);
  pid_ = spawn(std::move(argv), in_, out_, err_);
}

CommandLine::~CommandLine() {
  if (pid_ > 0) {
    (void)::kill(pid_, SIGKILL);
    (void)::waitpid(pid_, nullptr, 0);
  }
  for (const int fd : {in_, out_, err_}) (void)::close(fd);
}

std::string CommandLine::out() const { return contents(out_); }
std::string CommandLine::err() const { return contents(err_); }

void CommandLine::signal(int number) const {
  if (pid_ > 0) (void)::kill(pid_, number);
}

CommandResult CommandLine::wait() {
  int status = 0;
  long high_kib = 0;
  for (;;) {
    const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
    if (ended < 0) throw std::runtime_error("waitpid");
    if (ended > 0) break;
    high_kib = std::max(high_kib, resident_high_kib(pid_));
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  pid_ = -1;
  return {.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
          .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
          .out = out(),
          .err = err(),
          .seconds = now_s() - started_s_,
          .max_rss_kib = high_kib};
}

std::vector<std::string> netrunner_argv(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), command_path());
  return arguments;
}

CommandResult netrunner_command(std::vector<std::string> arguments, std::string_view input) {
  return CommandLine(netrunner_argv(std::move(arguments)), input).wait();
}

CommandResult netrunner_script(const std::string& script, std::string_view input) {
  return CommandLine({"/bin/sh", "-c", std::string("NR=") + command_path() + "\n" + script}, input).wait();
}

std::string json_value(std::string_view json, std::string_view name) {
  const std::string key = "\"" + std::string(name) + "\":";
  const std::size_t found = json.find(key);
  if (found == std::string_view::npos) return {};
  json.remove_prefix(found + key.size());
  json.remove_prefix(std::min(json.find_first_not_of(' '), json.size()));
  if (json.starts_with('"')) return std::string(json.substr(1, json.find('"', 1) - 1));
  return std::string(json.substr(0, json.find_first_of(",}]\n")));
}

}  // namespace tests
