#include "engine/daemon/board.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace netrunner::daemon {
namespace {

bool is_over(DaemonState state) noexcept { return state == DaemonState::stopped || state == DaemonState::failed; }

bool all_over(const std::vector<InstanceStatus>& instances) {
  return std::ranges::all_of(instances, [](const InstanceStatus& status) { return is_over(status.state); });
}

/// How far from being ready.
int distance(DaemonState state) noexcept {
  switch (state) {
    case DaemonState::ready: return 0;
    case DaemonState::starting: return 1;
    case DaemonState::waiting: return 2;
    case DaemonState::backing_off: return 3;
    case DaemonState::stopping: return 4;
    case DaemonState::stopped: return 5;
    case DaemonState::failed: return 6;
  }
  return 6;
}

}  // namespace

DaemonState state_of(const std::vector<InstanceStatus>& instances) noexcept {
  const auto nearer = [](const InstanceStatus& a, const InstanceStatus& b) {
    return distance(a.state) < distance(b.state);
  };
  if (all_over(instances)) return std::ranges::max_element(instances, nearer)->state;
  // One that is over doesn't hide how the others are.
  DaemonState worst = DaemonState::ready;
  for (const InstanceStatus& status : instances) {
    if (!is_over(status.state) && distance(status.state) > distance(worst)) worst = status.state;
  }
  return worst;
}

Board::Board(std::uint32_t instances, std::string subject)
    : subject_(std::move(subject)), instances_(instances), running_(instances) {
  for (std::uint32_t i = 0; i < instances; ++i) instances_[i].instance = i;
}

void Board::set(const InstanceStatus& status, std::shared_ptr<Run> running) {
  std::unique_lock lock(mutex_);
  instances_[status.instance] = status;
  // The last reference may end a process's handle: not under the lock.
  const std::shared_ptr<Run> before = std::exchange(running_[status.instance], std::move(running));
  answer(std::move(lock));
}

void Board::set_all_written(bool written) {
  std::unique_lock lock(mutex_);
  all_written_ = written;
  answer(std::move(lock));
}

/// Wakes those whose wish has come true, one after the other: each may take others off the list.
void Board::answer(std::unique_lock<std::mutex> lock) {
  for (;;) {
    const auto found = std::ranges::find_if(waiters_, [this](Waiter* waiter) { return is_answered(*waiter); });
    if (found == waiters_.end()) return;
    Waiter& waiter = **found;
    waiters_.erase(found);
    waiter.listed = false;
    if (waiter.wake(waiter)) continue;
    lock.unlock();
    waiter.go_on(waiter);
    lock.lock();
  }
}

std::vector<InstanceStatus> Board::instances() const {
  const std::lock_guard guard(mutex_);
  return instances_;
}

Result<std::shared_ptr<Run>> Board::running(std::uint32_t instance) const {
  const std::lock_guard guard(mutex_);
  if (instance < running_.size()) return running_[instance];
  return std::unexpected(Error{ErrorCode::invalid_argument, Stage::validate, 0,
                               "instance " + std::to_string(instance) + " of " + subject_,
                               "there are " + std::to_string(running_.size()) + ", counted from 0"});
}

bool Board::add(Waiter& waiter) {
  const std::lock_guard guard(mutex_);
  if (is_answered(waiter)) return false;
  waiter.listed = true;
  waiters_.push_back(&waiter);
  return true;
}

bool Board::remove(Waiter& waiter) {
  const std::lock_guard guard(mutex_);
  if (!waiter.listed) return false;
  std::erase(waiters_, &waiter);
  waiter.listed = false;
  return true;
}

bool Board::is_answered(Waiter& waiter) const {
  if (waiter.what == Awaited::ended) return all_written_ && all_over(instances_);
  const auto over =
      std::ranges::find_if(instances_, [](const InstanceStatus& status) { return is_over(status.state); });
  if (over != instances_.end()) {
    waiter.error = why_over(*over);
    return true;
  }
  return std::ranges::all_of(instances_,
                             [](const InstanceStatus& status) { return status.state == DaemonState::ready; });
}

Error Board::why_over(const InstanceStatus& status) const {
  const bool start_failed = status.state == DaemonState::failed && !status.waited_in_vain;
  if (start_failed && status.last_error) return *status.last_error;
  std::string subject = subject_;
  if (instances_.size() > 1) subject += ", instance " + std::to_string(status.instance);
  subject += ": " + std::string(name_of(status.state));
  return {ErrorCode::already_exited, Stage::none, 0, std::move(subject), status.reason};
}

}  // namespace netrunner::daemon
