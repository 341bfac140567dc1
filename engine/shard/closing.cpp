/// The end of a shard: stop all, wait bounded, kill, forget.

#include <algorithm>
#include <utility>

#include <netrunner/deadline.hpp>

#include "engine/shard/limits.hpp"
#include "engine/shard/log_lines.hpp"
#include "engine/shard/shard.hpp"

namespace netrunner::shard {

void Shard::desert() noexcept {
  link_.desert();
  if (spare_ != nullptr) spare_->link().desert();
}

void Shard::begin_close() {
  if (closing_ != Closing::open) return;
  closing_ = Closing::stopping;
  sleepers_.close();
  closing_until_ns_ = Deadline::after_from(reactor_->now_ns(), options_.engine.close_max).monotonic_ns();
  table_.for_each([this](detail::Child& child) {
    if (child.has_ended()) return;
    ++close_report_.stopped;
    if (child.detached()) ++close_report_.detached;
    child.stop(EndReason::stopped);
  });
  advance_closing();  // Nothing may be running: then nothing else would wake the turn.
}

void Shard::go_on_closing() {
  if (closed_) return;
  advance_closing();
  if (closing_ == Closing::ending) finish_closing();
}

void Shard::advance_closing() {
  bool alive = false;
  table_.for_each([&](detail::Child& child) { alive = alive || !child.has_ended(); });
  const bool late = reactor_->now_ns() >= closing_until_ns_;
  if (alive && closing_ == Closing::stopping && late) {
    closing_ = Closing::killing;
    closing_until_ns_ = reactor_->now_ns() + killed_max.count();
    table_.for_each([this](detail::Child& child) {
      if (child.has_ended()) return;
      ++close_report_.killed;
      const KillLadder now = KillLadder::at_once();
      child.stop(EndReason::stopped, now);
    });
  } else if (alive && closing_ == Closing::killing && late) {
    close_report_.complete = false;
    table_.for_each([](detail::Child& child) { child.force_end(); });
  } else if (!alive && closing_ != Closing::ending) {
    closing_ = Closing::ending;
    closing_until_ns_ = reactor_->now_ns() + shepherd_end_look_ns;
    ending_since_ns_ = reactor_->now_ns();
    link_.shut_down();
    if (spare_ != nullptr) spare_->shut_down();
    if (stats_.quarantined > 0) close_report_.complete = false;
    table_.for_each([](detail::Child& child) { child.cut_streams(); });
    for (const auto& adopted : adoptions_) adopted->close();
    reactor_->stop_listening();
  }
}

/// One that has commands which can't be killed doesn't end, however long it is waited for.
void Shard::end_shepherds_that_do_not() {
  const std::int64_t now = reactor_->now_ns();
  if (now < closing_until_ns_) return;
  closing_until_ns_ = now + shepherd_end_look_ns;
  const bool late = !close_report_.complete || now - ending_since_ns_ >= shepherd_end_max_ns;
  if (late || link_.shepherd_is_stopped()) link_.kill_shepherd();
  if (spare_ != nullptr && (late || spare_->link().shepherd_is_stopped())) spare_->link().kill_shepherd();
}

void Shard::finish_closing() {
  end_shepherds_that_do_not();
  flush_links();  // Channels that have become idle in this turn go now: perhaps no other turn comes of itself.
  if (!link_.is_down() || (spare_ != nullptr && !spare_->link().is_down())) return;
  if (down_since_ns_ == 0) {
    down_since_ns_ = reactor_->now_ns();
    // Killed, by us or by somebody else, before it had ended all that it had to.
    const bool hunts = link_.containment() == Containment::subreaper && !link_.left_nobody();
    if (hunts) groups_.kill_marked(link_.as_sibling().mark);
  }
  if (reactor_->ring().in_flight() > 0 || (flow_ != nullptr && flow_->has_turns())) return;
  const std::int64_t hunt_max_ns = close_report_.complete ? killed_max.count() : shepherd_end_look_ns;
  const bool over = reactor_->now_ns() - down_since_ns_ >= hunt_max_ns;
  if (groups_.hunts() && !over) return;
  close_report_.complete = close_report_.complete && !groups_.hunts();
  groups_.remove_all();
  events_.tell();
  log(options_.engine.logger, close_report_.killed > 0 || !close_report_.complete ? LogLevel::warning : LogLevel::debug,
      [&] { return closed_line(options_.index, close_report_); });
  {
    const std::lock_guard guard(after_close());
    reactor_->close_mailbox();
    events_.close();
    bury_the_dead();
    if (flow_ != nullptr) flow_->close_ring();
    reactor_->close_ring();
    closed_ = true;
  }
  // Whoever is resumed now finds a closed engine, and answers at once. It may destroy those that come after it.
  while (Verb* verb = next_done()) VerbQueue::deliver(*verb);
}

Verb* Shard::next_done() {
  const std::lock_guard guard(after_close());
  return verbs_.next();
}

bool Shard::is_forgotten() {
  return closed_ && table_.size() == 0 && adoptions_.empty() && (flow_ == nullptr || flow_->chunks_out() == 0);
}

}  // namespace netrunner::shard
