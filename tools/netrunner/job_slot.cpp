#include "tools/netrunner/job_slot.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <netrunner/blocking.hpp>

namespace netrunner::tool {

void JobSlot::enter(Process& process) {
  const std::lock_guard guard(mutex_);
  process_ = &process;
  order(process, urgency_);
}

void JobSlot::stop(Urgency urgency) {
  const std::lock_guard guard(mutex_);
  urgency_ = std::max(urgency_, urgency);
  if (process_ != nullptr) order(*process_, urgency_);
}

bool JobSlot::is_stopped() {
  const std::lock_guard guard(mutex_);
  return urgency_ != Urgency::none;
}

void JobSlot::order(const Process& process, Urgency urgency) {
  if (urgency == Urgency::ladder) process.stop();
  if (urgency == Urgency::at_once) process.kill();
}

void JobSlot::signal(int number) {
  Process* process = nullptr;
  {
    const std::lock_guard guard(mutex_);
    process = process_;
    if (process == nullptr) return;
    ++users_;
  }
  // Not under the lock: the shard that answers may be about to leave this slot.
  constexpr auto answer_max = std::chrono::seconds(1);
  [[maybe_unused]] const Result<void> sent =
      blocking::get(process->signal(number, Target::group), Deadline::after(answer_max));
  std::coroutine_handle<> leaving;
  {
    const std::lock_guard guard(mutex_);
    if (--users_ == 0) leaving = std::exchange(leaving_, {});
  }
  if (leaving) leaving.resume();
}

bool JobSlot::wait_for_users(std::coroutine_handle<> leaving) {
  const std::lock_guard guard(mutex_);
  process_ = nullptr;
  if (users_ == 0) return false;
  leaving_ = leaving;
  return true;
}

}  // namespace netrunner::tool
