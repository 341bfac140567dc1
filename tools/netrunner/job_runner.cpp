#include "tools/netrunner/job_runner.hpp"

#include <cerrno>
#include <chrono>
#include <coroutine>
#include <iterator>
#include <optional>
#include <poll.h>
#include <string>
#include <unistd.h>
#include <utility>

#include "tools/netrunner/item_source.hpp"
#include "tools/netrunner/path_search.hpp"
#include "tools/netrunner/text.hpp"

namespace netrunner::tool {
namespace {

double wall_clock_s() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// Our standard output is a pipe or a socket whose other end is closed.
bool nobody_reads_us() {
  pollfd output{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
  return ::poll(&output, 1, 0) == 1 && (output.revents & (POLLERR | POLLHUP)) != 0;
}

}  // namespace

/// Two coroutines of one shard meet: the one that waits goes on when the other is done.
class JobRunner::Joined {
 public:
  [[nodiscard]] bool await_ready() const noexcept { return done_; }
  void await_suspend(std::coroutine_handle<> waiter) noexcept { waiter_ = waiter; }
  void await_resume() const noexcept {}
  void set() {
    done_ = true;
    if (waiter_) waiter_.resume();
  }

 private:
  bool done_ = false;
  std::coroutine_handle<> waiter_;
};

Error JobRunner::too_long() {
  return {.code = ErrorCode::argument_list_too_long,
          .stage = Stage::exec,
          .sys_errno = E2BIG,
          .subject = "item of more than " + std::to_string(ItemSource::item_bytes_max) + " bytes",
          .advice = "the longest argument that Linux takes; separate items by newlines, or by NUL with -0"};
}

JobRunner::JobRunner(Engine& engine, JobQueue& queue, Plan plan, Hooks hooks)
    : engine_(engine),
      queue_(queue),
      plan_(std::move(plan)),
      hooks_(std::move(hooks)),
      base_(make(plan_.words.expand({}).front())) {
  for (std::uint32_t i = 0; i < plan_.slots; ++i) slots_.emplace_back(i);
}

Command JobRunner::make(const std::string& program) const {
  // Found once here instead of by each job: with ten folders in PATH, nine failed calls of execve(2) per job.
  // (Another PATH or directory would give another one.)
  const std::string file = plan_.environment.changes_nothing() ? file_in_path(program) : std::string();
  const Command plain = plan_.environment.change(Command(file.empty() ? program : file).arg0(program));
  const Command command = plan_.limits.apply(plain);
  return command.out(Stdio::pipe())
      .err(Stdio::pipe())
      .ladder(plan_.ladder)
      .deadline(plan_.timeout)
      .output_limit(plan_.output_bytes_max, plan_.at_limit);
}

/// Each setter copies the whole command; what is the same for all jobs is set once, in base_.
Command JobRunner::command_of(std::vector<std::string> words) const {
  const Command command = words.front() == base_.spec().arg0 ? base_ : make(words.front());
  return command.args({std::make_move_iterator(words.begin() + 1), std::make_move_iterator(words.end())});
}

void JobRunner::start() {
  running_slots_ = plan_.slots;
  for (JobSlot& slot : slots_) start_detached(run_slot(slot));
}

void JobRunner::wait() {
  std::unique_lock lock(mutex_);
  all_ended_.wait(lock, [this] { return running_slots_ == 0; });
}

void JobRunner::slot_ended() {
  const std::lock_guard guard(mutex_);
  if (--running_slots_ == 0) all_ended_.notify_all();  // Under the lock: wait() may be followed by our destruction.
}

void JobRunner::stop(JobSlot::Urgency urgency) {
  for (JobSlot& slot : slots_) slot.stop(urgency);
}

void JobRunner::signal(int number) {
  for (JobSlot& slot : slots_) slot.signal(number);
}

Task<void> JobRunner::run_slot(JobSlot& slot) {
  // Where the slots are spread, so are the jobs: a command is started by the shard that asks for it.
  (void)co_await engine_.hop(slot.number() % engine_.shards());
  for (;;) {
    std::optional<Item> item = co_await queue_.take();
    if (!item) break;
    if (slot.is_stopped()) {
      queue_.put_back();
      break;
    }
    auto job = std::make_unique<Job>(std::move(*item), budget_);
    std::vector<std::string> words =
        plan_.words.expand({.item = job->item.text, .sequence = job->item.sequence, .slot = slot.number() + 1});
    std::string line = plan_.keep_command_lines ? shell_line(words) : std::string();
    const Command command = command_of(std::move(words));
    job->started_s = wall_clock_s();
    const bool fits = job->item.text.size() <= ItemSource::item_bytes_max;
    Result<Ended> ended = std::unexpected(too_long());
    if (fits) ended = co_await run_job(slot, *job, command);
    job->end(ended, std::move(line));
    const bool last = plan_.halt_on_failure && !job->succeeded;
    if (last) queue_.stop();  // Before this slot or another takes the next item.
    hooks_.done(std::move(job));
    if (last) stop(JobSlot::Urgency::ladder);  // After it: of the failures it is the first.
  }
  slot_ended();
}

Task<Result<Ended>> JobRunner::run_job(JobSlot& slot, Job& job, const Command& command) {
  NR_CO_TRY(process, co_await engine_.spawn(command));
  slot.enter(process);
  Joined err_ended;
  start_detached(collect(process, Stream::err, job.err, &err_ended));
  co_await collect(process, Stream::out, job.out, nullptr);
  co_await err_ended;
  Result<Ended> ended = co_await process.wait();
  co_await slot.leave();
  co_return std::move(ended);
}

Task<void> JobRunner::collect(Process& process, Stream stream, OutputSpool& spool, Joined* joined) {
  for (;;) {
    const Result<std::optional<Chunk>> got = co_await process.read(stream);
    if (!got) break;
    const std::optional<Chunk>& chunk = *got;
    if (!chunk) break;
    const int lost = spool.append(chunk->text());
    if (lost != 0) hooks_.output_lost(lost);
    if (stream == Stream::out && nobody_reads_us()) hooks_.output_lost(EPIPE);
  }
  if (joined != nullptr) joined->set();
}

}  // namespace netrunner::tool
