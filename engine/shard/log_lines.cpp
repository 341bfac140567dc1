#include "engine/shard/log_lines.hpp"

namespace netrunner::shard {
namespace {

/// "command 3 (sleep, pid 4711)". The program's name, never its arguments: they may be secrets. `pid` 0: it
/// never ran.
std::string command_name(std::uint64_t command, std::string_view program, pid_t pid) {
  const std::string known = pid != 0 ? ", pid " + std::to_string(pid) : "";
  return "command " + std::to_string(command) + " (" + std::string(program) + known + ")";
}

std::string shard_name(std::uint32_t shard) { return "shard " + std::to_string(shard); }

}  // namespace

std::string containment_line(Containment level, std::string_view note) {
  std::string line = "containment: " + std::string(name_of(level));
  if (!note.empty()) line.append("; none stronger, because: ").append(note);
  return line;
}

std::string sweep_line(const containment::SweepReport& report) {
  std::string line = "swept what " + std::to_string(report.instances) + " dead owners had left: " +
                     std::to_string(report.processes) + " processes killed";
  if (report.left > 0) line += ", " + std::to_string(report.left) + " cgroups could not be removed";
  return line;
}

std::string shepherd_line(std::uint32_t shard, pid_t pid, bool replacement) {
  return shard_name(shard) + ": shepherd " + std::to_string(pid) +
         (replacement ? " replaces the lost one" : " started");
}

std::string shepherd_lost_line(std::uint32_t shard, pid_t pid, bool silent, std::uint64_t running) {
  return shard_name(shard) + ": shepherd " + std::to_string(pid) +
         (silent ? " did not answer in time and was killed" : " died") + "; " + std::to_string(running) +
         " running commands end with shepherd_lost";
}

std::string no_shepherd_line(std::uint32_t shard, const Error& error) {
  return shard_name(shard) + ": no shepherd can be started, tried again: " + error.message();
}

std::string group_stays_line(std::string_view name, int sys_errno) {
  return system_error("cgroup " + std::string(name) + " can't be removed yet, tried again every second", Stage::cgroup,
                      sys_errno)
      .message();
}

std::string group_removed_line(std::string_view name) { return "cgroup " + std::string(name) + " is removed at last"; }

std::string leftovers_line(std::uint32_t shard, std::uint32_t count) {
  const std::string of = "shard " + std::to_string(shard) + ": ";
  if (count == 0) return of + "the cgroups of all ended commands are removed at last";
  return of + std::to_string(count) +
         " cgroups of ended commands can't be removed yet: somebody is in them; tried again";
}

std::string started_line(std::uint64_t command, std::string_view program, pid_t pid) {
  return command_name(command, program, pid) + " runs";
}

std::string start_failed_line(std::uint64_t command, const Error& error) {
  return "command " + std::to_string(command) + " did not start: " + error.message();
}

std::string ended_line(std::uint64_t command, std::string_view program, const Ended& ended) {
  std::string line = command_name(command, program, ended.pid) + " ended: " + std::string(name_of(ended.reason)) +
                     ", " + to_string(ended.status);
  if (ended.stragglers > 0) line += ", " + std::to_string(ended.stragglers) + " stragglers";
  return line;
}

std::string stop_command_line(std::uint64_t command, const StopCommandRun& run) {
  const std::string of = "command " + std::to_string(command) + ": ";
  if (run.error) return of + run.error->message() + "; its ladder goes on";
  return of + "stop command " + run.program + " (pid " + std::to_string(run.pid) + ") runs";
}

std::string quarantine_line(std::uint64_t command, std::string_view program, pid_t pid, std::string_view why) {
  return command_name(command, program, pid) + " stays: " + std::string(why) + "; it is watched until it has gone";
}

std::string left_quarantine_line(std::uint64_t command, std::string_view program, pid_t pid) {
  return command_name(command, program, pid) + ", which could not be killed, has gone";
}

std::string closed_line(std::uint32_t shard, const CloseReport& report) {
  return shard_name(shard) + " closed: " + std::to_string(report.stopped) + " commands stopped, " +
         std::to_string(report.killed) + " of them killed" + (report.complete ? "" : ", not all of them gone");
}

}  // namespace netrunner::shard
