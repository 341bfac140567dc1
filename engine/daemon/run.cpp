#include "engine/daemon/run.hpp"

#include <utility>

#include <netrunner/task.hpp>

namespace netrunner::daemon {
namespace {

/// A chunk that waits in the output's queue is the stream's credit: when that is used up, no read is queued.
netrunner::detail::Detached carry(std::shared_ptr<Run> run, std::shared_ptr<Source> source,
                                  std::shared_ptr<Output> output) {
  for (;;) {
    auto chunk = co_await run->process.read(source->stream);
    if (!chunk || !*chunk) break;
    output->put(source, std::move(**chunk));
  }
  output->end(source);
}

void carry_all(const std::shared_ptr<Run>& run, const std::shared_ptr<Output>& output) {
  for (const Stream stream : run->streams) {
    auto source =
        std::make_shared<Source>(run->instance, run->number, stream, run->process.pid(), run->line_bytes_max);
    source->awaited = run->awaited;
    carry(run, std::move(source), output);
  }
}

netrunner::detail::Detached follow_to_end(std::shared_ptr<Run> run, Awaitable<Process> start,
                                          std::shared_ptr<Output> output, std::shared_ptr<RunListener> listener) {
  auto started = co_await start;
  if (!started) {
    listener->start_failed(std::move(run), std::move(started).error());
    co_return;
  }
  run->process = std::move(*started);
  if (const auto stats = co_await run->process.stats()) run->containment = stats->containment;
  listener->spawned(run);
  carry_all(run, output);
  // Not wait() at once: that would close an stdin to which nobody has written yet.
  (void)co_await run->process.exited();
  auto ended = co_await run->process.wait();
  if (!ended) {  // The engine ended first; of the command nothing is known.
    Ended unknown;
    unknown.pid = run->process.pid();
    unknown.reason = EndReason::stopped;
    listener->ended(std::move(run), std::move(unknown));
    co_return;
  }
  listener->ended(std::move(run), std::move(*ended));
}

netrunner::detail::Detached probe_to_end(std::uint32_t instance, std::uint64_t run, Awaitable<Process> start,
                                         std::shared_ptr<RunListener> listener) {
  auto started = co_await start;
  bool succeeded = false;
  if (started) {
    const auto ended = co_await started->wait();
    succeeded = ended && ended->success();
  }
  listener->probed(instance, run, succeeded);
}

}  // namespace

void follow(std::shared_ptr<Run> run, Awaitable<Process> start, std::shared_ptr<Output> output,
            std::shared_ptr<RunListener> listener) {
  follow_to_end(std::move(run), std::move(start), std::move(output), std::move(listener));
}

void follow_probe(std::uint32_t instance, std::uint64_t run, Awaitable<Process> start,
                  std::shared_ptr<RunListener> listener) {
  probe_to_end(instance, run, std::move(start), std::move(listener));
}

}  // namespace netrunner::daemon
