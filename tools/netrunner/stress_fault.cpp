#include "tools/netrunner/stress_fault.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/netrunner/messages.hpp"
#include "tools/netrunner/stress_roll.hpp"

namespace netrunner::tool {
namespace {

constexpr int cannot_start = 70;

struct Fault {
  std::string roll, id;
  std::vector<std::string> arguments;
  int roll_fd = -1;
  [[nodiscard]] std::uint64_t number(std::size_t index) const {
    return index < arguments.size() ? std::strtoull(arguments[index].c_str(), nullptr, 10) : 0;
  }
  [[nodiscard]] bool has(std::string_view word) const {
    return std::ranges::find(arguments, word) != arguments.end();
  }
  [[nodiscard]] bool roll_is_kept() const {
    struct stat file {};
    return ::fstat(roll_fd, &file) == 0 && file.st_nlink > 0;
  }
  void take_name(std::string_view prefix) const {
    (void)::prctl(PR_SET_NAME, (std::string(prefix) + id).c_str(), 0, 0, 0);
  }
};

[[noreturn]] void stay() {
  for (;;) ::pause();
}

void say_ready() { (void)write_all(STDOUT_FILENO, fault_ready); }

void become_deaf() {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2}) (void)std::signal(signal, SIG_IGN);
}

int sleep_on(const Fault&) {
  say_ready();
  stay();
}

int deaf(const Fault&) {
  become_deaf();
  say_ready();
  stay();
}

int stopped(const Fault&) {
  say_ready();
  (void)std::raise(SIGSTOP);
  stay();
}

/// In the middle of a start that never ends, as far as this program can show it: it never says that it is ready.
int mute(const Fault&) { stay(); }

/// What is left of an escapee after its exec, with an empty environment: its pipe is in its arguments.
int bare(const Fault& fault) {
  fault.take_name(RollCall::escapee_prefix);
  if (fault.has("deaf")) become_deaf();
  const int tell = static_cast<int>(fault.number(0));
  (void)write_all(tell, "+");
  ::close(tell);
  stay();
}

[[noreturn]] void escape(const Fault& fault, int tell) {
  (void)::setsid();
  fault.take_name(RollCall::escapee_prefix);
  if (fault.has("deaf")) become_deaf();
  if (fault.has("bare")) {
    const std::string descriptor = std::to_string(tell);
    const char* hearing = fault.has("deaf") ? "deaf" : "hears";
    std::array<const char*, 9> arguments = {"netrunner", "stress", "--fault", "bare", fault.roll.c_str(),
                                            fault.id.c_str(), descriptor.c_str(), hearing, nullptr};
    std::array<char*, 1> nothing = {nullptr};
    (void)::execve("/proc/self/exe", const_cast<char**>(arguments.data()), nothing.data());
    ::_exit(cannot_start);
  }
  (void)write_all(tell, "+");
  ::close(tell);
  stay();
}

/// escapee [deaf] [bare] [leave]: a grandchild in a session of its own, whose parent is gone.
int escapee(const Fault& fault) {
  std::array<int, 2> told{};
  if (::pipe(told.data()) != 0) return cannot_start;
  const pid_t between = ::fork();
  if (between == 0) {
    (void)::setsid();
    const pid_t grandchild = ::fork();
    if (grandchild == 0) escape(fault, told[1]);
    ::_exit(grandchild < 0 ? cannot_start : 0);
  }
  ::close(told[1]);
  (void)::waitpid(between, nullptr, 0);
  char there = 0;
  if (between < 0 || ::read(told[0], &there, 1) != 1) return cannot_start;
  ::close(told[0]);
  if (fault.has("deaf")) become_deaf();
  say_ready();
  if (fault.has("leave")) return 0;
  stay();
}

/// hopper PAUSE_US [restless]: a process that forks and exits, for ever, in a session of its own; the restless one
/// makes a new session each time. The leader stays.
int hopper(const Fault& fault) {
  const auto pause_us = static_cast<useconds_t>(fault.number(0));
  const pid_t first = ::fork();
  if (first < 0) return cannot_start;
  if (first > 0) {
    say_ready();
    (void)::waitpid(first, nullptr, 0);
    stay();
  }
  (void)::setsid();
  fault.take_name(RollCall::escapee_prefix);
  for (;;) {
    const pid_t next = ::fork();
    // Nobody can catch it by its number: it ends by itself when the roll is no longer kept.
    if (next > 0 || !fault.roll_is_kept()) ::_exit(0);
    if (fault.has("restless")) (void)::setsid();
    if (pause_us > 0) ::usleep(pause_us);
  }
}

/// bomb DEPTH: 2^DEPTH processes in all, half of them in sessions of their own.
int bomb(const Fault& fault) {
  const std::uint64_t depth = std::min<std::uint64_t>(fault.number(0), 10);
  std::array<int, 2> told{};
  if (::pipe(told.data()) != 0) return cannot_start;
  const pid_t leader = ::getpid();
  for (std::uint64_t level = 0; level < depth; ++level) {
    if (::fork() != 0) continue;
    fault.take_name(RollCall::escapee_prefix);
    if (level % 2 == 0) (void)::setsid();
  }
  if (::getpid() != leader) {
    (void)write_all(told[1], "+");
    ::close(told[0]);
    ::close(told[1]);
    stay();
  }
  ::close(told[1]);
  char there = 0;
  for (std::uint64_t others = (1ULL << depth) - 1; others > 0 && ::read(told[0], &there, 1) == 1;) --others;
  say_ready();
  stay();
}

/// flood SEED: writes for ever.
int flood(const Fault& fault) {
  constexpr std::size_t piece = 32 * 1024;
  for (std::uint64_t offset = 0;; offset += piece) {
    if (write_all(STDOUT_FILENO, stress_bytes(fault.number(0), offset, piece)) != 0) return 1;
  }
}

/// write SEED OUT_BYTES ERR_BYTES CODE: both streams in turn, then exits.
int write_both(const Fault& fault) {
  constexpr std::uint64_t piece = 10'007;  // No power of two: pieces and pipe buffers don't line up.
  std::array<std::uint64_t, 2> done{}, wanted = {fault.number(1), fault.number(2)};
  while (done[0] < wanted[0] || done[1] < wanted[1]) {
    for (const std::size_t stream : {0U, 1U}) {
      const std::uint64_t size = std::min(piece, wanted[stream] - done[stream]);
      const std::string bytes = stress_bytes(fault.number(0) + stream, done[stream], size);
      if (write_all(stream == 0 ? STDOUT_FILENO : STDERR_FILENO, bytes) != 0) return 1;
      done[stream] += size;
    }
  }
  return static_cast<int>(fault.number(3));
}

/// cat: stdin to stdout.
int cat(const Fault&) {
  std::array<char, 16 * 1024> buffer{};
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got <= 0) return got == 0 ? 0 : 1;
    if (write_all(STDOUT_FILENO, std::string_view(buffer.data(), static_cast<std::size_t>(got))) != 0) return 1;
  }
}

/// shut: reads a little, closes its stdin, says so and exits.
int shut(const Fault&) {
  char some = 0;
  (void)!::read(STDIN_FILENO, &some, 1);
  ::close(STDIN_FILENO);
  say_ready();
  return 0;
}

int leave_with(const Fault& fault) { return static_cast<int>(fault.number(0)); }

int crash(const Fault& fault) {
  (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  (void)std::raise(static_cast<int>(fault.number(0)));
  return cannot_start;
}

struct Named {
  std::string_view name;
  int (*run)(const Fault&);
};
constexpr std::array<Named, 14> faults = {{{"sleep", sleep_on},
                                           {"deaf", deaf},
                                           {"stopped", stopped},
                                           {"mute", mute},
                                           {"bare", bare},
                                           {"escapee", escapee},
                                           {"hopper", hopper},
                                           {"bomb", bomb},
                                           {"flood", flood},
                                           {"write", write_both},
                                           {"cat", cat},
                                           {"shut", shut},
                                           {"exit", leave_with},
                                           {"crash", crash}}};

}  // namespace

int run_fault(const std::vector<std::string>& words) {
  if (words.size() < 3) return cannot_start;
  (void)std::signal(SIGPIPE, SIG_DFL);
  Fault fault{.roll = words[1], .id = words[2], .arguments = {words.begin() + 3, words.end()}};
  fault.take_name(RollCall::direct_prefix);
  // Open for as long as it or any of its descendants lives; never closed here.
  fault.roll_fd = ::open(fault.roll.c_str(), O_RDWR);
  if (fault.roll_fd < 0 || ::flock(fault.roll_fd, LOCK_SH) != 0) return cannot_start;
  const auto found = std::ranges::find(faults, std::string_view(words[0]), &Named::name);
  return found == faults.end() ? cannot_start : found->run(fault);
}

std::string stress_bytes(std::uint64_t seed, std::uint64_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = stress_byte(seed, offset + i);
  return bytes;
}

}  // namespace netrunner::tool
