/// What <netrunner/awaitable.hpp> and <netrunner/chunk.hpp> promise: verbs to their shards, chunks home.

#include <mutex>
#include <utility>

#include <netrunner/awaitable.hpp>
#include <netrunner/blocking.hpp>
#include <netrunner/chunk.hpp>
#include <netrunner/when.hpp>

#include "engine/api/core.hpp"

namespace netrunner::detail {
namespace {

/// A spawn's `child` is the shard's to write: only what its caller set is read here.
shard::Shard& shard_of(Verb& verb) {
  if (verb.kind == VerbKind::adopted_end || verb.kind == VerbKind::adopted_signal) return verb.adoption->shard();
  const bool of_command = verb.kind != VerbKind::spawn && verb.child != nullptr;
  return of_command ? verb.child->shard() : verb.core->shard(verb.shard);
}

/// Runs `action(shard, verb)` on the verb's shard and waits until it ran.
template <class Action>
void run_there(Verb& verb, Action action) {
  struct ActionLetter : Letter {
    shard::Shard* shard;
    Verb* verb;
    Action* action;
    blocking::detail::Signal ran;
  };
  shard::Shard& shard = shard_of(verb);
  if (!shard.is_over() && shard.on_thread()) return action(shard, verb);
  ActionLetter letter;
  letter.shard = &shard;
  letter.verb = &verb;
  letter.action = &action;
  letter.open = [](Letter& opened) noexcept {
    auto& self = static_cast<ActionLetter&>(opened);
    (*self.action)(*self.shard, *self.verb);
    self.ran.set();
  };
  verb.core->deliver(shard, letter);
  letter.ran.wait();
}

}  // namespace

bool start(Verb& verb) noexcept {
  if (verb.error) {  // It was refused before it began.
    verb.state = Verb::State::done;
    return false;
  }
  if (verb.core == nullptr || verb.core->in_forked_child()) {
    verb.error = Error{ErrorCode::engine_closed, Stage::none, 0, "this process was forked from the engine's",
                       "an engine is not usable after fork: open a new one"};
    verb.state = Verb::State::done;
    return false;
  }
  shard::Shard& shard = shard_of(verb);
  verb.handed_over = true;
  if (!shard.is_over() && !shard.on_thread()) {
    verb.state = Verb::State::posted;
    verb.open = [](Letter& letter) noexcept {
      auto& opened = static_cast<Verb&>(letter);
      opened.state = Verb::State::under_way;
      shard_of(opened).handle(opened);
    };
    if (shard.post(verb)) return true;
  }
  if (!shard.is_over()) return !shard.start(verb);
  const std::lock_guard guard(shard::after_close());
  return !shard.start(verb);
}

Verb::Verb(Verb&& other) noexcept
    : Letter(other),
      kind(other.kind),
      stream(other.stream),
      target(other.target),
      number(other.number),
      core(other.core),
      child(other.child),
      adoption(other.kind == VerbKind::adopt ? std::exchange(other.adoption, nullptr) : other.adoption),
      input(other.input),
      bytes_max(other.bytes_max),
      window(other.window),
      plan(std::exchange(other.plan, nullptr)),
      until_ns(other.until_ns),
      of_taker(other.of_taker),
      order(std::exchange(other.order, nullptr)),
      shard(other.shard),
      error(std::move(other.error)) {
  NR_ASSERT(other.state == State::idle);
}

Verb::~Verb() {
  if (plan != nullptr) delete std::exchange(plan, nullptr);
  if (kind == VerbKind::adopt && adoption != nullptr) delete std::exchange(adoption, nullptr);
  if (order != nullptr) delete std::exchange(order, nullptr);
}

void withdraw(Verb& verb) noexcept {
  if (verb.core->in_forked_child()) return;
  run_there(verb, [](shard::Shard& shard, Verb& withdrawn) { shard.withdraw(withdrawn); });
}

void abandon(Verb& verb, ErrorCode code) noexcept {
  run_there(verb, [code](shard::Shard& shard, Verb& given_up) { shard.abandon(given_up, code); });
}

void deliver_beside(Verb& verb, Letter& letter) { verb.core->deliver(shard_of(verb), letter); }

void take_from_post(Verb& verb, Letter& letter) noexcept { shard_of(verb).take_out(letter); }

void take_back_here(Verb& verb) noexcept { shard_of(verb).take_back(verb, another_was_first()); }

Awaitable<void> timer_beside(Verb& beside, std::int64_t until_ns) {
  Awaitable<void> timer(VerbKind::timer, beside.core, nullptr);
  timer.until_ns = until_ns;
  if (beside.core != nullptr && !beside.error) timer.shard = shard_of(beside).index();
  return timer;
}

void let_go(ChunkSlot* slot) noexcept {
  auto& shard = *static_cast<shard::Shard*>(slot->home);
  shard.core().deliver(shard, *slot);
}

}  // namespace netrunner::detail

namespace netrunner::blocking::detail {

bool Signal::wait_until(Deadline deadline) {
  std::unique_lock lock(mutex_);
  if (deadline.is_never()) {
    changed_.wait(lock, [this] { return set_; });
    return true;
  }
  const std::chrono::steady_clock::time_point until{Nanoseconds(deadline.monotonic_ns())};
  return changed_.wait_until(lock, until, [this] { return set_; });
}

void block_on(netrunner::detail::Verb& verb, Deadline deadline) {
  Signal done;
  verb.waiter = &done;
  verb.on_done = [](netrunner::detail::Verb& ended) noexcept { static_cast<Signal*>(ended.waiter)->set(); };
  netrunner::detail::Core* core = verb.core;
  const bool ours = core != nullptr && !core->in_forked_child() && core->on_shard_thread();
  if (ours && !core->foreign()) {
    verb.error = Error{ErrorCode::invalid_argument, Stage::none, EDEADLK, "a blocking verb on a shard's own thread",
                       "use co_await there"};
    return;
  }
  if (!netrunner::detail::start(verb)) return;
  if (ours) {
    while (!done.wait_until(Deadline::at(0)) && Deadline::at(Deadline::now_ns()) < deadline) {
      core->turn(deadline.monotonic_ns());
    }
  }
  if (done.wait_until(ours ? Deadline::at(0) : deadline)) return;
  netrunner::detail::abandon(verb, ErrorCode::timed_out);
  if (ours) {
    while (!done.wait_until(Deadline::at(0))) core->turn(INT64_MAX);
  }
  done.wait();
}

void block_until(netrunner::detail::Core* core, Signal& done) {
  if (!core->foreign()) return done.wait();
  while (!done.wait_until(Deadline::at(0))) core->turn(INT64_MAX);
}

}  // namespace netrunner::blocking::detail
