#pragma once
/// Starts: as many at once as there are places, the others wait in order. Nothing here ever blocks (but for the vfork
/// and fork ways, which wait for each exec).
///
/// The end of exec is the kernel's clearing of the place's tid word. It is awaited by a futex operation of the ring, or
/// where there is none (before Linux 6.7) by a pipe whose write end the child alone has: exec and death close it, after
/// the word was cleared.

#include <array>
#include <cstdint>
#include <span>

#include "engine/os/unique_fd.hpp"
#include "engine/ring/futex_wait.hpp"
#include "engine/ring/poll.hpp"
#include "engine/ring/ring.hpp"
#include "engine/wire/codec.hpp"
#include "engine/wire/stop_commands.hpp"
#include "shepherd/clone_call.hpp"
#include "shepherd/leaves.hpp"
#include "shepherd/limit_groups.hpp"
#include "shepherd/region.hpp"
#include "shepherd/spawn_place.hpp"
#include "shepherd/stop_run.hpp"

namespace netrunner::shepherd {

/// What became of a start. `path` and `head` point into the place, until release().
struct SpawnFailure {
  Stage stage = Stage::none;
  int sys_errno = 0;
  std::uint32_t index = 0;
  const char* path = "";
  std::span<const char> head;
};

class Spawner {
 public:
  static constexpr std::uint32_t no_place = UINT32_MAX;

  struct Handler {
    void* owner;
    /// The process exists. Its exec may still hang.
    void (*cloned)(void* owner, wire::ChildId id, std::uint32_t place, CloneResult& process);
    /// It does not, and won't.
    void (*refused)(void* owner, wire::ChildId id, const SpawnFailure& failure);
    /// The kernel let go of the place: exec has succeeded, or failure_of() says what failed.
    void (*let_go)(void* owner, wire::ChildId id, std::uint32_t place);
    /// The same of a stop command; `id` is that of the command that it stops.
    void (*stop_let_go)(void* owner, wire::ChildId id, std::uint32_t place);
  };
  enum class Way : std::uint8_t {
    futex,  ///< IORING_OP_FUTEX_WAIT, Linux 6.7.
    pipe,   ///< The same by a pipe per start: some microseconds and one descriptor more.
    vfork,  ///< Wait for each exec.
  };
  struct Options {
    Way way = Way::futex;  ///< The best that may be used.
    Leaves* leaves = nullptr;  ///< Where active, each command is born in a leaf of its own.
    LimitGroups* limits = nullptr;
    std::uint64_t descriptors_soft_max = 0, descriptors_hard_max = 0;
  };

  Spawner(ring::Ring& ring, Handler handler) noexcept : ring_(ring), handler_(handler) {}
  /// False: no memory, or no way to start a process at all.
  [[nodiscard]] bool open(Options options);

  /// Each command gets its mark from now on.
  void mark_commands() noexcept {
    marks_ = true;
    marks_by_limit_ = os::limit_is_free();
  }
  /// Whether commands can be born in the leaves: 0 or the errno.
  [[nodiscard]] int test_leaves();

  /// Takes its copy and the descriptors. False: no memory for one more that waits; nothing was taken then.
  [[nodiscard]] bool admit(const wire::Message& message, std::span<os::UniqueFd> descriptors);
  /// Forgets one that waits.
  void withdraw(wire::ChildId id);
  /// A turn begins: starts may take their share of it.
  void begin_turn(std::int64_t now) noexcept;
  /// Starts what can be started now.
  void pump(std::int64_t now);
  /// When pump() has to be called again; `never`: only after a release.
  [[nodiscard]] std::int64_t next_pump_ns() const noexcept;

  /// A command of a ladder, to be born where the command is that it stops.
  struct StopStart {
    wire::ChildId id;
    wire::StopCommand command;
    pid_t leader = 0;
    std::uint32_t leaf = Leaves::none;
    std::uint32_t limit_group = LimitGroups::none;
    std::uint32_t hierarchies = 0;
  };
  struct StopStarted {
    CloneResult process;
    std::uint32_t place = no_place;
    int sys_errno = 0;  ///< EAGAIN: it may be tried again.
  };
  /// Never waits, and takes no place that is in use. What `command` points to must stay until the release of the place.
  [[nodiscard]] StopStarted start_stop_command(const StopStart& wanted);
  /// When the caller knows it: stop_let_go() comes, perhaps at once.
  void expect_exec(std::uint32_t place);
  /// What its command points to goes with the place.
  void hand_over(std::uint32_t place, SealedMap map);

  /// What was asked for, from cloned() until release().
  [[nodiscard]] const ChildJob& job_of(std::uint32_t place) const noexcept { return places_[place].job; }
  [[nodiscard]] bool succeeded(std::uint32_t place) const noexcept;
  [[nodiscard]] SpawnFailure failure_of(std::uint32_t place) const noexcept;
  /// Ends the wait for exec, which then looks again.
  void nudge(std::uint32_t place) {
    ring_.cancel(waits_[place].futex);
    ring_.cancel(waits_[place].hang_up);
  }
  /// The place may be used again.
  void release(std::uint32_t place);

  [[nodiscard]] wire::CloneCall clone_call() const noexcept { return clone_call_; }
  [[nodiscard]] Way way() const noexcept { return way_; }
  [[nodiscard]] std::uint32_t waiting() const noexcept { return queued_; }

 private:
  struct ExecWait {
    static void completed(void* self, ring::Completion completion);
    void arm();
    ring::FutexWait futex{this, completed};
    ring::Poll hang_up{this, completed};
    os::UniqueFd pipe;  ///< The read end, where the pipe tells.
    bool stops = false;       ///< A stop command.
    SealedMap kept;           ///< Its own, where the command that it stops has gone before.
    bool own_memory = false;  ///< Then the pipe alone tells: the kernel clears no word that we see.
    Spawner* spawner = nullptr;
    std::uint32_t place = 0;
    wire::ChildId id;
    void* body_map = nullptr;  ///< The memfd's, where the body came in one.
    std::size_t body_map_bytes = 0;
    void* pointers_map = nullptr;
    std::size_t pointers_map_bytes = 0;
  };
  enum class Start { done, later };
  [[nodiscard]] std::uint32_t take_place();
  struct ExecPipe {
    os::UniqueFd read_end, write_end;
  };
  /// The groups that one command is born in or joins.
  struct Birthplace {
    Leaves::Taken leaf;
    LimitGroups::Made limits;
    SpawnFailure failure;
  };

  [[nodiscard]] Start start(std::uint32_t place, std::int64_t now);
  [[nodiscard]] SpawnFailure prepare(std::uint32_t place);
  [[nodiscard]] SpawnFailure prepare(std::uint32_t place, std::span<const std::byte> body, char* variable);
  [[nodiscard]] Birthplace birthplace_of(std::uint32_t place, const StopStart& wanted);
  [[nodiscard]] SpawnFailure map_body(std::uint32_t place, std::span<const std::byte>& body);
  [[nodiscard]] char** map_pointers(std::uint32_t place, std::size_t count);
  [[nodiscard]] ExecPipe make_exec_pipe(std::uint32_t place) const;
  [[nodiscard]] CloneResult clone(std::uint32_t place, const Birthplace& birthplace);
  [[nodiscard]] Start put_off(std::uint32_t place, std::int64_t now);
  [[nodiscard]] Birthplace make_birthplace(std::uint32_t place);
  void undo(const Birthplace& birthplace, std::uint32_t hierarchies, bool leaf_is_good);
  void close_descriptors(SpawnCopy& spawn);
  void drop_maps(ExecWait& wait);
  void cloned(std::uint32_t place, CloneResult& process);
  void exec_ended(ExecWait& wait);
  void refuse(std::uint32_t place, const SpawnFailure& failure);
  void take(SpawnCopy& copy, const wire::Message& message, std::span<os::UniqueFd> descriptors);
  [[nodiscard]] bool enqueue(const wire::Message& message, std::span<os::UniqueFd> descriptors);
  void dequeue_into(std::uint32_t place);
  void trim();

  ring::Ring& ring_;
  Handler handler_;
  Options options_;
  bool marks_ = false, marks_by_limit_ = false;
  wire::CloneCall clone_call_ = wire::CloneCall::clone3;
  Way way_ = Way::futex;
  std::int64_t turn_ends_ns_ = never;
  std::int32_t shepherd_pid_ = 0;

  Region<SpawnPlace> places_;
  std::array<ExecWait, spawns_at_once_max> waits_;
  std::array<std::uint16_t, spawns_at_once_max> free_;  ///< Last freed, first used: few pages are touched.
  std::uint32_t free_count_ = 0;
  std::uint32_t places_touched_ = 0;
  std::uint32_t places_guarded_ = 0;
  std::int64_t trim_ns_ = never;

  Region<SpawnCopy> queue_;  ///< A ring of those that wait, mapped when the first one has to.
  std::uint32_t queue_first_ = 0, queued_ = 0;

  std::int64_t refused_since_ns_ = 0;  ///< 0: the last clone succeeded.
  std::int64_t pause_until_ns_ = 0;
  std::int64_t pause_ns_ = 0;
};

}  // namespace netrunner::shepherd
