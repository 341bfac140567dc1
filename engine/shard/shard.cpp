#include "engine/shard/shard.hpp"

#include <algorithm>
#include <utility>

#include <netrunner/awaitable.hpp>

#include "engine/os/descriptor.hpp"

#include "engine/shard/limits.hpp"
#include "engine/shard/log_lines.hpp"

namespace netrunner::shard {
namespace {

void open_chunk(Letter& letter) noexcept {
  auto& slot = static_cast<detail::ChunkSlot&>(letter);
  static_cast<Shard*>(slot.home)->let_go(slot);
}

}  // namespace

std::recursive_mutex& after_close() {
  static std::recursive_mutex mutex;
  return mutex;
}

Result<std::unique_ptr<Shard>> Shard::open(detail::Core* core, Neighbours& neighbours, const Options& options) {
  NR_TRY(reactor, reactor::Reactor::open(options.foreign_loop ? reactor::Loop::foreign : reactor::Loop::own));
  std::unique_ptr<Shard> shard(new Shard(core, neighbours, options, std::move(reactor)));
  const flow::SharedFlow::Options flow{options.engine.shard_budget_bytes, options.engine.chunk_bytes, shard.get(),
                                       open_chunk};
  auto opened = flow::SharedFlow::open(*shard->reactor_, flow);
  if (opened) {
    shard->flow_ = std::move(*opened);
    shard->rooms_.reset(new Rooms{*shard, core, *shard->reactor_, *shard->flow_, shard->link_, shard->verbs_,
                                  shard->stats_, shard->events_, shard->options_.engine.logger});
  }
  const Result<void> started = opened ? shard->link_.start() : Result<void>(std::unexpected(opened.error()));
  if (started) return shard;
  shard->begin_close();  // What was opened is closed in order.
  while (!shard->has_closed()) shard->turn(INT64_MAX);
  return std::unexpected(started.error());
}

Shard::Shard(detail::Core* core, Neighbours& neighbours, const Options& options,
             std::unique_ptr<reactor::Reactor> reactor)
    : options_(options),
      reactor_(std::move(reactor)),
      events_(options.engine.on_event, options.index),
      groups_(*reactor_, options.cgroups,
              "shard-" + std::to_string(options.engine_number) + "." + std::to_string(options.index),
              options_.engine.logger),
      link_(*reactor_, *this, options.launch, {options.index, options.level}),
      table_(options.engine.commands_max),
      sleepers_(*reactor_, verbs_),
      core_(core),
      neighbours_(neighbours) {}

Shard::~Shard() = default;

void Shard::turn(std::int64_t wait_until_ns) {
  if (!options_.foreign_loop) return turn_quietly(wait_until_ns);
  const os::NoBrokenPipeSignal guard;
  turning_ = true;
  turn_quietly(wait_until_ns);
  turning_ = false;
  if (is_over()) return;
  flush_links();  // Nothing may wait for a turn that nobody knows to be due.
  const bool streams_wait = flow_ != nullptr && flow_->has_turns();
  reactor_->announce(streams_wait || !verbs_.empty() || !events_.empty() || closing_ == Closing::ending);
}

void Shard::flush_links() {
  link_.flush();
  if (spare_ != nullptr) spare_->link().flush();
}

void Shard::turn_quietly(std::int64_t wait_until_ns) {
  const bool more = flow_ != nullptr && flow_->run_turns();
  flush_links();
  reactor_->turn(more || !verbs_.empty() || !events_.empty() ? 0 : next_wake(wait_until_ns));
  search_holders();
  events_.tell();  // Before those that await the same facts.
  verbs_.resume();
  events_.tell();
  bury_the_dead();
  if (closing_ != Closing::open) go_on_closing();
}

std::int64_t Shard::next_wake(std::int64_t wanted_ns) const noexcept {
  return closing_ == Closing::open ? wanted_ns : std::min(wanted_ns, closing_until_ns_);
}

bool Shard::deliver(Letter& letter) {
  if (is_over()) return false;
  if (!on_thread()) return post(letter);
  const BetweenTurns here(*this);
  letter.open(letter);
  return true;
}

Shard::BetweenTurns::BetweenTurns(Shard& shard) noexcept : shard_(shard) {
  if (shard.options_.foreign_loop && !shard.turning_) guard_.emplace();
}

Shard::BetweenTurns::~BetweenTurns() {
  if (guard_ && !shard_.is_over()) shard_.reactor_->announce(true);
}

void Shard::open_after_close(Letter& letter) {
  letter.open(letter);
  bury_the_dead();
}

bool Shard::start(Verb& verb) {
  const BetweenTurns here(*this);
  return verbs_.start(verb, [this](Verb& started) { handle(started); });
}

void Shard::handle(Verb& verb) {
  const bool writes = verb.kind == VerbKind::write || verb.kind == VerbKind::close_input;
  if (closed_ && writes) return verbs_.fail(verb, ErrorCode::engine_closed, "the engine was closed");
  if (verb.child != nullptr) return verb.child->handle(verb);
  if (verb.kind == VerbKind::adopted_end || verb.kind == VerbKind::adopted_signal) return verb.adoption->handle(verb);
  if (verb.kind == VerbKind::spawn) return spawn(verb);
  if (verb.kind == VerbKind::adopt) return adopt(verb);
  if (verb.kind == VerbKind::timer && closing_ == Closing::open) return sleepers_.add(verb);
  if (verb.kind == VerbKind::shard_stats) {
    static_cast<Awaitable<ShardStats>&>(verb).value.emplace(stats());
  } else if (verb.kind == VerbKind::shard_list) {
    static_cast<Awaitable<std::vector<ProcessStats>>&>(verb).value.emplace(list(verb.number));
  } else if (closed_ || verb.kind == VerbKind::timer) {
    return verbs_.fail(verb, ErrorCode::engine_closed, "the engine was closed");
  }
  verbs_.complete(verb);
}

void Shard::adopt(Verb& verb) {
  if (closing_ != Closing::open) return verbs_.fail(verb, ErrorCode::engine_closed, "the engine was closed");
  adoptions_.emplace_back(std::exchange(verb.adoption, nullptr));
  detail::Adoption& adopted = *adoptions_.back();
  adopted.begin(*this, *reactor_, verbs_);
  static_cast<Awaitable<Adopted>&>(verb).value.emplace(core_, &adopted, adopted.pid());
  verbs_.complete(verb);
}

void Shard::spawn(Verb& verb) {
  std::unique_ptr<detail::SpawnPlan> plan(std::exchange(verb.plan, nullptr));
  if (closing_ != Closing::open) return verbs_.fail(verb, ErrorCode::engine_closed, "the engine was closed");
  if (table_.is_full()) bury_the_dead();  // Some may have been let go in this very turn.
  detail::Child* child = table_.add(*rooms_, next_number(), std::move(plan));
  if (child == nullptr) {
    return verbs_.fail(verb, {ErrorCode::limit_reached, Stage::none, 0,
                              "EngineOptions::commands_max = " + std::to_string(table_.children_max()),
                              "wait for commands of this shard to end, or raise it"});
  }
  verb.child = child;  // Where the verb is withdrawn from.
  child->begin(verb);
}

std::vector<ProcessStats> Shard::list(pid_t only) {
  std::vector<ProcessStats> found;
  table_.for_each([&](const detail::Child& child) {
    if (child.has_ended() || (only != 0 && child.pid() != only)) return;
    found.push_back(child.process_stats(detail::Child::WithUsage::no));
  });
  return found;
}

void Shard::let_go(detail::ChunkSlot& slot) {
  if (slot.outlet != nullptr) return slot.outlet->give_back(slot);
  flow_->put_back(slot);
}

std::unique_ptr<HolderInquiry> Shard::ask_holders(std::vector<OpenPipe> pipes) {
  return holders_.ask(std::move(pipes), reactor_->now_ns());
}

void Shard::search_holders() {
  if (holders_.is_wanted()) {
    HolderSearch::Scene scene{.shepherd = link_.pid(), .leaders = {}};
    table_.for_each([&](const detail::Child& child) {
      if (!child.leader_has_exited()) scene.leaders.push_back(child.pid());
    });
    holders_.begin(std::move(scene));
  }
  holders_.search_on();
}

void Shard::order_stop(detail::Child& child, EndReason reason) {
  struct StopLetter : Letter {
    Shard* shard;
    wire::ChildId id;
    EndReason reason;
  };
  auto letter = std::make_unique<StopLetter>();
  letter->shard = this;
  letter->id = child.id();
  letter->reason = reason;
  letter->open = [](Letter& opened) noexcept {
    const std::unique_ptr<StopLetter> stop(static_cast<StopLetter*>(&opened));
    if (detail::Child* found = stop->shard->table_.find(stop->id)) found->stop(stop->reason);
  };
  if (deliver(*letter)) (void)letter.release();  // Otherwise everything has ended already.
}  // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks): whoever opens the letter deletes it.

void Shard::bury(detail::Child& child) {
  if (std::ranges::find(dying_, &child) == dying_.end()) dying_.push_back(&child);
}

void Shard::bury_the_dead() {
  std::erase_if(dying_, [this](detail::Child* child) {
    if (!child->has_ended()) return true;
    if (!child->may_go()) return child->is_held();
    table_.remove(*child);
    return true;
  });
  if (!adoptions_.empty()) std::erase_if(adoptions_, [](const auto& adopted) { return adopted->may_go(); });
}

void Shard::tell_of_shepherd(EventKind kind) {
  Event event;
  event.kind = kind;
  event.at_ns = reactor_->now_ns();
  event.pid = link_.pid();
  events_.add(event, nullptr, nullptr);
}

void Shard::shepherd_ready() {
  ready_ = true;
  tell_of_shepherd(EventKind::shepherd_started);
  const Logger& logger = options_.engine.logger;
  log(logger, was_ready_ ? LogLevel::info : LogLevel::debug,
      [&] { return shepherd_line(options_.index, link_.pid(), was_ready_); });
  if (!std::exchange(was_ready_, true) && options_.index == 0) log_containment();
  if (options_.keeps_spare && spare_ == nullptr) {
    spare_.reset(new Spare(*reactor_, *this, options_.launch, options_.level));
    spare_->start_soon();
  }
  if (spare_ != nullptr && spare_->ready()) spare_is_ready();
  neighbours_.shepherd_is_ready(*this);
}

os::UniqueFd Shard::shepherd_pidfd() const {
  if (!link_.up() || !ready_) return {};
  auto copy = os::duplicate_above_stdio(link_.pidfd());
  return copy ? std::move(*copy) : os::UniqueFd();
}

void Shard::spare_is_ready() {
  os::UniqueFd shepherd = shepherd_pidfd();
  auto spare = os::duplicate_above_stdio(spare_->link().pidfd());
  if (!shepherd || !spare) return;
  // The spare first, and at once: one that doesn't know whom to say farewell to, when the host dies now, would count as
  // killed, and the other would give its commands no grace.
  spare_->link().introduce(link_.as_sibling(), std::move(shepherd), groups_.copy());
  spare_->link().flush();
  link_.introduce(spare_->link().as_sibling(), std::move(*spare), {});
}

void Shard::meet(const wire::SiblingFixed& sibling, os::UniqueFd pidfd, os::UniqueFd group) {
  link_.introduce(sibling, std::move(pidfd), std::move(group));
}

void Shard::log_containment() const {
  const Logger& logger = options_.engine.logger;
  const ShardStats now = stats();
  const bool asked = options_.engine.containment != Containment::automatic;
  const LogLevel level = asked || now.containment_note.empty() ? LogLevel::info : LogLevel::warning;
  log(logger, level, [&] { return containment_line(now.containment, now.containment_note); });
  if (options_.cgroups == nullptr || options_.cgroups->swept().instances == 0) return;
  const containment::SweepReport& swept = options_.cgroups->swept();
  log(logger, swept.left > 0 ? LogLevel::warning : LogLevel::info, [&] { return sweep_line(swept); });
}

void Shard::no_shepherd(const Error& error) {
  log(options_.engine.logger, LogLevel::error, [&] { return no_shepherd_line(options_.index, error); });
}

void Shard::limit_met(wire::ChildId id) {
  if (detail::Child* child = table_.find(id)) child->stop(EndReason::cpu_time);
}

void Shard::leftovers(std::uint32_t count) {
  leftovers_ = count;
  const LogLevel level = count > 0 ? LogLevel::warning : LogLevel::info;
  log(options_.engine.logger, level, [&] { return leftovers_line(options_.index, count); });
}

Result<void> Shard::prepare_limits(containment::LimitPlaces& places, std::uint32_t hierarchies) {
  auto opened = groups_.open_limited(places, hierarchies);
  if (!opened) return std::unexpected(std::move(opened).error());
  if (opened->hierarchies != 0) link_.give_limit_groups(opened->hierarchies, opened->fresh);
  return {};
}

void Shard::shepherd_lost() {
  tell_of_shepherd(EventKind::shepherd_lost);
  if (ready_) {
    log(options_.engine.logger, LogLevel::warning,
        [&] { return shepherd_lost_line(options_.index, link_.pid(), link_.was_silent(), stats_.running); });
  }
  ready_ = false;
  leftovers_ = 0;
  groups_.kill_present();
  // The level that was in effect: where its self-test had failed, a group was there and nobody in it.
  if (link_.containment() == Containment::subreaper) groups_.kill_marked(link_.as_sibling().mark);
  ++stats_.shepherds_lost;
  table_.for_each([](detail::Child& child) { child.shepherd_lost(); });
}

void Shard::started(const wire::StartedFixed& started, os::UniqueFd pidfd) {
  if (detail::Child* child = table_.find(started.id)) child->started(started, std::move(pidfd));
}

void Shard::start_failed(const wire::StartFailedFixed& failed, std::string_view path, std::string_view head) {
  if (detail::Child* child = table_.find(failed.id)) child->start_failed(failed, path, head);
}

void Shard::exited(const wire::ExitedFixed& exited) {
  if (detail::Child* child = table_.find(exited.id)) child->exited(exited);
}

void Shard::signal_sent(const wire::SignalSentFixed& sent) {
  if (detail::Child* child = table_.find(sent.id)) child->signal_sent(sent);
}

void Shard::stop_command(const wire::StopCommandFixed& run) {
  if (detail::Child* child = table_.find(run.id)) child->stop_command(run);
}

void Shard::settled(const wire::SettledFixed& settled) {
  if (detail::Child* child = table_.find(settled.id)) child->settled(settled);
}

ShardStats Shard::stats() const {
  ShardStats stats = stats_;
  stats.shard = options_.index;
  stats.shepherd_pid = link_.pid();
  if (spare_ != nullptr && spare_->ready()) stats.spare_pid = spare_->link().pid();
  stats.spawn_path = link_.spawn_path();
  stats.containment = link_.containment();
  stats.containment_note = options_.containment_note;
  if (stats.containment != options_.level) {
    stats.containment_note =
        system_error("the shepherd's self-test in a new cgroup", Stage::cgroup, link_.containment_errno()).message();
  }
  stats.groups_left = groups_.left() + leftovers_;
  stats.events = events_.told();
  if (flow_ == nullptr) return stats;
  stats.buffered_bytes = flow_->buffered_bytes;
  stats.buffered_bytes_peak = flow_->buffered_bytes_peak;
  stats.budget_bytes = flow_->budget_bytes();
  stats.pool_bytes = flow_->bulk().warm_bytes() + flow_->small().warm_bytes();
  stats.parked = flow_->parked();
  stats.no_buffer_completions = flow_->no_buffer_completions;
  stats.read_bytes = flow_->read_bytes;
  stats.reads = flow_->reads;
  stats.written_bytes = flow_->written_bytes;
  stats.writes = flow_->writes;
  stats.stalls = flow_->stalls;
  stats.stalled_ns = flow_->stalled_ns;
  stats.chunks_out = flow_->chunks_out();
  stats.turns = reactor_->turns();
  if (reactor_->is_closed()) return stats;
  stats.completions = reactor_->ring().completions();
  stats.ring_in_flight = reactor_->ring().in_flight();
  stats.ring_overflows = reactor_->ring().overflows();
  return stats;
}

}  // namespace netrunner::shard
