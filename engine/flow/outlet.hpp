#pragma once

#include <cstddef>
#include <cstdint>

#include <netrunner/command.hpp>
#include <netrunner/exit_status.hpp>
#include <netrunner/stats.hpp>

#include "engine/flow/chunk_queue.hpp"
#include "engine/flow/credit_window.hpp"
#include "engine/flow/shared_flow.hpp"
#include "engine/flow/source.hpp"
#include "engine/flow/stall_clock.hpp"
#include "engine/ring/poll.hpp"
#include "engine/ring/read.hpp"

namespace netrunner::flow {

class Outlet;

/// Told of an outlet's life; must not destroy it from within.
class OutletOwner {
 public:
  /// `bytes` were read: kept, or dropped.
  virtual void output_arrived(Outlet& outlet, std::uint32_t bytes) = 0;
  /// Bytes that were taken are back: they are the next ones again.
  virtual void output_returned(Outlet& outlet) = 0;
  virtual void output_ended(Outlet& outlet) = 0;
  /// The kernel says that this is the end. True: the owner has seen to it that more may come, so it is read on.
  [[nodiscard]] virtual bool output_goes_on(Outlet& outlet) = 0;
  virtual void output_over_limit(Outlet& outlet) = 0;
  virtual void output_stalled(Outlet& outlet) = 0;
  virtual void output_resumed(Outlet& outlet, std::uint64_t stalled_ns) = 0;
  /// No chunk is free for it.
  virtual void output_parked(Outlet& outlet) = 0;
  /// Credit came back: other streams of the same budget may go on.
  virtual void credit_returned() = 0;

 protected:
  ~OutletOwner() = default;
};

/// One output stream of a command: reads its pipe or terminal as far as credit goes, keeps what was read in order,
/// never more. At most one read is in flight; without credit none is armed, the pipe fills, the command waits.
/// Owner: one command's Child. Thread: its shard. Must be idle() before it is destroyed.
class Outlet final : private Waiter, private Turn {
 public:
  struct Options {
    Stream stream = Stream::out;
    std::uint64_t window_bytes = 0;
    std::uint32_t chunk_bytes = UINT32_MAX;  ///< The largest that take() gives.
    std::uint64_t limit_bytes = UINT64_MAX;
    AtLimit at_limit = AtLimit::stop;
  };
  Outlet(SharedFlow& flow, OutletOwner& owner, Budget& budget, Source source, const Options& options);
  ~Outlet();

  /// Queues the first read.
  void open() { want_turn(); }
  /// The next bytes, at most `bytes_max`; null: none are here. The caller gives them back.
  [[nodiscard]] ChunkSlot* take(std::size_t bytes_max);
  void give_back(ChunkSlot& slot);
  /// It was never consumed: its bytes are the first again, and were held all the time.
  void untake(ChunkSlot& slot);
  /// The number of the bytes that are read next; `apart`: they aren't put behind those that wait.
  void number_arrivals(std::uint64_t number, bool apart) noexcept {
    arrival_ = number;
    apart_ = apart;
  }
  /// Another stream of the command gave credit back.
  void credit_may_be_free();

  /// Nobody wants the bytes: they are read and dropped, so that the command isn't held up.
  void discard();
  /// The source is closed: the command gets SIGPIPE when it writes on.
  void close();
  /// The drain budget ended: what is in the source now is still delivered, what comes later isn't.
  void finish(StreamEnd end);
  /// The engine ends: nothing more is read, what was read stays.
  void cut();
  /// The drain budget ended while others held the pipe; the end says so, even if end of file follows.
  void note_inherited() noexcept { inherited_ = true; }

  [[nodiscard]] Stream stream() const noexcept { return options_.stream; }
  /// Lent, for what isn't reading.
  [[nodiscard]] int fd() const noexcept { return source_.fd(); }
  [[nodiscard]] bool ended() const noexcept { return end_ != StreamEnd::none; }
  [[nodiscard]] bool has_bytes() const noexcept { return !queue_.empty(); }
  /// When the first of the bytes that wait were read, as the owner numbers them; meaningful with has_bytes().
  [[nodiscard]] std::uint64_t first_arrival() const noexcept { return queue_.first()->arrival; }
  /// All that was ever read.
  [[nodiscard]] std::uint64_t total_bytes() const noexcept { return bytes_ + dropped_bytes_; }
  /// Stands still for want of credit, or of a chunk: what it has left is in the hands of readers, its own or others.
  [[nodiscard]] bool stands_still() const noexcept { return stall_.stalled() || waiting(); }
  /// Nobody else can write any more: its end surely comes, however late its completion is.
  [[nodiscard]] bool writers_are_gone() const noexcept;
  /// See Source::writers_key; 0: it has ended.
  [[nodiscard]] std::uint64_t writers_key() const noexcept;
  [[nodiscard]] bool stalled() const noexcept { return stall_.stalled(); }
  [[nodiscard]] std::int64_t stalled_for_ns(std::int64_t now_ns) const noexcept {
    return stall_.stalled_for_ns(now_ns);
  }
  [[nodiscard]] bool idle() const noexcept { return read_.idle() && watch_.idle(); }
  [[nodiscard]] StreamStats stats() const;
  [[nodiscard]] StreamSummary summary() const;

 private:
  void chunk_is_free() override { want_turn(); }
  void take_turn() override;
  void want_turn();
  void read_into(ChunkPool& pool, std::uint32_t bytes_max);
  [[nodiscard]] bool drops() const noexcept;
  [[nodiscard]] std::uint64_t wanted_bytes() const noexcept;
  void read_done(ring::Completion completion);
  void keep(ChunkSlot& slot);
  void watch_for_more();
  void watch_done();
  void drop_queue();
  void leave_credit();
  void end_with(StreamEnd end);
  void stall();
  void go_on();
  [[nodiscard]] ChunkSlot& piece_of(ChunkSlot& whole, std::uint32_t bytes);
  void hand_out(ChunkSlot& slot) noexcept;
  void take_in(ChunkSlot& slot) noexcept;

  SharedFlow& flow_;
  OutletOwner& owner_;
  Source source_;
  Options options_;
  CreditWindow window_;
  ring::Read read_;
  ring::Poll watch_;  ///< At the limit: is there more?
  ChunkQueue queue_;
  ChunkSlot* held_ = nullptr;  ///< In the consumer's hands.
  StallClock stall_;
  ChunkPool* reading_from_ = nullptr;
  std::uint32_t reserved_ = 0;
  std::uint64_t bytes_ = 0, dropped_bytes_ = 0, operations_ = 0;
  std::uint64_t finish_bytes_ = 0;
  std::uint64_t arrival_ = 0;
  StreamEnd finish_as_ = StreamEnd::none;
  StreamEnd end_ = StreamEnd::none;
  bool discarding_ = false, closing_ = false, inherited_ = false, finish_counted_ = false, apart_ = false;
};

}  // namespace netrunner::flow
