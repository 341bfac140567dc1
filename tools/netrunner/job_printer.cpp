#include "tools/netrunner/job_printer.hpp"

#include <chrono>
#include <unistd.h>
#include <utility>

namespace netrunner::tool {

JobPrinter::JobPrinter(JobQueue& queue, JobLog& log, Order order, bool progress, Hooks hooks)
    : queue_(queue), log_(log), order_(order), hooks_(std::move(hooks)), progress_(progress) {}

void JobPrinter::start() {
  thread_ = std::jthread([this] { print_all(); });
}

void JobPrinter::done(std::unique_ptr<Job> job) {
  bool first = false;
  {
    const std::lock_guard guard(mutex_);
    first = ended_jobs_.empty();
    ended_jobs_.push_back(std::move(job));
  }
  if (first) came_.notify_one();
}

JobPrinter::Totals JobPrinter::finish() {
  {
    const std::lock_guard guard(mutex_);
    finished_ = true;
    came_.notify_one();
  }
  thread_.join();
  return totals_;
}

/// False: there will be none any more.
bool JobPrinter::next_batch(Batch& batch) {
  std::unique_lock lock(mutex_);
  const auto something = [this] { return finished_ || !ended_jobs_.empty(); };
  if (progress_.is_on()) {
    (void)came_.wait_for(lock, Progress::interval, something);
  } else {
    came_.wait(lock, something);
  }
  batch.swap(ended_jobs_);
  return !batch.empty() || !finished_;
}

void JobPrinter::print_all() {
  // Let some more end before the next look: to be woken for each of them would cost more than to print it.
  constexpr std::chrono::milliseconds nap{4};
  Batch batch;
  while (next_batch(batch)) {
    for (const auto& job : batch) account(*job);
    log_.flush();
    std::uint64_t printed = batch.size();
    if (order_ == Order::of_items) {
      printed = print_in_order(batch);
    } else {
      for (const auto& job : batch) print(*job);
    }
    writer_.flush();
    check_output();
    const bool came_some = !batch.empty();
    batch.clear();
    queue_.settle(printed);
    show_progress();
    if (came_some) std::this_thread::sleep_for(nap);
  }
  print_rest();
  totals_.err_failed = writer_.err_failed();
  progress_.clear();
}

/// One before them was taken and not begun, for all was stopped then: its turn never comes.
void JobPrinter::print_rest() {
  for (const auto& [sequence, job] : early_) print(*job);
  early_.clear();
  writer_.flush();
  check_output();
}

void JobPrinter::account(const Job& job) {
  log_.add(job);
  ++totals_.done;
  if (job.succeeded) return;
  ++totals_.failed;
  if (totals_.first_failure == 0) totals_.first_failure = job.failure;
  hooks_.job_failed();
}

void JobPrinter::print(const Job& job) {
  if (job.out.size() > 0 || job.err.size() > 0) progress_.clear();
  writer_.put(STDOUT_FILENO, job.out);
  writer_.put(STDERR_FILENO, job.err);
}

/// How many jobs are through.
std::uint64_t JobPrinter::print_in_order(Batch& batch) {
  for (auto& job : batch) early_.emplace(job->item.sequence, std::move(job));
  std::uint64_t printed = 0;
  for (auto next = early_.begin(); next != early_.end() && next->first == next_sequence_;) {
    print(*next->second);
    next = early_.erase(next);
    ++next_sequence_;
    ++printed;
  }
  return printed;
}

void JobPrinter::check_output() {
  if (writer_.failed() == 0 || totals_.write_failed != 0) return;
  totals_.write_failed = writer_.failed();
  hooks_.output_broken();
}

void JobPrinter::show_progress() {
  if (!progress_.is_on()) return;
  const JobQueue::Figures figures = queue_.figures();
  progress_.draw({.done = totals_.done,
                  .running = figures.taken - totals_.done,
                  .failed = totals_.failed,
                  .total = figures.total});
}

}  // namespace netrunner::tool
