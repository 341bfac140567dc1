#pragma once
/// What host and shepherd say to each other. A frame is a FrameHeader, then messages, each a MessageHeader and its
/// fixed struct (then, for Spawn and StartFailed, a body), padded to 8 bytes. Little-endian, no pointers. The
/// descriptors of a frame are attached in the order of the messages that announce them.

#include <cstdint>
#include <type_traits>

#include "engine/os/cgroup_usage.hpp"
#include "engine/os/hierarchy.hpp"
#include "engine/wire/child_id.hpp"
#include "engine/wire/limits.hpp"

namespace netrunner::wire {

inline constexpr std::uint32_t frame_magic = 0x3154524eU;  // "NRT1": the version is part of it.

enum class MessageType : std::uint16_t {
  // Host to shepherd.
  spawn = 1,    ///< SpawnFixed, a body; descriptors: [body memfd] [stop commands] [cwd], one per action that attaches.
  signal,       ///< SignalFixed; answered by signal_sent with the same request.
  stop,         ///< StopFixed, rungs as body: begins the ladder, or shortens it; descriptor: [its stop commands].
  settle,       ///< SettleFixed: output is drained; deal with the group, then forget the command. Answered by settled.
  ping,         ///< PingFixed; answered by pong.
  shutdown,     ///< Nothing fixed: no command will follow; exit when none is left.
  contain,      ///< ContainFixed; descriptors: the host's pidfd, the cgroup's directory, as it says. First of all.
  sibling,      ///< SiblingFixed; descriptors: its pidfd, then with a cgroup its directory. The same number: replaced.
  limit_groups, ///< LimitGroupsFixed; descriptors: a directory per hierarchy, for the groups of commands with limits.
  cpu_time,     ///< CpuTimeFixed: the limit of a running command's CPU time is another from now on.
  // Shepherd to host.
  ready = 64,   ///< ReadyFixed: first message.
  started,      ///< StartedFixed; descriptor: the leader's pidfd.
  start_failed, ///< StartFailedFixed and a body: path, then the head of the file at that path.
  exited,       ///< ExitedFixed.
  signal_sent,  ///< SignalSentFixed.
  settled,      ///< SettledFixed.
  pong,         ///< PingFixed.
  contained,    ///< ContainedFixed: the answer to contain.
  limit_met,    ///< LimitMetFixed: the command has used its CPU time; the host stops it.
  stop_command, ///< StopCommandFixed: a rung has run its command, or could not.
  leftovers,    ///< LeftoversFixed: how many groups of ended commands could not be removed yet, whenever that changes.
  gone,         ///< Nothing fixed, and the last one: nothing of the commands is left, and the shepherd ends.
};

struct FrameHeader {
  std::uint32_t magic = frame_magic;
  std::uint32_t message_count = 0;
};

struct MessageHeader {
  MessageType type{};
  std::uint16_t descriptor_count = 0;
  std::uint32_t bytes = 0;  ///< Fixed part and body, without this header and without padding.
};

/// How one of the command's descriptors comes about.
enum class ActionKind : std::uint8_t {
  attached,   ///< The next attached descriptor of the message.
  open_file,  ///< Open the path in the body.
  null,       ///< Open /dev/null.
  same_as,    ///< A copy of the command's descriptor `other`.
  closed,     ///< Not open (only 0, 1, 2; others are closed anyway).
};

struct Action {
  std::uint16_t number = 0;  ///< The command's descriptor: action_number_max at most.
  ActionKind kind = ActionKind::closed;
  std::uint8_t reserved = 0;
  std::uint32_t other = 0;        ///< same_as: its number. open_file: offset of the path in the strings.
  std::uint32_t open_flags = 0;   ///< open_file: O_*; O_NOCTTY | O_CLOEXEC are added.
  std::uint32_t permissions = 0;  ///< open_file: mode of a new file.
};

/// netrunner::Target, as the treaty says it. The fields are integers: what comes over the wire may be anything.
enum class WireTarget : std::uint32_t { leader = 0, group = 1, everything = 2, command = 3 };

struct WireRung {
  /// Target `command`: the number of the stop command; from stop_commands_max on it is one that came with the Stop.
  std::int32_t signal = 0;
  std::uint32_t target = 0;  ///< WireTarget.
  std::int64_t pause_ns = 0;
};

struct WireLimit {
  std::uint32_t resource = 0;
  std::uint32_t reserved = 0;
  std::uint64_t soft = 0, hard = 0;
};

/// Bits of SpawnFixed::flags.
enum SpawnFlag : std::uint32_t {
  body_in_memfd = 1U << 0,       ///< The first descriptor holds the body.
  cwd_attached = 1U << 1,        ///< The next descriptor is the host's current directory (O_PATH): fchdir first.
  has_cwd = 1U << 2,             ///< `cwd_offset` names the command's directory, after the host's.
  own_session = 1U << 3,         ///< setsid(2) instead of a new group.
  join_group = 1U << 4,          ///< setpgid(0, join_group).
  has_umask = 1U << 5,
  has_nice = 1U << 6,
  has_oom_score = 1U << 7,
  has_uid = 1U << 8,
  has_gid = 1U << 9,
  has_groups = 1U << 10,         ///< setgroups(2) with the list, which may be empty.
  set_no_new_privs = 1U << 11,
  search_path = 1U << 12,        ///< The program has no '/': try each directory of the command's PATH.
  shell_fallback = 1U << 13,     ///< ENOEXEC: /bin/sh runs it.
  has_capabilities = 1U << 14,
  controlling_terminal = 1U << 15,  ///< With own_session: descriptor `terminal` becomes the session's terminal.
  limits_best_effort = 1U << 16, ///< A write into its groups that is refused is reported, and the start goes on.
  has_stop_commands = 1U << 17,  ///< The descriptor after the body's is the sealed memfd of stop_commands.hpp.
};

/// The body, in this order, each list padded to 8 bytes: Action[action_count], WireRung[rung_count],
/// WireLimit[limit_count], uint32 group[group_count], uint32 cpu[cpu_count], leaf_writes.hpp's entries
/// (leaf_writes_bytes of them), then the strings, each ending with
/// NUL: program, argv[argument_count], environment[environment_count] ("NAME=value"), and what offsets point to (the
/// paths of open_file in the order of the actions, then cwd).
struct SpawnFixed {
  ChildId id;
  std::uint32_t flags = 0;
  std::uint32_t body_bytes = 0;  ///< Of the body, wherever it is.
  std::uint32_t action_count = 0, rung_count = 0, limit_count = 0, group_count = 0, cpu_count = 0;
  std::uint32_t argument_count = 0, environment_count = 0;
  std::uint32_t cwd_offset = 0;  ///< In the strings.
  std::uint32_t strings_bytes = 0;
  std::int32_t join_group = 0;
  std::uint32_t umask = 0;
  std::int32_t nice = 0;
  std::int32_t oom_score_adj = 0;
  std::uint32_t uid = 0, gid = 0;
  std::uint32_t terminal = 0;  ///< The command's descriptor that is its terminal: one that is attached.
  std::uint32_t leaf_writes_bytes = 0;
  /// Bits of os::Hierarchy: the command gets a group of its own there, made for it and never used again.
  std::uint32_t hierarchies = 0;
  std::uint64_t bounding_capabilities = 0, ambient_capabilities = 0;  ///< 1 << CAP_*.
  std::int64_t cpu_time_ns = 0;  ///< Limit of its tree's CPU time; 0: none.
};

struct SignalFixed {
  ChildId id;
  std::uint32_t request = 0;  ///< Chosen by the host.
  std::int32_t signal = 0;
  std::uint32_t target = 0;  ///< WireTarget.
  std::uint32_t reserved = 0;
};

struct StopFixed {
  ChildId id;
  std::uint32_t rung_count = 0;
  std::uint32_t reserved = 0;
};

enum class SettlePolicy : std::uint32_t { stop = 0, leave = 1 };

struct SettleFixed {
  ChildId id;
  SettlePolicy policy = SettlePolicy::stop;
  std::uint32_t reserved = 0;
};

struct PingFixed {
  std::uint64_t cookie = 0;
};

/// How the shepherd starts processes here, found out by starting one.
enum class CloneCall : std::uint32_t {
  clone3 = 0,
  clone = 1,  ///< clone3(2) is refused (a seccomp filter cannot look into its arguments).
  fork = 2,   ///< CLONE_VM is refused too: the memory is copied, and the shepherd waits for each exec.
};

/// Bits of ReadyFixed::features.
enum ReadyFeature : std::uint32_t {
  group_by_pidfd = 1U << 0,  ///< PIDFD_SIGNAL_PROCESS_GROUP (Linux 6.9): a group signal can't reach a stranger.
  futex_in_ring = 1U << 1,   ///< IORING_OP_FUTEX_WAIT (Linux 6.7).
};

/// netrunner::Containment as the treaty has it.
enum class WireContainment : std::uint32_t { process_group = 1, cgroup = 2, subreaper = 3, pid_namespace = 4 };

struct ContainFixed {
  WireContainment level = WireContainment::process_group;
  std::uint32_t number = 0;  ///< This shepherd's own among its siblings.
  std::uint32_t has_host = 0, has_group = 0;  ///< Whether each descriptor is there.
};

struct ContainedFixed {
  WireContainment level = WireContainment::process_group;  ///< In effect.
  std::int32_t sys_errno = 0;  ///< Why it is another than was asked for: what the self-test met.
  std::uint64_t mark = 0;      ///< Of its commands, for its siblings: os::CommandMark.
};

/// Another shepherd of the same host: whoever is left when host and others are dead kills what those have left.
struct SiblingFixed {
  std::uint32_t number = 0;
  WireContainment level = WireContainment::process_group;
  std::uint64_t mark = 0;
};

/// The hierarchies whose directories are attached, in the order of os::Hierarchy. They are kept beside those that came
/// before.
struct LimitGroupsFixed {
  std::uint32_t hierarchies = 0;
  std::uint32_t reserved = 0;
};

struct CpuTimeFixed {
  ChildId id;
  std::int64_t limit_ns = 0;
};

struct LimitMetFixed {
  ChildId id;
};

struct StopCommandFixed {
  ChildId id;
  std::uint32_t number = 0;    ///< As in the rung.
  std::int32_t pid = 0;        ///< Of its process; 0: there was none.
  std::uint32_t stage = 0;     ///< netrunner::Stage, where it could not be run...
  std::int32_t sys_errno = 0;  ///< ...and why; 0: it runs.
  std::int64_t at_ns = 0;
};

struct LeftoversFixed {
  std::uint32_t count = 0;
  std::uint32_t reserved = 0;
};

struct ReadyFixed {
  std::int32_t pid = 0;
  std::uint32_t spawn_path = 0;  ///< netrunner::SpawnPath: 0 asynchronous, 1 vfork (the shepherd waits for exec).
  CloneCall clone_call = CloneCall::clone3;
  std::uint32_t features = 0;
};

inline constexpr std::uint32_t no_group = UINT32_MAX;

struct StartedFixed {
  ChildId id;
  std::int32_t pid = 0;
  std::uint32_t leaf = no_group;         ///< Number of its leaf among the containment's.
  std::uint32_t limit_group = no_group;  ///< Number of its groups in the directories of limit_groups.
  std::uint32_t refused_writes = 0;      ///< Bit per entry that the kernel did not take.
  std::uint64_t user_us_before = 0, system_us_before = 0;  ///< What its leaf had counted for others.
  std::int64_t spawned_ns = 0;
  std::int64_t exec_ns = 0;
};

/// Added to the number of a capability that could not be dropped from the bounding set; else it could not be had.
inline constexpr std::uint32_t bounding_index = 64;

struct StartFailedFixed {
  ChildId id;
  std::uint32_t stage = 0;  ///< netrunner::Stage.
  std::int32_t sys_errno = 0;
  std::uint32_t index = 0;       ///< Of the action or limit that failed; the capability, see bounding_index.
  std::uint32_t path_bytes = 0;  ///< Body: the path that was tried last, without NUL...
  std::uint32_t head_bytes = 0;  ///< ...then the first bytes of that file (0: it could not be read).
  std::uint32_t reserved = 0;
};

struct ExitedFixed {
  ChildId id;
  std::int32_t end_code = 0;    ///< CLD_EXITED, CLD_KILLED or CLD_DUMPED, see waitid(2).
  std::int32_t end_status = 0;  ///< The exit code, or the signal.
  std::uint64_t user_us = 0, system_us = 0, max_rss_kib = 0;
  std::int64_t exited_ns = 0;
  std::uint32_t alone = 0;     ///< 1: its group is empty, it is reaped and forgotten; no settle must follow.
  std::uint32_t stragglers = 0;
  os::CgroupUsage usage;       ///< Of its groups, until now.
};

struct SignalSentFixed {
  ChildId id;
  std::uint32_t request = 0;  ///< 0: a rung of the ladder.
  std::int32_t signal = 0;
  std::uint32_t target = 0;  ///< WireTarget.
  std::int32_t sys_errno = 0;
  std::int64_t at_ns = 0;
};

struct SettledFixed {
  ChildId id;
  std::uint32_t stragglers = 0;
  std::uint32_t tree_empty = 1;
  std::int64_t gone_ns = 0;
  os::CgroupUsage usage;  ///< Of its groups, all in all.
};

template <class T>
concept Wire = std::is_trivially_copyable_v<T> && std::has_unique_object_representations_v<T>;
static_assert(Wire<FrameHeader> && Wire<MessageHeader> && Wire<Action> && Wire<WireRung> && Wire<WireLimit>);
static_assert(Wire<SpawnFixed> && Wire<SignalFixed> && Wire<StopFixed> && Wire<SettleFixed> && Wire<PingFixed>);
static_assert(Wire<ReadyFixed> && Wire<StartedFixed> && Wire<StartFailedFixed> && Wire<ExitedFixed>);
static_assert(Wire<SignalSentFixed> && Wire<SettledFixed> && Wire<StopCommandFixed>);
static_assert(Wire<LimitGroupsFixed> && Wire<CpuTimeFixed> && Wire<LimitMetFixed> && Wire<LeftoversFixed>);
static_assert(Wire<ContainFixed> && Wire<ContainedFixed> && Wire<SiblingFixed>);

}  // namespace netrunner::wire
