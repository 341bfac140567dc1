#pragma once
/// The parts of child_side, each in its file. Same rules: raw system calls only.

#include "shepherd/child_job.hpp"
#include "shepherd/raw_syscall.hpp"

namespace netrunner::shepherd {

/// Puts the command's descriptors in place and marks every other one close-on-exec.
void place_descriptors(ChildJob& job);
/// Groups, user and capabilities.
void become_user(ChildJob& job);
/// Becomes the command, or fails.
[[noreturn]] void execute(ChildJob& job);

inline void enter(ChildJob& job, Stage stage) noexcept { job.report.stage = static_cast<std::uint32_t>(stage); }

[[noreturn]] inline void fail(ChildJob& job, raw::Word result, const char* path = nullptr,
                              std::size_t index = 0) noexcept {
  job.report.path = path;
  job.report.index = static_cast<std::uint32_t>(index);
  job.report.sys_errno = static_cast<std::int32_t>(-result);
  raw::exit_now(127);
}

/// Fails the current stage where `result` is an error.
inline raw::Word must(ChildJob& job, raw::Word result, const char* path = nullptr, std::size_t index = 0) noexcept {
  if (result < 0) fail(job, result, path, index);
  return result;
}

}  // namespace netrunner::shepherd
