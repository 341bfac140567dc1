#pragma once
/// The life of one command as the shepherd sees it.

#include <cstdint>
#include <sys/types.h>

#include "engine/os/unique_fd.hpp"
#include "engine/ring/poll.hpp"
#include "engine/wire/child_id.hpp"
#include "shepherd/ladder.hpp"
#include "shepherd/limit_groups.hpp"

namespace netrunner::shepherd {

enum class State : std::uint8_t {
  free,        ///< No command; also what zeroed memory says.
  waiting,     ///< For a place to be started in.
  starting,    ///< Cloned; exec is under way, perhaps for long.
  deciding,    ///< Signalled before exec was done: did exec succeed, or did the signal?
  failing,     ///< It could not be started; its process is about to be gone.
  running,
  leaderless,  ///< The leader is reaped, others of its group live; the host will say settle.
  settling,    ///< They are being killed.
};
inline constexpr std::size_t state_count = 8;

enum class Event : std::uint8_t {
  admitted,          ///< A Spawn for this slot.
  cloned,
  refused,           ///< No process could be made.
  exec_done,
  exec_unsure,       ///< The kernel let go of it and a signal was sent before: exec, or death.
  exec_failed,
  ended_alone,       ///< The leader is reaped, its group is empty.
  ended_in_company,  ///< The leader is reaped, its group is not.
  stop,
  settle_stop,
  settle_leave,
  group_empty,
  given_up,          ///< The bound of the state has passed.
};
inline constexpr std::size_t event_count = 13;

/// What to do on the way; the shepherd has a function for each.
enum class Deed : std::uint8_t {
  none,
  impossible,       ///< A fault of ours: an assertion.
  refuse_slot,      ///< A fault of the host's: the slot is in use.
  withdraw,         ///< Out of the queue, and say so.
  report_refusal,
  report_started,
  await_end,
  report_failure,   ///< Its process is gone now.
  report_cancelled, ///< The same, for a signal in time.
  report_exit,
  climb,            ///< Begin the ladder, or shorten it.
  kill_group,
  report_settled,
  report_left,      ///< Settled; what lives of it is left alone.
  answer_settled,   ///< Nothing is known of it (any more): it is settled.
};

struct Step {
  State next;
  Deed deed;
};
[[nodiscard]] Step step(State state, Event event) noexcept;

struct Child {
  Child(void* owner, ring::Operation::Complete exit_seen, wire::ChildId its_id) noexcept
      : exit_poll(owner, exit_seen), id(its_id) {}

  ring::Poll exit_poll;
  wire::ChildId id;
  void* shepherd = nullptr;
  pid_t pid = 0;                    ///< Ours to signal while `leader_unreaped`.
  bool made = true;                 ///< False in zeroed memory.
  State state = State::free;
  bool leader_unreaped = false;
  bool joined = false;              ///< Its group is another command's (or a stranger's): never signalled as a group.
  bool shared = false;              ///< Another command joined its group: what lives in it isn't a straggler.
  bool end_told = false;            ///< By its pidfd, and not looked at yet.
  bool leaf_seen_empty = false;     ///< At its end: it may be used again as it is.
  bool leaf_killed = false;
  bool leaf_spoilt = false;         ///< Perhaps: somebody else has killed or frozen it, and it would do so to the next.
  bool hunted = false;              ///< Without a cgroup: whatever is left of it is killed on sight...
  bool signalled = false;           ///< Before exec was done.
  bool has_stop_run = false;        ///< Its ladder runs commands, see StopRuns.
  std::uint32_t place = UINT32_MAX; ///< While it starts.
  std::uint32_t leaf = UINT32_MAX;  ///< Its cgroup, of Leaves...
  Leaves::Counted before;           ///< ...and the CPU time that this had counted before it...
  Leaves::Counted counted;          ///< ...and at the last look.
  std::uint32_t limit_group = LimitGroups::none;
  std::uint32_t hierarchies = 0;    ///< In which it has groups for its limits.
  std::uint32_t refused_writes = 0;
  std::int64_t cpu_time_ns = 0;     ///< Limit of its tree; 0: none.
  std::int64_t cpu_look_ns = never; ///< When that is looked at again.
  std::uint32_t stragglers = 0;
  std::uint64_t seen_look = 0;      ///< ...and this look of Sweep was the last that saw any.
  std::int64_t spawned_ns = 0;
  std::int64_t exec_ns = 0;
  std::int64_t ended_ns = 0;        ///< The leader was reaped.
  std::int64_t bound_ns = never;    ///< Of deciding and settling: then it is given up.
  std::int64_t look_ns = never;     ///< When settling looks at the group again.
  std::int64_t look_pause_ns = 0;
  std::uint64_t watched_turn = 0;   ///< Its poll was queued then.
  os::UniqueFd pidfd;               ///< Until the host has it.
  os::UniqueFd group_pidfd;         ///< Pins the group's number once the leader is reaped, where the kernel can.
  Ladder ladder;
};

}  // namespace netrunner::shepherd
