#include <netrunner/pipeline.hpp>

#include <csignal>
#include <string>
#include <utility>

#include "engine/api/pipeline_stages.hpp"
#include "engine/os/pipe.hpp"

namespace netrunner {

std::size_t PipelineEnded::failed_stage() const noexcept {
  for (std::size_t i = stages.size(); i > 0; --i) {
    const Ended& stage = stages[i - 1];
    if (stage.success()) continue;
    const auto* signaled = std::get_if<Signaled>(&stage.status);
    const bool had_enough = i < stages.size() && stage.reason == EndReason::signaled && signaled != nullptr &&
                            signaled->signal == SIGPIPE;
    if (!had_enough) return i - 1;
  }
  return stages.size();
}

namespace detail {
namespace {

std::unexpected<Error> refused(std::string subject, std::string advice) {
  return std::unexpected(
      Error{ErrorCode::invalid_argument, Stage::validate, EINVAL, std::move(subject), std::move(advice)});
}

}  // namespace

Result<PipelineStages> pipeline_stages(const std::vector<Command>& stages) {
  if (stages.empty()) return refused("pipeline", "it has no stage");
  PipelineStages result;
  result.commands = stages;
  for (std::size_t i = 0; i + 1 < stages.size(); ++i) {
    const std::string between = "stage " + std::to_string(i + 1) + " of the pipeline";
    if (stages[i].spec().out) return refused(between, "its stdout goes to the next stage: leave it unset");
    if (stages[i + 1].spec().in != Stdio::null()) {
      return refused("stage " + std::to_string(i + 2) + " of the pipeline", "its stdin comes from the stage before it");
    }
    NR_TRY(pipe, os::make_pipe(os::OurEnd::none));
    result.commands[i] = result.commands[i].out(Stdio::descriptor(pipe.write_end.get()));
    result.commands[i + 1] = result.commands[i + 1].in(Stdio::descriptor(pipe.read_end.get()));
    result.descriptors.push_back(std::move(pipe.write_end));
    result.descriptors.push_back(std::move(pipe.read_end));
  }
  return result;
}

}  // namespace detail
}  // namespace netrunner
