#pragma once
/// The loop: requests of the host, starts, ends and deadlines of its commands. One thread does it, with one ring, and
/// never blocks.

#include <cstdint>
#include <memory>
#include <span>

#include "engine/os/unique_fd.hpp"
#include "engine/ring/poll.hpp"
#include "engine/ring/ring.hpp"
#include "engine/wire/channel.hpp"
#include "shepherd/child_table.hpp"
#include "shepherd/ladder_clock.hpp"
#include "shepherd/leaves.hpp"
#include "shepherd/leftovers.hpp"
#include "shepherd/limit_groups.hpp"
#include "shepherd/orphans.hpp"
#include "shepherd/reaper.hpp"
#include "shepherd/siblings.hpp"
#include "shepherd/spawner.hpp"
#include "shepherd/stop_run.hpp"
#include "shepherd/sweep.hpp"

namespace netrunner::shepherd {

class Shepherd {
 public:
  struct Options {
    Spawner::Options spawner;
    os::UniqueFd treaty;
  };
  Shepherd(std::unique_ptr<ring::Ring> ring, Options options);

  /// False: no memory, no descriptor, or no process can be started.
  [[nodiscard]] bool open();
  /// Until the host is gone, or asks for it, or SIGTERM; then until nothing is left. The exit status.
  [[nodiscard]] int run();

 private:
  enum class Ending : std::uint8_t {
    no,
    on_shutdown,   ///< The host asked: when the last command has ended.
    on_terminate,  ///< SIGTERM: every ladder now, a bounded time in all.
    on_host_loss,  ///< End of file: every ladder now, each in its own time.
  };

  // requests.cpp: what the host says.
  void on_message(const wire::Message& message, std::span<os::UniqueFd> descriptors);
  void on_spawn(const wire::Message& message, std::span<os::UniqueFd> descriptors);
  void on_signal(const wire::SignalFixed& wanted);
  void on_stop(const wire::Message& message, std::span<os::UniqueFd> descriptors);
  void on_settle(const wire::SettleFixed& wanted);
  void on_contain(const wire::ContainFixed& wanted, std::span<os::UniqueFd> descriptors);
  void on_cpu_time(const wire::CpuTimeFixed& wanted);

  // life.cpp: what happens to a command.
  void happen(Child& child, Event event);
  void perform(Child& child, Deed deed);
  void on_cloned(wire::ChildId id, std::uint32_t place, CloneResult& process);
  void on_let_go(wire::ChildId id, std::uint32_t place);
  static void on_exit_poll(void* child, ring::Completion completion);
  void look_for_end(Child& child);
  void heal(Child& child);
  [[nodiscard]] Event after_end(Child& child);
  /// What it started may be there: exec is behind it, or nobody can tell.
  [[nodiscard]] static bool may_have_run(const Child& child) noexcept {
    return child.state == State::running || child.state == State::deciding;
  }
  void watch_end(Child& child);
  /// Exec is over: what its pidfd told meanwhile counts now.
  void expect_end(Child& child);
  void climb(Child& child);
  void climb_due(Child& child, std::int64_t now);
  [[nodiscard]] bool has_leaf(const Child& child) const noexcept { return child.leaf != Leaves::none; }
  /// Else its group is another command's too, or its number is: nothing pins that once the leader is reaped, where the
  /// kernel can't (before Linux 6.9) or no descriptor was left.
  [[nodiscard]] bool owns_group(const Child& child) const noexcept {
    const bool number_is_anothers = !child.leader_unreaped && !child.group_pidfd && children_.is_leader(child.pid);
    return !child.joined && !child.shared && !number_is_anothers;
  }
  [[nodiscard]] int send(Child& child, std::uint32_t target, int signal);
  [[nodiscard]] Event after_end_in_leaf(Child& child);
  [[nodiscard]] Event after_end_swept(Child& child);
  [[nodiscard]] static bool has_no_group(const Child& child);
  [[nodiscard]] bool is_group_empty(const Child& child);
  void reap_group(const Child& child);
  [[nodiscard]] bool nobody_lives(const Child& child);
  void look_at_leaf(Child& child, std::int64_t now);
  void look_at_swept(Child& child, std::int64_t now);
  void look_again(Child& child, std::int64_t at);
  void release_groups(Child& child);
  void kill_group(Child& child);
  void look_at_group(Child& child, std::int64_t now);
  [[nodiscard]] std::uint32_t live_members(const Child& child, std::uint32_t unknown);
  void on_due(std::uint32_t slot, std::int64_t now);
  void arm_clock(Child& child);
  void release_place(Child& child);

  // stop_commands.cpp: rungs that run a command.
  [[nodiscard]] bool keep_stop_commands(Child& child, SealedMap map, bool own);
  void take_brought_commands(Child& child);
  void forget_stop_commands(Child& child);
  void run_stop_command(Child& child, const wire::WireRung& rung, std::int64_t now);
  void try_stop_command(Child& child, std::int64_t now);
  void fail_stop_command(Child& child, std::uint32_t number, int sys_errno, Stage stage = Stage::clone);
  void on_stop_let_go(wire::ChildId id, std::uint32_t place);
  void kill_stop_command(Child& child);
  [[nodiscard]] bool is_stop_command_gone(StopRun& run);
  [[nodiscard]] bool is_over_without_stop_command(Child& child);
  [[nodiscard]] std::int64_t stop_due_ns(const Child& child);
  void look_at_stop_command(Child& child, std::int64_t now);

  // usage.cpp: what its groups have counted.
  [[nodiscard]] os::CgroupUsage usage_of(Child& child);
  [[nodiscard]] bool ran_out_of_memory(Child& child);
  void watch_cpu_time(Child& child);
  void look_at_cpu_time(Child& child, std::int64_t now);

  // reports.cpp: what the host is told.
  void say_ready();
  void say_started(Child& child);
  void say_start_failed(wire::ChildId id, const SpawnFailure& failure);
  void say_exited(Child& child, bool alone);
  void say_signal_sent(wire::ChildId id, const wire::SignalFixed& what, int sys_errno);
  void say_settled(wire::ChildId id, std::uint32_t stragglers, bool tree_empty, const os::CgroupUsage& usage = {});
  void say_stop_command(const wire::StopCommandFixed& run);
  void say_limit_met(wire::ChildId id);
  void say_leftovers();

  // shepherd.cpp: the loop.
  void end_by(Ending ending);
  void climb_all();
  void hurry();
  [[nodiscard]] bool done(std::int64_t now);
  [[nodiscard]] std::int64_t next_deadline_ns() const noexcept;
  void say_last_words();
  void on_signals();
  void hear_signals();

  std::unique_ptr<ring::Ring> ring_;
  Spawner::Options spawner_options_;
  wire::Channel channel_;
  ChildTable children_;
  Leftovers leftovers_;
  Leaves leaves_{leftovers_};
  LimitGroups limits_{leaves_, leftovers_};
  Siblings siblings_;
  Sweep sweep_{children_};
  Spawner spawner_;
  LadderClock clock_;
  Orphans orphans_;
  ring::Poll signals_poll_;
  ring::Poll host_poll_;
  os::UniqueFd host_;  ///< Its pidfd: a forked child of it may hold the socket open when it is dead.
  os::UniqueFd signals_fd_;
  std::uint64_t turns_ = 1;
  std::uint32_t told_leftovers_ = 0;
  Ending ending_ = Ending::no;
  std::int64_t ending_bound_ns_ = never;
  bool hurries_ = false;
  Death death_;                     ///< Of the leader whose end is being handled.
  SpawnFailure failure_;            ///< Of the start whose refusal is being handled.
  std::span<const wire::WireRung> wanted_rungs_;  ///< Of the stop that is being handled...
  SealedMap brought_commands_;      ///< ...and what it brought.
  StopRuns stop_runs_;
};

}  // namespace netrunner::shepherd
