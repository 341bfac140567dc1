#include "tools/netrunner/daemon_stop.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>

#include <nlohmann/json.hpp>

#include "tools/netrunner/exit_code.hpp"
#include "tools/netrunner/messages.hpp"
#include "tools/netrunner/process_identity.hpp"

namespace netrunner::tool {
namespace {

Checked<ProcessIdentity> read_identity(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::unexpected("--stop " + path + ": " + std::strerror(errno) + "; name what --state wrote.");
  const auto json = nlohmann::json::parse(file, nullptr, false);
  const auto supervisor = json.is_object() ? json.value("supervisor", nlohmann::json()) : nlohmann::json();
  if (!supervisor.is_object() || !supervisor.value("pid", nlohmann::json()).is_number_integer() ||
      !supervisor.value("start_time", nlohmann::json()).is_number_unsigned() ||
      !supervisor.value("boot_id", nlohmann::json()).is_string()) {
    return std::unexpected("--stop " + path + ": it holds no \"supervisor\" with pid, start_time and boot_id.");
  }
  return ProcessIdentity{supervisor["pid"].get<pid_t>(), supervisor["start_time"].get<std::uint64_t>(),
                         supervisor["boot_id"].get<std::string>()};
}

}  // namespace

int stop_daemon(const std::string& state_path, Nanoseconds longest) {
  const auto tell = [](const std::string& line) { print_error("netrunner daemon: " + line + "\n"); };
  const auto identity = read_identity(state_path);
  if (!identity) {
    tell(identity.error());
    return own_failure;
  }
  const auto process = KnownProcess::find(*identity);
  if (!process) {
    tell(process.error());
    return 0;
  }
  if (const int failed = process->signal(SIGTERM); failed != 0 && failed != ESRCH) {
    tell("process " + std::to_string(identity->pid) + ": " + std::strerror(failed) + "; ask as its user, or as root.");
    return own_failure;
  }
  if (process->wait(longest)) return 0;
  tell("process " + std::to_string(identity->pid) + " still stops; wait for longer by --stop-wait.");
  return limit_passed;
}

}  // namespace netrunner::tool
