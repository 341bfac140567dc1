#pragma once
/// Runs the jobs: a coroutine per slot, each taking the next item when its job has ended.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <netrunner/blocking.hpp>
#include <netrunner/command.hpp>
#include <netrunner/engine.hpp>
#include <netrunner/task.hpp>

#include "tools/netrunner/command_options.hpp"
#include "tools/netrunner/job.hpp"
#include "tools/netrunner/job_queue.hpp"
#include "tools/netrunner/job_slot.hpp"
#include "tools/netrunner/job_template.hpp"
#include "tools/netrunner/limit_options.hpp"

namespace netrunner::tool {

/// Owner: each_command. The slots run in the threads of the shards.
class JobRunner {
 public:
  struct Plan {
    JobTemplate words;
    KillLadder ladder;
    std::uint64_t output_bytes_max = UINT64_MAX;  ///< Of each job, stdout and stderr together.
    AtLimit at_limit = AtLimit::stop;
    LimitOptions limits;
    CommandOptions environment;
    Nanoseconds timeout = Nanoseconds::max();
    std::uint32_t slots = 1;
    bool keep_command_lines = false;  ///< Job::command is wanted.
    bool halt_on_failure = false;     ///< The first job that fails is the last that was begun.
  };
  struct Hooks {
    std::function<void(std::unique_ptr<Job>)> done;
    std::function<void(int)> output_lost;  ///< errno: nobody reads our standard output (EPIPE), or it can't be kept.
  };

  JobRunner(Engine& engine, JobQueue& queue, Plan plan, Hooks hooks);

  void start();
  /// Blocks until each slot has found that there are no more items.
  void wait();
  void stop(JobSlot::Urgency urgency);
  void signal(int number);
  /// Of an item that can be no argument.
  [[nodiscard]] static Error too_long();

 private:
  class Joined;

  [[nodiscard]] Task<void> run_slot(JobSlot& slot);
  [[nodiscard]] Task<Result<Ended>> run_job(JobSlot& slot, Job& job, const Command& command);
  [[nodiscard]] Task<void> collect(Process& process, Stream stream, OutputSpool& spool, Joined* joined);
  [[nodiscard]] Command make(const std::string& program) const;
  [[nodiscard]] Command command_of(std::vector<std::string> words) const;
  void slot_ended();

  // In all: the output of jobs that wait to be printed.
  static constexpr std::uint64_t output_bytes_max = 64 * MiB;

  Engine& engine_;
  JobQueue& queue_;
  const Plan plan_;
  const Hooks hooks_;
  const Command base_;
  SpoolBudget budget_{output_bytes_max};
  std::deque<JobSlot> slots_;
  std::mutex mutex_;
  std::condition_variable all_ended_;
  std::uint32_t running_slots_ = 0;
};

}  // namespace netrunner::tool
