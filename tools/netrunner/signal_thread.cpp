#include "tools/netrunner/signal_thread.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <utility>

#include "tools/netrunner/orphans.hpp"

namespace netrunner::tool {
namespace {

/// All that can be caught, but: CHLD (of no child of ours), PIPE, what a fault of our own raises, and the timers and
/// limits of our own process.
constexpr std::array passed_on = {SIGUSR1, SIGUSR2, SIGALRM, SIGCONT, SIGWINCH, SIGURG, SIGIO, SIGPWR};
constexpr std::array respected = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU};

bool is_ignored(int signal) noexcept {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

bool is_termination(int signal) noexcept {
  return signal == SIGHUP || signal == SIGINT || signal == SIGQUIT || signal == SIGTERM;
}

bool is_terminal_stop(int signal) noexcept { return signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU; }

SignalThread::SignalThread() {
  sigemptyset(&taken_);
  for (const int signal : passed_on) sigaddset(&taken_, signal);
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) sigaddset(&taken_, signal);
  for (const int signal : respected) {
    if (!is_ignored(signal)) sigaddset(&taken_, signal);
  }
  if (is_init()) sigaddset(&taken_, SIGCHLD);
  (void)::pthread_sigmask(SIG_BLOCK, &taken_, nullptr);
}

SignalThread::~SignalThread() {
  if (thread_.joinable()) {
    const std::uint64_t one = 1;
    (void)!::write(end_fd_, &one, sizeof one);
    thread_.join();
  }
  if (signals_fd_ >= 0) (void)::close(signals_fd_);
  if (end_fd_ >= 0) (void)::close(end_fd_);
}

Checked<void> SignalThread::start(Handler handler) {
  signals_fd_ = ::signalfd(-1, &taken_, SFD_CLOEXEC);
  end_fd_ = ::eventfd(0, EFD_CLOEXEC);
  if (signals_fd_ < 0 || end_fd_ < 0) {
    return std::unexpected(std::string("signals can't be watched: ") + std::strerror(errno) +
                           "; raise the limit of open files (ulimit -n).");
  }
  thread_ = std::jthread([this, handler = std::move(handler)] { handle_all(handler); });
  return {};
}

void SignalThread::handle_all(const Handler& handler) const {
  for (;;) {
    std::array<pollfd, 2> ready = {pollfd{.fd = signals_fd_, .events = POLLIN, .revents = 0},
                                   pollfd{.fd = end_fd_, .events = POLLIN, .revents = 0}};
    if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) return;
    if (ready[1].revents != 0) return;
    signalfd_siginfo info{};
    if (ready[0].revents != 0 && ::read(signals_fd_, &info, sizeof info) == sizeof info) {
      if (info.ssi_signo == SIGCHLD) {
        reap_orphans();
      } else {
        handler(static_cast<int>(info.ssi_signo));
      }
    }
  }
}

}  // namespace netrunner::tool
