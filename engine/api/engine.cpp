#include <netrunner/engine.hpp>

#include <iterator>
#include <utility>

#include <netrunner/blocking.hpp>

#include "engine/api/core.hpp"
#include "engine/api/plan.hpp"
#include "engine/os/descriptor.hpp"
#include "engine/os/pidfd.hpp"

namespace netrunner {

Result<Engine> Engine::open(const EngineOptions& options) {
  NR_TRY(core, detail::Core::open(options));
  return Engine(core);
}

Engine::Engine(Engine&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}

Engine& Engine::operator=(Engine&& other) noexcept {
  Engine taken(std::move(other));
  std::swap(core_, taken.core_);
  return *this;
}

Engine::~Engine() {
  if (core_ == nullptr || core_->in_forked_child()) return;
  core_->end();
}

Awaitable<Process> Engine::spawn(const Command& command) { return spawn(command, std::stop_token()); }

Awaitable<Process> Engine::spawn(const Command& command, std::stop_token stop) {
  Awaitable<Process> verb(detail::VerbKind::spawn, core_, nullptr);
  if (core_->in_forked_child()) return verb;
  auto plan = detail::plan_spawn(*core_, command, std::move(stop));
  if (plan) {
    verb.plan = plan->release();
    verb.shard = core_->place();
  } else {
    verb.error = std::move(plan).error();
  }
  return verb;
}

namespace {

Awaitable<Adopted> adoption(detail::Core& core, Result<os::UniqueFd> pidfd, pid_t pid) {
  Awaitable<Adopted> verb(detail::VerbKind::adopt, &core, nullptr);
  if (!pidfd) {
    verb.error = std::move(pidfd).error();
    if (verb.error->sys_errno == ESRCH) verb.error->code = ErrorCode::not_found;
    return verb;
  }
  verb.adoption = new detail::Adoption(std::move(*pidfd), pid);
  verb.shard = core.place();
  return verb;
}

}  // namespace

Awaitable<Adopted> Engine::adopt(pid_t pid) {
  if (pid <= 0) {
    return adoption(*core_,
                    std::unexpected(Error{ErrorCode::invalid_argument, Stage::validate, EINVAL,
                                          "process " + std::to_string(pid), "process ids are above 0"}),
                    pid);
  }
  auto pidfd = os::open_pidfd(pid);
  if (!pidfd) return adoption(*core_, std::move(pidfd), pid);
  return adoption(*core_, os::moved_above_stdio(std::move(*pidfd)), pid);
}

Awaitable<Adopted> Engine::adopt_pidfd(int pidfd) {
  const pid_t pid = os::pid_of(pidfd);
  auto copy = os::duplicate_above_stdio(pidfd);
  if (copy && pid == 0) {
    copy = std::unexpected(Error{ErrorCode::not_found, Stage::none, 0, "descriptor " + std::to_string(pidfd),
                                 "it is no pidfd, or its process is reaped"});
  }
  return adoption(*core_, std::move(copy), pid);
}

Awaitable<void> Engine::sleep(Nanoseconds duration) {
  Awaitable<void> verb(detail::VerbKind::timer, core_, nullptr);
  verb.until_ns = Deadline::after(duration).monotonic_ns();
  verb.shard = core_->shard_here();
  return verb;
}

namespace {

/// On a shard's own thread a blocking call would wait for itself.
Result<void> may_block(const detail::Core& core) {
  if (core.foreign() || !core.on_shard_thread()) return {};
  return std::unexpected(Error{ErrorCode::invalid_argument, Stage::none, EDEADLK,
                               "a blocking call on a shard's own thread", "co_await Engine::capture there"});
}

}  // namespace

Result<Completed> Engine::run(const Command& command, CaptureLimits limits) {
  NR_TRY_VOID(may_block(*core_));
  return blocking::get(*this, capture(command, limits));
}

Result<PipelineCompleted> Engine::run(const Pipeline& pipeline, CaptureLimits limits) {
  NR_TRY_VOID(may_block(*core_));
  return blocking::get(*this, capture(pipeline, limits));
}

Task<EngineStats> Engine::stats() {
  EngineStats stats;
  for (std::uint32_t i = 0; i < shards(); ++i) {
    Awaitable<ShardStats> verb(detail::VerbKind::shard_stats, core_, nullptr);
    verb.shard = i;
    auto figures = co_await verb;
    if (figures) stats.shards.push_back(std::move(*figures));
  }
  co_return stats;
}

namespace {

/// The list of one shard; `only`: the command with this leader, 0: every one.
Awaitable<std::vector<ProcessStats>> list_of(detail::Core* core, std::uint32_t shard, pid_t only) {
  Awaitable<std::vector<ProcessStats>> verb(detail::VerbKind::shard_list, core, nullptr);
  verb.shard = shard;
  verb.number = only;
  return verb;
}

}  // namespace

Task<std::vector<ProcessStats>> Engine::list() {
  std::vector<ProcessStats> all;
  for (std::uint32_t i = 0; i < shards(); ++i) {
    auto some = co_await list_of(core_, i, 0);
    if (!some) continue;
    all.insert(all.end(), std::make_move_iterator(some->begin()), std::make_move_iterator(some->end()));
  }
  co_return all;
}

Task<std::optional<ProcessStats>> Engine::find(pid_t pid) {
  for (std::uint32_t i = 0; pid > 0 && i < shards(); ++i) {
    auto some = co_await list_of(core_, i, pid);
    if (some && !some->empty()) co_return std::move(some->front());
  }
  co_return std::nullopt;
}

Awaitable<void> Engine::hop(std::uint32_t shard) {
  Awaitable<void> verb(detail::VerbKind::hop, core_, nullptr);
  if (shard < shards()) {
    verb.shard = shard;
  } else {
    verb.error = Error{ErrorCode::invalid_argument, Stage::none, EINVAL, "shard " + std::to_string(shard),
                       "the engine has " + std::to_string(shards())};
  }
  return verb;
}

CloseReport Engine::close() { return core_->in_forked_child() ? CloseReport{} : core_->close(); }

int Engine::event_fd() const noexcept { return core_->foreign() ? core_->shard(0).foreign_fd() : -1; }

void Engine::turn(Nanoseconds wait_max) {
  NR_ASSERT(core_->foreign() && core_->shard(0).on_thread());
  if (core_->shard(0).is_over()) return;
  core_->turn(wait_max.count() == 0 ? 0 : Deadline::after(wait_max).monotonic_ns());
}

std::uint32_t Engine::shards() const noexcept { return core_->shards(); }

}  // namespace netrunner
