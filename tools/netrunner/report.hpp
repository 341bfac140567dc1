#pragma once
/// How commands ended, as JSON.

#include <cstdint>
#include <string>
#include <vector>

#include <netrunner/error.hpp>
#include <netrunner/exit_status.hpp>

namespace netrunner::tool {

enum class Layout : std::uint8_t { one_line, indented };

/// One command: its result, or why it could not be started.
struct CommandReport {
  std::vector<std::string> argv;
  Result<Ended> result;
  int exit_status = 0;  ///< Ours.
};

struct PipelineReport {
  std::vector<std::vector<std::string>> stages;
  Result<std::vector<Ended>> result;
  std::size_t failed_stage = 0;  ///< stages.size(): none.
  std::uint64_t peak_buffered_bytes = 0;
  int exit_status = 0;
};

struct EachReport {
  std::uint64_t jobs = 0, failed = 0;  ///< Those that couldn't be started have failed.
  std::uint64_t not_started = 0;       ///< Items that were read and never tried, as all was stopped before.
  double elapsed_s = 0;
  int signal = 0;  ///< That interrupted it, or 0.
  int exit_status = 0;
};

/// With a newline at the end.
[[nodiscard]] std::string json_of(const CommandReport& report, Layout layout);
[[nodiscard]] std::string json_of(const PipelineReport& report, Layout layout);
[[nodiscard]] std::string json_of(const EachReport& report);

}  // namespace netrunner::tool
