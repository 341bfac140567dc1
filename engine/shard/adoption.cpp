#include "engine/shard/adoption.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <utility>

#include <netrunner/awaitable.hpp>
#include <netrunner/deadline.hpp>

#include "engine/os/exit_info.hpp"
#include "engine/os/pidfd.hpp"
#include "engine/shard/shard.hpp"

namespace netrunner::detail {
namespace {

constexpr std::size_t signals_kept_max = 64;
/// How long its parent may take to reap it, after which the kernel knows its exit status.
constexpr std::int64_t seek_max_ns = 100'000'000;
constexpr std::int64_t seek_pause_min_ns = 500'000;

ExitStatus status_of(const os::ExitInfo& info) {
  switch (info.code) {
    case CLD_EXITED: return Exited{info.status};
    case CLD_KILLED: return Signaled{info.status, false};
    case CLD_DUMPED: return Signaled{info.status, true};
    default: return Unknown{};
  }
}

/// A stopped process gets no SIGTERM until it goes on.
bool needs_continue(int signal) {
  return signal != SIGKILL && signal != SIGSTOP && signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU &&
         signal != SIGCONT;
}

}  // namespace

Adoption::Adoption(os::UniqueFd pidfd, pid_t pid)
    : pidfd_(std::move(pidfd)),
      poll_(this, [](void* self, ring::Completion) { static_cast<Adoption*>(self)->look(); }),
      rung_(this, [](void* self) { static_cast<Adoption*>(self)->climb(); }),
      seek_(this, [](void* self) { static_cast<Adoption*>(self)->seek_status(); }) {
  end_.pid = pid;
}

Adoption::~Adoption() = default;

void Adoption::begin(shard::Shard& shard, reactor::Reactor& reactor, shard::VerbQueue& verbs) {
  shard_ = &shard;
  reactor_ = &reactor;
  verbs_ = &verbs;
  watch();
}

void Adoption::watch() { poll_.arm(reactor_->ring(), pidfd_.get(), POLLIN); }

void Adoption::look() {
  if (closed_ || released_ || ended_) return;
  if (!os::has_ended(pidfd_.get())) return watch();
  reactor_->timers().disarm(rung_);
  end_.ended_ns = reactor_->now_ns();
  seek_until_ns_ = end_.ended_ns + seek_max_ns;
  seek_pause_ns_ = seek_pause_min_ns;
  seek_status();
}

void Adoption::seek_status() {
  os::ExitInfo info;
  const os::ExitKnowledge knowledge = os::exit_of(pidfd_.get(), info);
  if (knowledge == os::ExitKnowledge::not_yet && reactor_->now_ns() < seek_until_ns_) {
    reactor_->timers().arm(seek_, reactor_->now_ns() + seek_pause_ns_);
    seek_pause_ns_ *= 2;
    return;
  }
  end_.status = status_of(info);
  finish();
}

void Adoption::finish() {
  ended_ = true;
  const bool signaled = std::holds_alternative<Signaled>(end_.status);
  end_.reason = stopping_ ? EndReason::stopped : signaled ? EndReason::signaled : EndReason::exited;
  while (Verb* verb = end_verbs_.pop()) {
    static_cast<Awaitable<AdoptedEnd>*>(verb)->value.emplace(end_);
    verbs_->complete(*verb);
  }
}

void Adoption::handle(Verb& verb) {
  if (verb.kind == VerbKind::adopted_end) {
    if (!ended_ && !closed_) return end_verbs_.push(verb);
    if (!ended_) return verbs_->fail(verb, ErrorCode::engine_closed, "the engine was closed");
    static_cast<Awaitable<AdoptedEnd>&>(verb).value.emplace(end_);
    return verbs_->complete(verb);
  }
  const int failure = closed_ ? ESRCH : send(verb.number);
  if (failure == 0) return verbs_->complete(verb);
  Error error = system_error("signal " + std::to_string(verb.number) + " to process " + std::to_string(end_.pid),
                             Stage::none, failure);
  if (failure == ESRCH) error.code = closed_ ? ErrorCode::engine_closed : ErrorCode::already_exited;
  verbs_->fail(verb, std::move(error));
}

/// 0 or the errno. A process that has ended, but isn't reaped, would take it silently.
int Adoption::send(int signal) {
  const int failure = os::has_ended(pidfd_.get()) ? ESRCH : os::signal_pidfd(pidfd_.get(), signal);
  if (end_.signals.size() < signals_kept_max && failure != ESRCH) {
    end_.signals.push_back({signal, Target::leader, Deadline::now_ns(), failure});
  }
  return failure;
}

std::int64_t Adoption::kill_ns(const std::vector<Rung>& rungs, std::size_t next, std::int64_t due_ns) const {
  Nanoseconds wait{0};
  for (; next < rungs.size() && rungs[next].signal != SIGKILL; ++next) {
    wait = Nanoseconds(Deadline::after_from(wait.count(), rungs[next].pause).monotonic_ns());
  }
  return Deadline::after_from(due_ns, wait).monotonic_ns();
}

void Adoption::stop(const KillLadder& ladder) {
  if (ended_ || closed_ || released_) return;
  const std::int64_t now = reactor_->now_ns();
  std::vector<Rung> rungs = ladder.rungs();
  std::erase_if(rungs, [](const Rung& rung) { return !rung.command.empty(); });
  if (stopping_ && kill_ns(rungs, 0, now) >= kill_ns(rungs_, next_rung_, rung_due_ns_)) return;
  stopping_ = true;
  rungs_ = std::move(rungs);
  next_rung_ = 0;
  climb();
}

void Adoption::climb() {
  while (next_rung_ < rungs_.size()) {
    const Rung& rung = rungs_[next_rung_++];
    if (rung.signal == 0) continue;
    const int failure = send(rung.signal);
    if (failure == 0 && needs_continue(rung.signal)) (void)os::signal_pidfd(pidfd_.get(), SIGCONT);
    rung_due_ns_ = Deadline::after_from(reactor_->now_ns(), rung.pause).monotonic_ns();
    if (rung.pause.count() > 0) return reactor_->timers().arm(rung_, rung_due_ns_);
  }
}

void Adoption::let_alone() {
  reactor_->timers().disarm(rung_);
  reactor_->timers().disarm(seek_);
  reactor_->ring().cancel(poll_);
}

void Adoption::close() {
  if (closed_) return;
  closed_ = true;
  let_alone();
  while (Verb* verb = end_verbs_.pop()) verbs_->fail(*verb, ErrorCode::engine_closed, "the engine was closed");
}

void Adoption::release() {
  released_ = true;
  if (!closed_) let_alone();
}

}  // namespace netrunner::detail
