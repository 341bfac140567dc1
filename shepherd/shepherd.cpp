#include "shepherd/shepherd.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>

#include "shepherd/host_loss.hpp"

namespace netrunner::shepherd {

Shepherd::Shepherd(std::unique_ptr<ring::Ring> ring, Options options)
    : ring_(std::move(ring)),
      spawner_options_(options.spawner),
      channel_(*ring_, std::move(options.treaty),
               {this,
                [](void* self, const wire::Message& message, std::span<os::UniqueFd> descriptors) {
                  static_cast<Shepherd*>(self)->on_message(message, descriptors);
                },
                [](void* self, int) { static_cast<Shepherd*>(self)->end_by(Ending::on_host_loss); }}),
      spawner_(*ring_, {this,
                        [](void* self, wire::ChildId id, std::uint32_t place, CloneResult& process) {
                          static_cast<Shepherd*>(self)->on_cloned(id, place, process);
                        },
                        [](void* given, wire::ChildId id, const SpawnFailure& failure) {
                          auto& self = *static_cast<Shepherd*>(given);
                          self.failure_ = failure;
                          self.happen(self.children_.at(id.slot), Event::refused);
                        },
                        [](void* self, wire::ChildId id, std::uint32_t place) {
                          static_cast<Shepherd*>(self)->on_let_go(id, place);
                        },
                        [](void* self, wire::ChildId id, std::uint32_t place) {
                          static_cast<Shepherd*>(self)->on_stop_let_go(id, place);
                        }}),
      orphans_(*ring_, children_),
      signals_poll_(this, [](void* self, ring::Completion) { static_cast<Shepherd*>(self)->on_signals(); }),
      host_poll_(this, [](void* self, ring::Completion) {
        static_cast<Shepherd*>(self)->end_by(Ending::on_host_loss);
      }) {
}

bool Shepherd::open() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, Siblings::farewell_signal}) ::sigaddset(&signals, signal);
  signals_fd_ = os::UniqueFd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_fd_ || !children_.open() || !clock_.open(commands_max) || !orphans_.open()) return false;
  if (!leftovers_.open()) return false;
  spawner_options_.leaves = &leaves_;
  spawner_options_.limits = &limits_;
  if (!spawner_.open(spawner_options_)) return false;
  signals_poll_.arm(*ring_, signals_fd_.get(), POLLIN);
  return true;
}

int Shepherd::run() {
  say_ready();
  channel_.arm();
  channel_.flush();
  std::int64_t now = now_ns();
  while (!done(now)) {
    ring_->wait(next_deadline_ns());
    ++turns_;  // What was queued before is the kernel's now.
    spawner_.begin_turn(now_ns());
    (void)ring_->run_completions();
    now = now_ns();
    std::uint32_t slot = 0;
    while (clock_.take_due(now, slot)) on_due(slot, now);
    if (leftovers_.due_ns() <= now) leftovers_.try_again(now);
    if (leftovers_.lasting() != told_leftovers_) say_leftovers();
    if (orphans_.due_ns() <= now) {
      const pid_t lost = orphans_.look();
      Child* child = lost != 0 ? children_.led_by(lost) : nullptr;
      if (child != nullptr) heal(*child);
    }
    // A host that doesn't read gets no more answers than it has asked for until now.
    const bool behind = channel_.frames_waiting() > wire::frames_pause;
    behind ? channel_.pause() : channel_.resume();
    if (!behind) spawner_.pump(now);
    channel_.flush();
  }
  say_last_words();
  leaves_.remove_all(now_ns() + sweep_max_ns);
  const bool all_gone = kill_all_descendants(now_ns() + sweep_max_ns);
  limits_.remove_all(now_ns() + sweep_max_ns);
  if (all_gone) {
    siblings_.say_farewell();
    channel_.post(wire::MessageType::gone);
    channel_.flush();
  }
  return all_gone ? 0 : 4;
}

std::int64_t Shepherd::next_deadline_ns() const noexcept {
  std::int64_t next = std::min({clock_.earliest_ns(), orphans_.due_ns(), leftovers_.due_ns(), ending_bound_ns_});
  if (ending_ == Ending::on_host_loss) next = std::min(next, now_ns() + sibling_poll_ns);
  if (channel_.frames_waiting() <= wire::frames_pause) next = std::min(next, spawner_.next_pump_ns());
  return next;
}

bool Shepherd::done(std::int64_t now) {
  if (ending_ == Ending::no) return false;
  if (now >= ending_bound_ns_) return true;
  if (ending_ != Ending::on_host_loss) return children_.live() == 0;
  // The host is gone: siblings that died with it may have left theirs, and whoever kills them may come for us.
  siblings_.look_who_died();
  hear_signals();
  if (siblings_.one_was_killed() && !hurries_) hurry();
  const bool ended = siblings_.end_what_they_left(now), none = siblings_.have_none(now);
  return ended && none && children_.live() == 0;
}

void Shepherd::hurry() {
  hurries_ = true;
  const wire::WireRung kill{SIGKILL, static_cast<std::uint32_t>(wire::WireTarget::everything), 0};
  wanted_rungs_ = {&kill, 1};
  for (std::uint32_t slot = 0; slot < children_.touched(); ++slot) {
    if (children_.in_use(slot)) happen(children_.at(slot), Event::stop);
  }
  wanted_rungs_ = {};
}

void Shepherd::on_signals() {
  hear_signals();
  signals_poll_.arm(*ring_, signals_fd_.get(), POLLIN);
}

void Shepherd::hear_signals() {
  signalfd_siginfo signal;
  bool terminate = false;
  while (::read(signals_fd_.get(), &signal, sizeof signal) > 0) {
    if (signal.ssi_signo == static_cast<std::uint32_t>(Siblings::farewell_signal)) {
      siblings_.on_farewell(static_cast<pid_t>(signal.ssi_pid));
    } else {
      terminate = true;
    }
  }
  if (terminate) end_by(Ending::on_terminate);
}

// A later reason may only be a more urgent one.
void Shepherd::end_by(Ending ending) {
  if (ending <= ending_) return;
  ending_ = ending;
  if (ending == Ending::on_shutdown) return;
  const std::int64_t most = ending == Ending::on_terminate ? terminate_max_ns : host_loss_max_ns;
  ending_bound_ns_ = std::min(ending_bound_ns_, now_ns() + most);
  climb_all();
}

void Shepherd::climb_all() {
  wanted_rungs_ = {};
  for (std::uint32_t slot = 0; slot < children_.touched(); ++slot) {
    if (!children_.in_use(slot)) continue;
    Child& child = children_.at(slot);
    // A ladder that is under way goes on.
    if (child.state == State::leaderless) {
      happen(child, Event::settle_stop);
    } else if (!child.ladder.under_way()) {
      happen(child, Event::stop);
    }
  }
}

// The answers to what the host has asked for, where it reads them; never for long.
void Shepherd::say_last_words() {
  const std::int64_t until = now_ns() + last_words_max_ns;
  channel_.flush();
  while (!channel_.sent() && now_ns() < until) {
    (void)ring_->turn(until);
    channel_.flush();
  }
}

}  // namespace netrunner::shepherd
