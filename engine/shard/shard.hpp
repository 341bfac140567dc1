#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <netrunner/engine.hpp>
#include <netrunner/exit_status.hpp>
#include <netrunner/stats.hpp>

#include "engine/flow/shared_flow.hpp"
#include "engine/os/signal_mask.hpp"
#include "engine/reactor/reactor.hpp"
#include "engine/shard/adoption.hpp"
#include "engine/shard/child_table.hpp"
#include "engine/shard/event_queue.hpp"
#include "engine/shard/groups.hpp"
#include "engine/shard/holder_search.hpp"
#include "engine/shard/rooms.hpp"
#include "engine/shard/sleepers.hpp"
#include "engine/shard/spare.hpp"
#include "engine/shard/verb_queue.hpp"
#include "engine/shepherd_link/link.hpp"

namespace netrunner::shard {

using detail::Letter;

/// Once a shard's thread has gone, whoever comes is the shard, one at a time; for all shards of the process, so that
/// the last one may delete what the next would ask.
[[nodiscard]] std::recursive_mutex& after_close();

class Shard;

/// The shards of one engine, to one of them.
class Neighbours {
 public:
  /// On the shard's own thread: its shepherd is ready, the others' should know it.
  virtual void shepherd_is_ready(Shard& shard) = 0;

 protected:
  ~Neighbours() = default;
};

/// One core: owns one of each and introduces them. Made, turned and ended by one thread; others reach it by deliver().
/// Owner: the engine's Core.
class Shard final : private shepherd_link::LinkOwner, private Spare::Owner {
 public:
  struct Options {
    std::uint32_t index = 0;
    EngineOptions engine;
    shepherd_link::LaunchOptions launch;
    const containment::CgroupManager* cgroups = nullptr;  ///< Where leaves can be made.
    Containment level = Containment::process_group;       ///< To be had.
    std::string containment_note;                         ///< Why not a stronger one.
    std::uint32_t engine_number = 0;                      ///< Number of the engine in this process.
    bool keeps_spare = false;
    bool foreign_loop = false;
  };
  /// On the thread that will turn it. The shepherd is started, and has perhaps not said that it is ready.
  [[nodiscard]] static Result<std::unique_ptr<Shard>> open(detail::Core* core, Neighbours& neighbours,
                                                           const Options& options);
  ~Shard();

  /// One turn; waits until `wait_until_ns` (CLOCK_MONOTONIC) at most.
  void turn(std::int64_t wait_until_ns);
  /// When nobody may turn it again, in any thread: the shepherds end everything as if their host had ended.
  void desert() noexcept;
  /// Nothing is admitted any more, everything runs its ladder; turn on until has_closed().
  void begin_close();
  [[nodiscard]] bool is_closing() const noexcept { return closing_ != Closing::open; }
  [[nodiscard]] bool has_closed() const noexcept { return closed_; }
  [[nodiscard]] const CloseReport& close_report() const noexcept { return close_report_; }
  [[nodiscard]] bool ready() const noexcept { return ready_; }
  [[nodiscard]] const Error& shepherd_failure() const noexcept { return link_.failure(); }
  [[nodiscard]] bool shepherd_failed() const noexcept { return link_.lost_count() > 0 && !ready_; }

  /// Any thread: opens the letter on the shard's own thread, at once where this is it. False: the shard is over;
  /// whoever has the letter opens it, under after_close().
  [[nodiscard]] bool deliver(Letter& letter);
  /// Any thread but the shard's; false: the shard is over.
  [[nodiscard]] bool post(Letter& letter) noexcept { return reactor_->post(letter); }
  void open_after_close(Letter& letter);
  [[nodiscard]] detail::Core& core() noexcept { return *core_; }
  [[nodiscard]] bool on_thread() const noexcept { return reactor_->on_thread(); }
  /// Any thread: its own thread turns it no more.
  [[nodiscard]] bool is_over() const noexcept { return reactor_->is_closed(); }
  /// On the shard's thread, or after it under after_close(). True: done on the spot.
  [[nodiscard]] bool start(Verb& verb);
  void handle(Verb& verb);
  void withdraw(Verb& verb);
  void abandon(Verb& verb, ErrorCode code);
  /// Completes it with this error, if it is still under way.
  void take_back(Verb& verb, Error error);
  void let_go(detail::ChunkSlot& slot);
  /// On the shard's thread: a letter that was posted to it will not be opened.
  void take_out(Letter& letter) noexcept { reactor_->take_out(letter); }

  /// A copy of what names our shepherd to another's.
  [[nodiscard]] os::UniqueFd shepherd_pidfd() const;
  [[nodiscard]] os::UniqueFd shepherd_group() const { return groups_.copy(); }
  [[nodiscard]] std::uint32_t index() const noexcept { return options_.index; }
  /// Process::id() of the next command: unique in the engine, because the shard is part of it.
  [[nodiscard]] std::uint64_t next_number() noexcept { return std::uint64_t{options_.index} << 48 | ++commands_; }
  /// Another shard's shepherd: ours is told of it.
  void meet(const wire::SiblingFixed& sibling, os::UniqueFd pidfd, os::UniqueFd group);
  [[nodiscard]] wire::SiblingFixed as_sibling() const noexcept { return link_.as_sibling(); }
  /// No process is left in the cgroup of a shepherd that was lost.
  [[nodiscard]] bool the_dead_are_gone() const noexcept { return groups_.the_dead_are_gone(); }
  [[nodiscard]] Containment containment() const noexcept { return link_.containment(); }
  /// Why it is another than was asked for: the errno of the shepherd's self-test, or 0.
  [[nodiscard]] int containment_errno() const noexcept { return link_.containment_errno(); }

  /// Who holds these pipes of a command whose leader has ended?
  [[nodiscard]] std::unique_ptr<HolderInquiry> ask_holders(std::vector<OpenPipe> pipes);
  /// The directories of limits are made and the shepherd knows them.
  [[nodiscard]] Result<void> prepare_limits(containment::LimitPlaces& places, std::uint32_t hierarchies);
  [[nodiscard]] const Groups& groups() const noexcept { return groups_; }

  /// Any thread: has the command stopped, if it is still there.
  void order_stop(detail::Child& child, EndReason reason);
  /// It may go at the end of the turn, or of a later one.
  void bury(detail::Child& child);

  /// Under after_close(): it has closed, and no handle and no chunk refers to it any more.
  [[nodiscard]] bool is_forgotten();
  [[nodiscard]] ShardStats stats() const;
  [[nodiscard]] int foreign_fd() const noexcept { return reactor_->foreign_fd(); }

 private:
  /// Between two turns of a foreign loop the host's thread does our work: a pipe that breaks is an errno, and what was
  /// queued goes out with the next turn, which is due now. Nothing anywhere else.
  class BetweenTurns {
   public:
    explicit BetweenTurns(Shard& shard) noexcept;
    BetweenTurns(const BetweenTurns&) = delete;
    BetweenTurns& operator=(const BetweenTurns&) = delete;
    ~BetweenTurns();

   private:
    Shard& shard_;
    std::optional<os::NoBrokenPipeSignal> guard_;
  };

  Shard(detail::Core* core, Neighbours& neighbours, const Options& options, std::unique_ptr<reactor::Reactor> reactor);

  void shepherd_ready() override;
  void spare_is_ready() override;
  [[nodiscard]] os::UniqueFd new_group() override { return groups_.next(); }
  [[nodiscard]] bool has_commands() const override { return table_.size() > 0; }
  void shepherd_lost() override;
  void no_shepherd(const Error& error) override;
  void started(const wire::StartedFixed& started, os::UniqueFd pidfd) override;
  void start_failed(const wire::StartFailedFixed& failed, std::string_view path, std::string_view head) override;
  void exited(const wire::ExitedFixed& exited) override;
  void signal_sent(const wire::SignalSentFixed& sent) override;
  void stop_command(const wire::StopCommandFixed& run) override;
  void settled(const wire::SettledFixed& settled) override;
  void limit_met(wire::ChildId id) override;
  void leftovers(std::uint32_t count) override;

  [[nodiscard]] std::int64_t next_wake(std::int64_t wanted_ns) const noexcept;
  void flush_links();
  void search_holders();
  void turn_quietly(std::int64_t wait_until_ns);
  void spawn(Verb& verb);
  [[nodiscard]] std::vector<ProcessStats> list(pid_t only);
  void tell_of_shepherd(EventKind kind);
  void log_containment() const;
  void adopt(Verb& verb);
  [[nodiscard]] bool forget(Verb& verb) noexcept;
  void undo(Verb& verb);
  void bury_the_dead();
  void go_on_closing();
  void advance_closing();
  void end_shepherds_that_do_not();
  void finish_closing();
  [[nodiscard]] Verb* next_done();

  Options options_;
  std::unique_ptr<reactor::Reactor> reactor_;
  std::unique_ptr<flow::SharedFlow> flow_;
  VerbQueue verbs_;
  ShardStats stats_;
  EventQueue events_;
  std::uint64_t commands_ = 0;
  Groups groups_;
  std::uint32_t leftovers_ = 0;  ///< Of the present shepherd.
  shepherd_link::Link link_;
  std::unique_ptr<Spare> spare_;
  std::unique_ptr<Rooms> rooms_;
  HolderSearch holders_;
  ChildTable table_;
  Sleepers sleepers_;
  std::vector<std::unique_ptr<detail::Adoption>> adoptions_;
  std::vector<detail::Child*> dying_;
  CloseReport close_report_;
  enum class Closing : std::uint8_t { open, stopping, killing, ending } closing_ = Closing::open;
  std::int64_t closing_until_ns_ = 0, ending_since_ns_ = 0, down_since_ns_ = 0;
  bool closed_ = false;
  bool turning_ = false;  ///< Foreign loop: within turn().
  bool ready_ = false;
  bool was_ready_ = false;  ///< A shepherd has been ready before.
  detail::Core* core_;
  Neighbours& neighbours_;
};

}  // namespace netrunner::shard
