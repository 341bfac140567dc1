#pragma once
/// One start of an instance, followed on its shard to its end.

#include <cstdint>
#include <memory>
#include <stop_token>
#include <vector>

#include <netrunner/awaitable.hpp>
#include <netrunner/daemon.hpp>
#include <netrunner/process.hpp>

#include "engine/daemon/line_pattern.hpp"
#include "engine/daemon/output.hpp"

namespace netrunner::daemon {

/// Shared by the instance, the coroutines that follow it and the verbs of users: whoever is last lets go of a process
/// that has ended. `process` is there once spawned() was called.
struct Run {
  Run(std::uint32_t of_instance, std::uint64_t of_number) : instance(of_instance), number(of_number) {}
  const std::uint32_t instance;
  const std::uint64_t number;             ///< Among the runs of its instance.
  std::stop_source taken_back;            ///< Triggered: it is not to start, or its ladder runs.
  Process process;
  Containment containment = Containment::process_group;
  std::vector<Stream> streams;            ///< That come to the output.
  std::shared_ptr<const LinePattern> awaited;
  std::size_t line_bytes_max = 0;
};

/// Called on the shard's thread, in this order; never blocks.
class RunListener {
 public:
  RunListener() = default;
  RunListener(const RunListener&) = delete;
  RunListener& operator=(const RunListener&) = delete;
  virtual void spawned(std::shared_ptr<Run> run) = 0;
  virtual void start_failed(std::shared_ptr<Run> run, Error error) = 0;  ///< Then nothing more.
  virtual void ended(std::shared_ptr<Run> run, Ended ended) = 0;         ///< Nothing of it is left.
  /// Of a probe: it exited with 0.
  virtual void probed(std::uint32_t instance, std::uint64_t run, bool succeeded) = 0;

 protected:
  ~RunListener() = default;
};

/// Awaits the start and everything that follows. Returns at once; the listener lives until the last word.
void follow(std::shared_ptr<Run> run, Awaitable<Process> start, std::shared_ptr<Output> output,
            std::shared_ptr<RunListener> listener);
/// Awaits a command that tells by its end whether the instance is ready.
void follow_probe(std::uint32_t instance, std::uint64_t run, Awaitable<Process> start,
                  std::shared_ptr<RunListener> listener);

}  // namespace netrunner::daemon
