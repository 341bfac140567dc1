#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

#include <netrunner/error.hpp>
#include <netrunner/exit_status.hpp>
#include <netrunner/kill_ladder.hpp>
#include <netrunner/stats.hpp>

#include "engine/os/unique_fd.hpp"
#include "engine/reactor/reactor.hpp"
#include "engine/ring/poll.hpp"
#include "engine/shepherd_link/launch.hpp"
#include "engine/wire/channel.hpp"
#include "engine/wire/message.hpp"
#include "engine/wire/wire_rungs.hpp"

namespace netrunner::shepherd_link {

/// Told what the shepherd says. Thread: the shard's.
class LinkOwner {
 public:
  virtual void shepherd_ready() = 0;
  /// The cgroup of a new shepherd's commands; none: it has none.
  [[nodiscard]] virtual os::UniqueFd new_group() = 0;
  [[nodiscard]] virtual bool has_commands() const = 0;
  /// Every command that it had is lost; a new shepherd has been started, or will be.
  virtual void shepherd_lost() = 0;
  /// The new one could not be started either; it is tried again after a pause.
  virtual void no_shepherd(const Error& error) = 0;
  virtual void started(const wire::StartedFixed& started, os::UniqueFd pidfd) = 0;
  virtual void start_failed(const wire::StartFailedFixed& failed, std::string_view path, std::string_view head) = 0;
  virtual void exited(const wire::ExitedFixed& exited) = 0;
  virtual void signal_sent(const wire::SignalSentFixed& sent) = 0;
  virtual void stop_command(const wire::StopCommandFixed& run) = 0;
  virtual void settled(const wire::SettledFixed& settled) = 0;
  virtual void limit_met(wire::ChildId id) = 0;
  /// Groups of ended commands that the shepherd could not remove yet.
  virtual void leftovers(std::uint32_t count) = 0;

 protected:
  ~LinkOwner() = default;
};

/// The host's end of the treaty: starts the shepherd, speaks to it, and replaces it when it dies.
/// Owner: one shard. Thread: its own.
class Link {
 public:
  /// What the shepherd is told of itself when it starts.
  struct Place {
    std::uint32_t number = 0;  ///< Among the shepherds of this host.
    Containment level = Containment::process_group;
  };
  Link(reactor::Reactor& reactor, LinkOwner& owner, LaunchOptions options, Place place);
  ~Link();

  [[nodiscard]] Result<void> start();
  /// False: no shepherd is to be had at the moment; `failure()` says why.
  [[nodiscard]] bool up() const noexcept { return channel_ != nullptr && !lost_; }
  [[nodiscard]] const Error& failure() const noexcept { return failure_; }

  void spawn(const wire::SpawnFixed& fixed, std::span<const std::byte> body, std::vector<os::UniqueFd> descriptors);
  void signal(wire::ChildId id, std::uint32_t request, int signal, Target target);
  /// The command's own ladder.
  void stop(wire::ChildId id, const KillLadder& ladder) { stop(id, wire::wire_rungs(ladder, 0), {}); }
  /// Another one, with its commands.
  void stop(wire::ChildId id, const KillLadder& ladder, os::UniqueFd commands) {
    stop(id, wire::wire_rungs(ladder, wire::stop_commands_max), std::move(commands));
  }
  void settle(wire::ChildId id, wire::SettlePolicy policy);
  /// Where it makes the groups of commands with limits: a directory per hierarchy, in the order of os::Hierarchy.
  void give_limit_groups(std::uint32_t hierarchies, std::span<os::UniqueFd> directories);
  void set_cpu_time(wire::ChildId id, std::int64_t limit_ns);
  /// Commands are running: from now on a shepherd that doesn't answer is noticed (a ping a second; three to
  /// answer if it is stopped, else thirty), killed and so replaced. Asks the owner each time whether that still holds.
  void stay_watchful();
  /// Sends what this turn has queued, in one message.
  void flush();
  /// Another shepherd of this host; `group` is none where it has no cgroup.
  void introduce(const wire::SiblingFixed& sibling, os::UniqueFd pidfd, os::UniqueFd group);
  /// What another shepherd is told of this one.
  [[nodiscard]] wire::SiblingFixed as_sibling() const noexcept;

  /// No command follows; the shepherd ends when none is left, and a turn follows its end.
  void shut_down();
  [[nodiscard]] bool is_down() const noexcept;
  /// Has a shepherd that does not end in time killed.
  void kill_shepherd();
  /// Stopped by a signal, or traced: it can't do anything.
  [[nodiscard]] bool shepherd_is_stopped() const;
  /// The shepherd sees its host go. Nothing may be asked of the link afterwards.
  void desert() noexcept;

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] int pidfd() const noexcept { return pidfd_.get(); }
  [[nodiscard]] Place place() const noexcept { return place_; }
  /// What the shepherd found that it can keep.
  [[nodiscard]] Containment containment() const noexcept { return contained_; }
  [[nodiscard]] int containment_errno() const noexcept { return containment_errno_; }
  [[nodiscard]] SpawnPath spawn_path() const noexcept { return spawn_path_; }
  /// The one that has ended said so before: nothing of its commands was left.
  [[nodiscard]] bool left_nobody() const noexcept { return left_nobody_; }
  /// The one that was lost last did not answer, and was killed for it.
  [[nodiscard]] bool was_silent() const noexcept { return silent_; }
  [[nodiscard]] std::uint64_t lost_count() const noexcept { return lost_count_; }

 private:
  void stop(wire::ChildId id, const std::vector<wire::WireRung>& rungs, os::UniqueFd commands);
  void message(const wire::Message& message, std::span<os::UniqueFd> descriptors);
  void closed();
  void replace();
  void send_place();
  void watch();
  void bury();

  reactor::Reactor& reactor_;
  LinkOwner& owner_;
  LaunchOptions options_;
  Place place_;
  Containment contained_ = Containment::process_group;
  int containment_errno_ = 0;
  std::uint64_t mark_ = 0;
  std::unique_ptr<wire::Channel> channel_;
  std::vector<std::unique_ptr<wire::Channel>> buried_;  ///< Of dead shepherds, until their operations have ended.
  os::UniqueFd pidfd_;
  ring::Poll end_;  ///< Of a shepherd that was told to end: what is_down() says may have changed.
  reactor::Timer retry_, watch_;
  std::int64_t asked_ns_ = 0;  ///< The oldest ping that was not answered; 0: none.
  std::int64_t retry_pause_ns_;
  Error failure_;
  pid_t pid_ = 0;
  SpawnPath spawn_path_ = SpawnPath::asynchronous;
  std::uint64_t lost_count_ = 0;
  bool ping_waits_ = false;  ///< It goes out with the next flush().
  bool lost_ = false, shutting_down_ = false, ready_ = false, silent_ = false, left_nobody_ = false;
};

}  // namespace netrunner::shepherd_link
