/// Runs to the end with bounded capture: two readers and a wait, in one coroutine each.

#include <algorithm>
#include <coroutine>
#include <cstddef>
#include <string>
#include <utility>

#include <netrunner/engine.hpp>

#include "engine/api/core.hpp"
#include "engine/api/pipeline_stages.hpp"

namespace netrunner {
namespace {

/// Head and tail of a stream, whatever its length: memory is bounded by the limits.
class Keeper {
 public:
  explicit Keeper(const CaptureLimits& limits) : limits_(limits) {}
  void add(std::string_view bytes) {
    kept_.total_bytes += bytes.size();
    const std::size_t room = std::min<std::size_t>(limits_.head_bytes - kept_.head.size(), bytes.size());
    kept_.head.append(bytes.substr(0, room));
    bytes.remove_prefix(room);
    if (bytes.size() > limits_.tail_bytes) bytes.remove_prefix(bytes.size() - limits_.tail_bytes);
    kept_.tail.append(bytes);
    // Cut back when it is twice as long, not at each piece.
    if (kept_.tail.size() > 2 * limits_.tail_bytes) trim();
  }
  [[nodiscard]] Captured take() {
    trim();
    return std::move(kept_);
  }

 private:
  void trim() {
    if (kept_.tail.size() > limits_.tail_bytes) kept_.tail.erase(0, kept_.tail.size() - limits_.tail_bytes);
  }
  CaptureLimits limits_;
  Captured kept_;
};

/// What both heads keep, in order of arrival: as runs, neighbours of one stream joined.
class RunKeeper {
 public:
  explicit RunKeeper(const CaptureLimits& limits) : left_{limits.head_bytes, limits.head_bytes} {}
  void add(Stream stream, std::size_t bytes) {
    std::uint64_t& left = left_[stream == Stream::err ? 1 : 0];
    const std::uint64_t kept = std::min<std::uint64_t>(left, bytes);
    if (kept == 0) return;
    left -= kept;
    const bool joins = !runs_.empty() && runs_.back().stream == stream && runs_.back().bytes + kept <= UINT32_MAX;
    if (joins) {
      runs_.back().bytes += static_cast<std::uint32_t>(kept);
    } else {
      runs_.push_back({stream, static_cast<std::uint32_t>(kept)});
    }
  }
  [[nodiscard]] std::vector<CapturedRun> take() { return std::move(runs_); }

 private:
  std::uint64_t left_[2];
  std::vector<CapturedRun> runs_;
};

/// Both streams by one reader, in order of arrival. What comes by other pipes nobody could read: it is dropped.
Task<void> keep_interleaved(Process& process, CaptureLimits limits, Completed& completed) {
  Keeper out(limits), err(limits);
  RunKeeper runs(limits);
  for (;;) {
    auto read = co_await process.read_any();
    if (!read || !*read) break;
    const StreamChunk& piece = **read;
    if (piece.stream != Stream::out && piece.stream != Stream::err) continue;
    (piece.stream == Stream::err ? err : out).add(piece.chunk.text());
    runs.add(piece.stream, piece.chunk.size());
  }
  completed.out = out.take();
  completed.err = err.take();
  completed.runs = runs.take();
}

Task<Captured> keep(Process& process, Stream stream, CaptureLimits limits) {
  Keeper keeper(limits);
  for (;;) {
    auto chunk = co_await process.read(stream);
    if (!chunk || !*chunk) break;
    keeper.add((*chunk)->text());
  }
  co_return keeper.take();
}

/// Starts a task at once and lets another await its end: two streams are read side by side. Both run on the
/// command's shard, one at a time.
template <class T>
class Started {
 public:
  explicit Started(Task<T> task) : task_(std::move(task)), runner_(run(*this)) { runner_.handle.resume(); }
  Started(const Started&) = delete;
  Started& operator=(const Started&) = delete;
  ~Started() { runner_.handle.destroy(); }

  [[nodiscard]] bool await_ready() const noexcept { return value_.has_value(); }
  void await_suspend(std::coroutine_handle<> waiter) noexcept { waiter_ = waiter; }
  [[nodiscard]] T await_resume() { return std::move(*value_); }

 private:
  struct Runner {
    struct promise_type {
      [[nodiscard]] Runner get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
      [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
      struct Final {
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        [[nodiscard]] std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> ended) const noexcept {
          const auto waiter = ended.promise().started->waiter_;
          return waiter ? waiter : std::noop_coroutine();
        }
        void await_resume() const noexcept {}
      };
      [[nodiscard]] Final final_suspend() const noexcept { return {}; }
      [[noreturn]] void unhandled_exception() const noexcept { std::abort(); }
      void return_void() const noexcept {}
      explicit promise_type(Started& owner) : started(&owner) {}
      Started* started;
    };
    std::coroutine_handle<promise_type> handle;
  };
  static Runner run(Started& self) { self.value_.emplace(co_await self.task_); }

  Task<T> task_;
  std::optional<T> value_;
  std::coroutine_handle<> waiter_;
  Runner runner_;
};

/// stdout and stderr are captured unless the command says otherwise.
Command captured(const Command& command) {
  Command result = command;
  if (!command.spec().out) result = result.out(Stdio::pipe());
  if (!command.spec().err) result = result.err(Stdio::pipe());
  return result;
}

/// At a terminal that is captured nobody types: its input ends at once.
Task<void> end_typing(Process& process, const Command::Spec& spec) {
  if (spec.on_terminal(Stream::in)) [[maybe_unused]] const auto ended = co_await process.close_input();
}

/// What doesn't come with stdout, and so is read beside it.
Task<Captured> rest_of(Process& process, const Command::Spec& spec, CaptureLimits limits) {
  const bool in = spec.on_terminal(Stream::in);
  const bool out = spec.on_terminal(Stream::out);
  const bool err = spec.on_terminal(Stream::err);
  if (out && err) co_return Captured{};
  if (in && !out && !err) {
    Started<Captured> typed(keep(process, Stream::in, limits));  // Nobody asked for it, but it must not stand still.
    Captured kept = co_await keep(process, Stream::err, limits);
    (void)co_await typed;
    co_return kept;
  }
  co_return co_await keep(process, Stream::err, limits);
}

/// An stdin pipe that nobody will ever write to is end of input at once.
Command without_writer(const Command& command) {
  return command.spec().in.kind() == Stdio::Kind::pipe ? command.in(Stdio::null()) : command;
}

}  // namespace

Task<Result<Completed>> Engine::capture(Command command, CaptureLimits limits, std::stop_token stop) {
  const bool interleaved = limits.order == CaptureOrder::interleaved;
  Command planned = without_writer(captured(command));
  if (interleaved) planned = planned.keep_order();
  NR_CO_TRY(process, co_await spawn(planned, std::move(stop)));
  Completed completed;
  co_await end_typing(process, planned.spec());
  if (interleaved) {
    co_await keep_interleaved(process, limits, completed);
  } else {
    Started<Captured> err(rest_of(process, planned.spec(), limits));
    completed.out = co_await keep(process, Stream::out, limits);
    completed.err = co_await err;
  }
  NR_CO_TRY(ended, co_await process.wait());
  completed.ended = std::move(ended);
  co_return completed;
}

Task<Result<PipelineProcess>> Engine::spawn(Pipeline pipeline) {
  NR_CO_TRY(stages, detail::pipeline_stages(pipeline.stages()));
  const std::uint32_t together = core_->place();  // One shard: one thread reads all of them.
  std::vector<Process> running;
  for (const Command& stage : stages.commands) {
    auto start = spawn(stage);
    start.shard = together;
    NR_CO_TRY(process, co_await start);  // A failure drops, and so stops, the stages before it.
    running.push_back(std::move(process));
  }
  co_return PipelineProcess(std::move(running));
}

Task<Result<PipelineCompleted>> Engine::capture(Pipeline pipeline, CaptureLimits limits) {
  std::vector<Command> stages = pipeline.stages();
  for (std::size_t i = 0; i < stages.size(); ++i) {
    if (!stages[i].spec().err) stages[i] = stages[i].err(Stdio::pipe());
    if (i == 0) stages[i] = without_writer(stages[i]);
    if (i + 1 == stages.size() && !stages[i].spec().out) stages[i] = stages[i].out(Stdio::pipe());
  }
  NR_CO_TRY(running, co_await spawn(Pipeline(stages)));
  PipelineCompleted completed;
  co_await end_typing(running.stages().front(), stages.front().spec());
  {
    std::vector<std::unique_ptr<Started<Captured>>> errors;
    for (std::size_t i = 0; i < stages.size(); ++i) {
      Task<Captured> rest = rest_of(running.stages()[i], stages[i].spec(), limits);
      errors.push_back(std::make_unique<Started<Captured>>(std::move(rest)));
    }
    completed.out = co_await keep(running.last(), Stream::out, limits);
    for (std::size_t i = 0; i < errors.size(); ++i) {
      Started<Captured>& error = *errors[i];
      completed.err.push_back(co_await error);
    }
  }
  for (Process& stage : running.stages()) {
    NR_CO_TRY(ended, co_await stage.wait());
    completed.ended.stages.push_back(std::move(ended));
  }
  co_return completed;
}

}  // namespace netrunner
