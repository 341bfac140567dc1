#pragma once

namespace netrunner::os {

/// Of the calling thread. See sched(7).
[[nodiscard]] bool has_standard_policy() noexcept;

/// For a thread of ours: SCHED_BATCH from now on, so that it doesn't take the processor, when it is woken, from whoever
/// runs there, be it the caller that has just handed it a command. A thread of another policy than the standard one
/// keeps that; and before Linux 6.6 all do, since there one that gives way waits too long beside busy ones.
void give_way_when_woken() noexcept;

}  // namespace netrunner::os
