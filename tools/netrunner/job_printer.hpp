#pragma once
/// Prints what jobs wrote: each job's output in one piece, in the order in which they end or in that of the items.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "tools/netrunner/job.hpp"
#include "tools/netrunner/job_log.hpp"
#include "tools/netrunner/job_queue.hpp"
#include "tools/netrunner/output_writer.hpp"
#include "tools/netrunner/progress.hpp"

namespace netrunner::tool {

/// A thread of its own: a standard output that blocks must hold up no shard. It takes what has ended in batches, so a
/// thousand tiny jobs cost a few writes.
/// Owner: each_command. done() comes from any thread.
class JobPrinter {
 public:
  enum class Order : std::uint8_t { as_they_end, of_items };
  struct Totals {
    std::uint64_t done = 0, failed = 0;
    int first_failure = 0;   ///< Exit status of the first job that failed.
    int write_failed = 0;    ///< errno of standard output.
    int err_failed = 0;      ///< errno of standard error.
  };
  struct Hooks {
    std::function<void()> output_broken;  ///< Standard output takes no more; once.
    std::function<void()> job_failed;     ///< For each.
  };

  JobPrinter(JobQueue& queue, JobLog& log, Order order, bool progress, Hooks hooks);

  void start();
  void done(std::unique_ptr<Job> job);
  /// No job comes any more; blocks until all is printed.
  [[nodiscard]] Totals finish();

 private:
  using Batch = std::vector<std::unique_ptr<Job>>;

  void print_all();
  [[nodiscard]] bool next_batch(Batch& batch);
  void account(const Job& job);
  void print(const Job& job);
  std::uint64_t print_in_order(Batch& batch);
  void print_rest();
  void check_output();
  void show_progress();

  JobQueue& queue_;
  JobLog& log_;
  const Order order_;
  const Hooks hooks_;
  Progress progress_;
  OutputWriter writer_;
  Totals totals_;
  std::uint64_t next_sequence_ = 1;
  std::map<std::uint64_t, std::unique_ptr<Job>> early_;  ///< Order::of_items: before their turn.

  std::mutex mutex_;
  std::condition_variable came_;
  Batch ended_jobs_;
  bool finished_ = false;
  std::jthread thread_;
};

}  // namespace netrunner::tool
