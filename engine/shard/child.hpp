#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>
#include <utility>

#include <netrunner/exit_status.hpp>
#include <netrunner/process.hpp>

#include "engine/os/unique_fd.hpp"
#include "engine/shard/chronicle.hpp"
#include "engine/shard/child_life.hpp"
#include "engine/shard/command_limits.hpp"
#include "engine/shard/rooms.hpp"
#include "engine/shard/spawn_plan.hpp"
#include "engine/shard/streams.hpp"
#include "engine/wire/child_id.hpp"
#include "engine/wire/message.hpp"

namespace netrunner::detail {

/// One command's life in the host: its streams, its deadlines, the verbs that wait for its facts, its result.
/// Owner: the child table of one shard; the Process handle only names it. Thread: its shard's.
class Child final : private shard::StreamsOwner {
 public:
  /// `id`: its slot, for the shepherd; `number`: Process::id().
  Child(shard::Rooms& rooms, wire::ChildId id, std::uint64_t number, std::unique_ptr<SpawnPlan> plan);
  ~Child();

  /// Makes the pipes and sends the command to the shepherd. `verb`: the spawn, done when it runs or failed.
  void begin(Verb& verb);
  /// A verb of the Process handle.
  void handle(Verb& verb);
  /// True: it waited here, and is idle now.
  bool withdraw(Verb& verb) noexcept;

  /// The ladder runs. The first cause stands in the result.
  void stop(EndReason reason) { stop(reason, nullptr, {}); }
  /// Another ladder than the command's own runs; `commands`: those of its rungs, as the shepherd reads them.
  void stop(EndReason reason, const KillLadder& ladder, os::UniqueFd commands = {}) {
    stop(reason, &ladder, std::move(commands));
  }
  /// The handle was dropped (or given up by detach).
  void release();
  /// A Reader or Writer was dropped.
  void give_stream_back(Stream stream, bool input);
  /// True: a stream that was taken is its Process's again, as if it had not been.
  [[nodiscard]] bool untake(Stream stream, bool input);
  /// The engine ends: nothing more is read.
  void cut_streams();
  /// The engine closes and can't wait any longer.
  void force_end();

  // What the shepherd says.
  void started(const wire::StartedFixed& started, os::UniqueFd pidfd);
  void start_failed(const wire::StartFailedFixed& failed, std::string_view path, std::string_view head);
  void exited(const wire::ExitedFixed& exited);
  void signal_sent(const wire::SignalSentFixed& sent);
  void settled(const wire::SettledFixed& settled);
  void stop_command(const wire::StopCommandFixed& run);
  void shepherd_lost();

  /// Of any thread, while a handle names it: it never changes.
  [[nodiscard]] const Command::Spec& spec() const noexcept { return plan_->command.spec(); }
  [[nodiscard]] wire::ChildId id() const noexcept { return id_; }
  [[nodiscard]] shard::Shard& shard() const noexcept { return rooms_.shard; }
  [[nodiscard]] pid_t pid() const noexcept { return ended_.pid; }
  [[nodiscard]] bool leader_has_exited() const noexcept { return ended_.timeline.exited_ns != 0; }
  [[nodiscard]] bool has_ended() const noexcept { return life_ == shard::Life::ended; }
  /// A handle names it, or one of a stream of it.
  [[nodiscard]] bool is_held() const noexcept { return owned_ || takers_ > 0; }
  [[nodiscard]] bool detached() const noexcept { return detached_; }
  /// Nobody and nothing refers to it any more.
  [[nodiscard]] bool may_go() const noexcept {
    return has_ended() && !is_held() && !quarantined_ && streams_.idle() && limits_.idle() &&
           chronicle_.all_told();
  }
  enum class WithUsage : std::uint8_t { no, yes };
  [[nodiscard]] ProcessStats process_stats(WithUsage usage) const;

  /// Carries the handle's release to the shard; `detach_asked` is written before it is posted.
  struct ReleaseLetter : Letter {
    Child* child = nullptr;
  };
  ReleaseLetter release_letter;
  bool detach_asked = false;

 private:
  struct StopOrder {
    Child* child;
    void operator()() const noexcept;
  };

  void bytes_arrived(Stream stream, std::uint32_t bytes, std::uint64_t total_bytes) override;
  void stalled(Stream stream) override;
  void resumed(Stream stream, std::uint64_t stalled_ns) override { chronicle_.resumed(now(), stream, stalled_ns); }
  void parked() override { read_no_further(); }
  void stream_ended() override;
  void over_limit() override;

  void stop(EndReason reason, const KillLadder* ladder, os::UniqueFd commands);
  void apply(shard::LifeEvent event);
  [[nodiscard]] bool prepare_limits();
  void note_limits(const wire::StartedFixed& started);
  void set_limits(Verb& verb);
  void note_usage(const os::CgroupUsage& counted);
  [[nodiscard]] EndReason reason() const;
  void fail_start(Error error);
  void report_start();
  void begin_drain();
  void tell_exited();
  void drain_timer_fired();
  void watch_the_lost();
  void arm_drain_timer();
  void settle();
  void note_settled();
  void give_up();
  void complete_if_done();
  void read_no_further();
  [[nodiscard]] bool has_reader() const { return owned_ || streams_.any_output_is_taken(); }
  void note_drained();
  [[nodiscard]] bool holders_are_known();
  void give_up_killing();
  void leave_quarantine(bool gone);
  void end();
  void deadline_passed();
  void idle_timer_fired();
  void signal(Verb& verb);
  void wait_for(Verb& verb);
  void take(Verb& verb);
  void fail_signals(ErrorCode code, const char* why);
  [[nodiscard]] std::int64_t now() const noexcept { return rooms_.reactor.now_ns(); }
  void note_order(EndReason reason);
  void set_quarantined(bool quarantined);
  void add_usage(ProcessStats& stats) const;
  [[nodiscard]] bool is_killed_by_oom() const;

  shard::Rooms& rooms_;
  wire::ChildId id_;
  std::uint64_t number_;
  std::unique_ptr<SpawnPlan> plan_;
  shard::Chronicle chronicle_;
  shard::Streams streams_;
  shard::CommandLimits limits_;
  shard::Life life_ = shard::Life::starting;
  os::UniqueFd pidfd_;
  std::unique_ptr<shard::HolderInquiry> holder_inquiry_;
  Ended ended_;                             ///< Grows with the life; whole when it has ended.
  std::optional<EndReason> cause_;
  Verb* spawn_verb_ = nullptr;
  shard::VerbList exited_verbs_, drained_verbs_, ended_verbs_, signal_verbs_;
  reactor::Timer deadline_, idle_, drain_, unkillable_;
  std::optional<std::stop_callback<StopOrder>> on_stop_request_;
  std::int64_t last_output_ns_ = 0;
  std::int64_t lost_ns_ = 0;
  std::int64_t ordered_ns_ = 0;  ///< Its end was.
  std::unique_ptr<KillLadder> other_ladder_;  ///< The last one that brought commands of its own.
  std::uint32_t requests_ = 0;
  std::uint32_t takers_ = 0;    ///< Readers and Writers alive.
  bool owned_ = true;           ///< A handle (or a spawn under way) names it.
  bool detached_ = false;
  bool settled_ = false;
  bool quarantined_ = false;    ///< The result stands, the process too: see give_up_killing().
  int kill_errno_ = 0;
  bool hurried_ = false;        ///< A stop came when the leader was gone already.
  bool over_limit_ = false;     ///< Told before the shepherd said that it runs; stopped once it has.
  bool drain_over_ = false;     ///< The drain budget ended, or there was nothing to drain.
  bool reader_excused_ = false; ///< What nobody read stays readable; the end does not wait for it.
};

}  // namespace netrunner::detail
