#pragma once
/// a | b | c, with the kernel's pipes between the commands: no byte passes through the host.

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <netrunner/command.hpp>
#include <netrunner/process.hpp>

namespace netrunner {

/// Commands whose stdout is the next one's stdin. A value, as Command is.
/// The stdin of the first and the stdout of the last are as their Command says; so is every stderr.
class Pipeline {
 public:
  explicit Pipeline(std::vector<Command> stages) : stages_(std::move(stages)) {}
  template <class... Commands>
  explicit Pipeline(Command first, Commands... rest) : stages_{std::move(first), std::move(rest)...} {}
  [[nodiscard]] const std::vector<Command>& stages() const noexcept { return stages_; }

 private:
  std::vector<Command> stages_;
};

/// How every stage ended, and the rule for the whole: it succeeded if each stage did; a stage that died of SIGPIPE
/// because a later one had enough is no failure. The first failing stage from the right decides (as pipefail does).
struct PipelineEnded {
  std::vector<Ended> stages;
  [[nodiscard]] bool success() const noexcept { return failed_stage() == stages.size(); }
  [[nodiscard]] std::size_t failed_stage() const noexcept;  ///< Index, or stages.size().
};

/// A running pipeline. Dropped = every stage is stopped by its ladder.
class PipelineProcess {
 public:
  explicit PipelineProcess(std::vector<Process> stages) : stages_(std::move(stages)) {}
  [[nodiscard]] Process& first() noexcept { return stages_.front(); }  ///< Write its stdin.
  [[nodiscard]] Process& last() noexcept { return stages_.back(); }    ///< Read its stdout.
  [[nodiscard]] std::vector<Process>& stages() noexcept { return stages_; }
  void stop() const {
    for (const Process& stage : stages_) stage.stop();
  }

 private:
  std::vector<Process> stages_;
};

}  // namespace netrunner
