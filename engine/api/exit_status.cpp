#include <netrunner/exit_status.hpp>

#include <algorithm>
#include <array>

#include <netrunner/stats.hpp>

namespace netrunner {
namespace {

constexpr std::array<std::string_view, end_reasons> reason_names = {
    "exited", "signaled", "deadline", "idle", "output_limit", "stopped", "owner_gone", "shepherd_lost",
    "out_of_memory", "cpu_time",
};
static_assert(reason_names.size() == static_cast<std::size_t>(EndReason::cpu_time) + 1);

constexpr std::array<std::string_view, 7> end_names = {
    "none", "file_end", "inherited", "limit", "truncated", "lost", "abandoned",
};
static_assert(end_names.size() == static_cast<std::size_t>(StreamEnd::abandoned) + 1);

constexpr std::array<std::string_view, 5> containment_names = {
    "automatic", "process_group", "cgroup", "subreaper", "pid_namespace",
};
static_assert(containment_names.size() == static_cast<std::size_t>(Containment::pid_namespace) + 1);

}  // namespace

std::string_view name_of(EndReason reason) noexcept { return reason_names[static_cast<std::size_t>(reason)]; }
std::string_view name_of(StreamEnd end) noexcept { return end_names[static_cast<std::size_t>(end)]; }
std::string_view name_of(Containment level) noexcept { return containment_names[static_cast<std::size_t>(level)]; }
std::string_view name_of(UsageScope scope) noexcept { return scope == UsageScope::tree ? "tree" : "reaped"; }
std::string_view name_of(SpawnPath path) noexcept {
  return path == SpawnPath::asynchronous ? "asynchronous" : "vfork";
}

const StreamSummary* Ended::stream(Stream which) const noexcept {
  const Direction natural = which == Stream::in ? Direction::to_command : Direction::from_command;
  const StreamSummary* found = nullptr;
  for (const StreamSummary& summary : streams) {
    if (summary.stream == which && (found == nullptr || summary.direction == natural)) found = &summary;
  }
  return found;
}

std::string to_string(const ExitStatus& status) {
  if (const auto* exited = std::get_if<Exited>(&status)) return "exited " + std::to_string(exited->code);
  if (const auto* signaled = std::get_if<Signaled>(&status)) {
    return "killed by " + signal_name(signaled->signal) + (signaled->core_dumped ? " (core dumped)" : "");
  }
  return "unknown";
}

}  // namespace netrunner
