#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <netrunner/awaitable.hpp>
#include <netrunner/exit_status.hpp>

#include "engine/containment/limit_files.hpp"
#include "engine/os/unique_fd.hpp"
#include "engine/reactor/reactor.hpp"
#include "engine/ring/write_apart.hpp"
#include "engine/shard/groups.hpp"
#include "engine/shard/limit_order.hpp"
#include "engine/shard/verb_queue.hpp"
#include "engine/wire/message.hpp"

namespace netrunner::shard {

/// A running command's groups, and changes of its limits: one at a time, value by value, each written by a worker of
/// the kernel's, because lowering a limit may reclaim for long.
/// Owner: one Child. Thread: its shard's. Must be idle() before it is destroyed.
class CommandLimits {
 public:
  CommandLimits(reactor::Reactor& reactor, VerbQueue& verbs, const Groups& groups)
      : reactor_(reactor), verbs_(verbs), groups_(groups), write_(this, written) {}

  /// The shepherd has said where it is.
  void started(const wire::StartedFixed& started, std::uint32_t hierarchies);
  /// Its shepherd has died: the next one's groups have the same names.
  void lost() noexcept;
  /// Has a group whose CPU time counts the whole command.
  [[nodiscard]] bool has_clock() const noexcept;
  /// Its groups, opened: those made for its limits, and in all of them its leaf.
  [[nodiscard]] containment::CommandGroups open_limited() const {
    return groups_.of_command(limit_group_, hierarchies_);
  }
  [[nodiscard]] containment::CommandGroups open() const;
  /// What they have counted for it until now.
  [[nodiscard]] os::CgroupUsage usage(const containment::CommandGroups& open) const;

  void set(Verb& verb);
  /// True: it waited here. What is being written is written.
  bool withdraw(Verb& verb) noexcept;
  /// The command has ended: nothing more is written.
  void end();
  [[nodiscard]] bool idle() const noexcept { return write_.idle(); }

 private:
  static void written(void* self, ring::Completion completion);
  void begin_next();
  void write_next();
  [[nodiscard]] bool strike_what_has_no_group();
  [[nodiscard]] bool refused(std::size_t write, int sys_errno);
  void finish();

  reactor::Reactor& reactor_;
  VerbQueue& verbs_;
  const Groups& groups_;
  std::uint32_t leaf_ = wire::no_group;
  std::uint32_t limit_group_ = wire::no_group;
  std::uint32_t hierarchies_ = 0;
  std::uint64_t user_us_before_ = 0, system_us_before_ = 0;
  VerbList waiting_;
  Verb* verb_ = nullptr;  ///< Whose order is under way; null with an order: it was withdrawn.
  std::unique_ptr<detail::LimitOrder> order_;
  std::size_t next_write_ = 0;
  os::UniqueFd file_;
  ring::WriteApart write_;
  bool ended_ = false;
};

}  // namespace netrunner::shard
