#pragma once

#include <sched.h>

namespace netrunner::shepherd {

/// For as long as it lives, this thread goes before all that has no real-time priority, where that is allowed: what it
/// hunts forks on every processor, and where many compete a look would come too late. Nothing may be started meanwhile:
/// a child would inherit it. See sched(7).
class Urgency {
 public:
  Urgency() noexcept : policy_(::sched_getscheduler(0)) {
    const sched_param lowest{1};
    raised_ = policy_ != SCHED_FIFO && policy_ != SCHED_RR && ::sched_setscheduler(0, SCHED_RR, &lowest) == 0;
  }
  Urgency(const Urgency&) = delete;
  Urgency& operator=(const Urgency&) = delete;
  ~Urgency() {
    const sched_param none{0};
    if (raised_) (void)::sched_setscheduler(0, policy_, &none);
  }

 private:
  int policy_;
  bool raised_ = false;
};

}  // namespace netrunner::shepherd
