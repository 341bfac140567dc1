#include <netrunner/daemon.hpp>

#include <array>
#include <utility>

#include <netrunner/blocking.hpp>

#include "engine/daemon/board.hpp"
#include "engine/daemon/supervisor.hpp"

namespace netrunner {
namespace {

using Shared = std::shared_ptr<detail::Supervisor>;

Task<std::optional<Error>> answer_of(Shared supervisor, daemon::Awaited what) {
  daemon::BoardWait wait(supervisor->board(), what, supervisor->hop());
  co_return co_await wait;
}

Task<Result<void>> ready_of(Shared supervisor) {
  auto error = co_await answer_of(std::move(supervisor), daemon::Awaited::ready);
  if (error) co_return std::unexpected(std::move(*error));
  co_return Result<void>();
}

Task<DaemonStatus> end_of(Shared supervisor) {
  (void)co_await answer_of(supervisor, daemon::Awaited::ended);
  co_return supervisor->status();
}

/// The process of an instance, or why there is none.
Result<std::shared_ptr<daemon::Run>> running(detail::Supervisor& supervisor, std::uint32_t instance) {
  NR_TRY(run, supervisor.board().running(instance));
  if (run != nullptr) return std::move(run);
  return std::unexpected(Error{ErrorCode::already_exited, Stage::none, 0, "instance " + std::to_string(instance),
                               "it does not run now"});
}

Task<Result<void>> signal_to(Shared supervisor, int number, Target target, std::uint32_t instance) {
  NR_CO_TRY(run, running(*supervisor, instance));
  co_return co_await run->process.signal(number, target);
}

Task<Result<void>> write_to(Shared supervisor, std::string text, std::uint32_t instance) {
  NR_CO_TRY(run, running(*supervisor, instance));
  co_return co_await run->process.write(text);
}

Task<Result<void>> close_input_of(Shared supervisor, std::uint32_t instance) {
  NR_CO_TRY(run, running(*supervisor, instance));
  co_return co_await run->process.close_input();
}

Task<Result<ProcessStats>> stats_of(Shared supervisor, std::uint32_t instance) {
  NR_CO_TRY(run, running(*supervisor, instance));
  co_return co_await run->process.stats();
}

/// Waits in this thread. False: not in time.
bool wait_here(detail::Supervisor& supervisor, daemon::Waiter& waiter, Deadline deadline) {
  blocking::detail::Signal woken;
  waiter.context = &woken;
  waiter.wake = [](daemon::Waiter& self) noexcept {
    static_cast<blocking::detail::Signal*>(self.context)->set();
    return true;
  };
  if (!supervisor.board().add(waiter) || woken.wait_until(deadline)) return true;
  if (supervisor.board().remove(waiter)) return false;
  woken.wait();  // It came at the last moment.
  return true;
}

Error timed_out(const char* what) {
  return {ErrorCode::timed_out, Stage::none, 0, what, "the daemon was not touched; ask Daemon::status"};
}

}  // namespace

std::string_view name_of(Restart restart) noexcept {
  constexpr std::array<std::string_view, 3> names = {"always", "on-failure", "never"};
  return names[static_cast<std::size_t>(restart)];
}

std::string_view name_of(DaemonState state) noexcept {
  constexpr std::array<std::string_view, 7> names = {"waiting",     "starting", "ready", "stopping",
                                                     "backing_off", "stopped",  "failed"};
  return names[static_cast<std::size_t>(state)];
}

Result<Daemon> Daemon::start(Engine& engine, const Command& command, DaemonOptions options) {
  NR_TRY(supervisor, detail::Supervisor::open(engine, command, std::move(options)));
  return Daemon(std::move(supervisor));
}

Daemon& Daemon::operator=(Daemon&& other) noexcept {
  Daemon taken(std::move(other));
  std::swap(supervisor_, taken.supervisor_);
  return *this;
}

Daemon::~Daemon() {
  if (supervisor_ != nullptr) supervisor_->drop();
}

Task<Result<void>> Daemon::ready() const { return ready_of(supervisor_); }
Task<DaemonStatus> Daemon::ended() const { return end_of(supervisor_); }
DaemonStatus Daemon::status() const { return supervisor_->status(); }
void Daemon::stop() const { supervisor_->order_stop(std::nullopt); }
void Daemon::stop(const KillLadder& ladder) const { supervisor_->order_stop(ladder); }
void Daemon::restart() const { supervisor_->order_restart(std::nullopt); }
void Daemon::restart(std::uint32_t instance) const { supervisor_->order_restart(instance); }
void Daemon::reopen_log() const { supervisor_->reopen_log(); }

Task<Result<void>> Daemon::signal(int number, Target target, std::uint32_t instance) const {
  return signal_to(supervisor_, number, target, instance);
}
Task<Result<void>> Daemon::write(std::string text, std::uint32_t instance) const {
  return write_to(supervisor_, std::move(text), instance);
}
Task<Result<void>> Daemon::close_input(std::uint32_t instance) const { return close_input_of(supervisor_, instance); }
Task<Result<ProcessStats>> Daemon::stats(std::uint32_t instance) const { return stats_of(supervisor_, instance); }

namespace blocking {

Result<void> ready(const Daemon& daemon, Deadline deadline) {
  daemon::Waiter waiter;
  waiter.what = daemon::Awaited::ready;
  if (!wait_here(daemon.supervisor(), waiter, deadline)) return std::unexpected(timed_out("Daemon::ready"));
  if (waiter.error) return std::unexpected(std::move(*waiter.error));
  return {};
}

Result<DaemonStatus> ended(const Daemon& daemon, Deadline deadline) {
  daemon::Waiter waiter;
  waiter.what = daemon::Awaited::ended;
  if (!wait_here(daemon.supervisor(), waiter, deadline)) return std::unexpected(timed_out("Daemon::ended"));
  return daemon.status();
}

}  // namespace blocking
}  // namespace netrunner
