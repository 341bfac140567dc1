#pragma once
/// What an operator reads: every line of the engine's log, in one place. Pure, but for log() itself.

#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>

#include <netrunner/engine.hpp>
#include <netrunner/error.hpp>
#include <netrunner/exit_status.hpp>
#include <netrunner/log.hpp>

#include "engine/containment/cgroup_manager.hpp"

namespace netrunner::shard {

/// Makes the line only where it is wanted.
template <class Make>
void log(const Logger& logger, LogLevel level, Make make) {
  if (logger.wants(level)) logger.log(level, make());
}

[[nodiscard]] std::string containment_line(Containment level, std::string_view note);
[[nodiscard]] std::string sweep_line(const containment::SweepReport& report);

[[nodiscard]] std::string shepherd_line(std::uint32_t shard, pid_t pid, bool replacement);
[[nodiscard]] std::string shepherd_lost_line(std::uint32_t shard, pid_t pid, bool silent, std::uint64_t running);
[[nodiscard]] std::string no_shepherd_line(std::uint32_t shard, const Error& error);

[[nodiscard]] std::string group_stays_line(std::string_view name, int sys_errno);
[[nodiscard]] std::string group_removed_line(std::string_view name);
[[nodiscard]] std::string leftovers_line(std::uint32_t shard, std::uint32_t count);

[[nodiscard]] std::string started_line(std::uint64_t command, std::string_view program, pid_t pid);
[[nodiscard]] std::string start_failed_line(std::uint64_t command, const Error& error);
[[nodiscard]] std::string ended_line(std::uint64_t command, std::string_view program, const Ended& ended);
[[nodiscard]] std::string stop_command_line(std::uint64_t command, const StopCommandRun& run);
[[nodiscard]] std::string quarantine_line(std::uint64_t command, std::string_view program, pid_t pid,
                                          std::string_view why);
[[nodiscard]] std::string left_quarantine_line(std::uint64_t command, std::string_view program, pid_t pid);

[[nodiscard]] std::string closed_line(std::uint32_t shard, const CloseReport& report);

}  // namespace netrunner::shard
