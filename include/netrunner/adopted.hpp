#pragma once
/// A process that somebody else started: awaited, signalled and stopped by its pidfd, without being its parent.

#include <cstdint>
#include <sys/types.h>
#include <utility>
#include <vector>

#include <netrunner/awaitable.hpp>
#include <netrunner/exit_status.hpp>
#include <netrunner/kill_ladder.hpp>

namespace netrunner {

/// How an adopted process ended.
struct AdoptedEnd {
  pid_t pid = 0;
  /// Known where it is a child of this process (it stays to be reaped: by you, see waitid(2) WNOWAIT) and, since Linux
  /// 6.15, where its own parent has reaped it within a tenth of a second; else Unknown.
  ExitStatus status = Unknown{};
  EndReason reason = EndReason::exited;  ///< exited (by itself, as far as is known), signaled or stopped.
  std::int64_t ended_ns = 0;             ///< CLOCK_MONOTONIC: when it was seen.
  std::vector<SignalSent> signals;       ///< Ours, in order, 64 at most.
};

/// One process that was started elsewhere. What it has started itself is out of reach: no containment, no streams, no
/// usage. Move-only; may be used and dropped in any thread. Dropped, or its engine closed: the process is let alone,
/// and a ladder under way ends. Outlives its Engine safely: verbs then give `engine_closed`.
class Adopted {
 public:
  Adopted() noexcept = default;
  Adopted(detail::Core* core, detail::Adoption* adoption, pid_t pid) noexcept
      : core_(core), adoption_(adoption), pid_(pid) {}
  Adopted(Adopted&& other) noexcept
      : core_(other.core_), adoption_(std::exchange(other.adoption_, nullptr)), pid_(other.pid_) {}
  Adopted& operator=(Adopted&& other) noexcept {
    Adopted taken(std::move(other));
    std::swap(core_, taken.core_);
    std::swap(adoption_, taken.adoption_);
    std::swap(pid_, taken.pid_);
    return *this;
  }
  ~Adopted();

  [[nodiscard]] explicit operator bool() const noexcept { return adoption_ != nullptr; }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

  /// Its end; any number of times, also after the fact.
  [[nodiscard]] Awaitable<AdoptedEnd> wait() const;
  /// One signal to this process alone. Errors: already_exited, permission_denied.
  [[nodiscard]] Awaitable<void> signal(int number);
  /// Orders a ladder and returns at once: each signal goes to this process alone, whatever its target says; a rung that
  /// runs a program is passed over. A second stop may only shorten the first.
  void stop(const KillLadder& ladder = KillLadder()) const;

 private:
  detail::Core* core_ = nullptr;
  detail::Adoption* adoption_ = nullptr;
  pid_t pid_ = 0;
};

}  // namespace netrunner
