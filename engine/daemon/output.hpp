#pragma once
/// What the instances write, from the shards to where it is to go, by a thread that may be held up.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <sys/types.h>
#include <utility>
#include <variant>
#include <vector>

#include <netrunner/chunk.hpp>
#include <netrunner/daemon.hpp>
#include <netrunner/lines.hpp>

#include "engine/daemon/line_pattern.hpp"
#include "engine/daemon/line_sink.hpp"

namespace netrunner::daemon {

/// One output stream of one run of an instance. Thread: the output's, but for what never changes.
struct Source {
  Source(std::uint32_t of_instance, std::uint64_t of_run, Stream which, pid_t of_process, std::size_t line_bytes_max)
      : instance(of_instance), run(of_run), stream(which), pid(of_process), splitter(line_bytes_max) {}
  const std::uint32_t instance;
  const std::uint64_t run;
  const Stream stream;
  const pid_t pid;
  std::shared_ptr<const LinePattern> awaited;  ///< Null: no line is waited for, or it has come.
  LineSplitter splitter;
};

/// A queue of chunks and a thread that empties it. It needs no bound of its own: each chunk is its stream's credit, so
/// a thread that is held up (a slow disk, a callback) holds the command up, and no shard ever waits.
/// Owner: the supervisor and the readers; the thread has it too until close().
class Output {
 public:
  struct Listener {
    std::function<void(std::uint32_t instance, std::uint64_t run)> on_match;  ///< The awaited line came.
    std::function<void()> on_done;  ///< All of a source is written, or a change was told.
  };

  [[nodiscard]] static Result<std::shared_ptr<Output>> open(const DaemonOptions& options);
  /// Starts the thread of `output`.
  [[nodiscard]] static Result<void> start(const std::shared_ptr<Output>& output, Listener listener);

  // Any thread; none of them waits.
  void put(const std::shared_ptr<Source>& source, Chunk chunk);
  void end(const std::shared_ptr<Source>& source);
  [[nodiscard]] bool tell(InstanceStatus change);  ///< False: nobody wants to know.
  void reopen();
  void close();  ///< The thread ends when everything before is dealt with.
  [[nodiscard]] LogStats stats() const;

 private:
  struct Bytes {
    std::shared_ptr<Source> source;
    Chunk chunk;
  };
  struct Over {
    std::shared_ptr<Source> source;
  };
  struct Reopen {};
  using Item = std::variant<Bytes, Over, InstanceStatus, Reopen>;

  Output() = default;
  void push(Item item);
  void write_all();
  [[nodiscard]] bool wait_for_items(std::deque<Item>& items);
  void handle(Item& item);
  void take(Source& source, const Line& line);

  mutable std::mutex mutex_;  ///< Guards the queue, closed_ and published_.
  std::condition_variable changed_;
  std::deque<Item> queue_;
  bool closed_ = false;
  LogStats published_;
  bool tells_changes_ = false;  ///< Never changes once it is open.

  // The thread's own.
  Listener listener_;
  std::unique_ptr<LineSink> sink_;
  std::function<void(const InstanceStatus&)> on_change_;
  LogStats counts_;
  std::uint64_t done_ = 0;  ///< Of this round; said once all is flushed.
};

}  // namespace netrunner::daemon
