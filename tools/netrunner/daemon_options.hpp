#pragma once
/// The options of `netrunner daemon`, kept until the command's words are known.

#include <optional>
#include <string>
#include <vector>

#include <netrunner/daemon.hpp>

#include "tools/netrunner/command_options.hpp"
#include "tools/netrunner/options.hpp"

namespace netrunner::tool {

/// Owner: the subcommand. Usable after Options::parse.
class DaemonFlags {
 public:
  void declare(Options& options);
  /// What is wrong with them together.
  [[nodiscard]] Checked<void> check(const Options& options) const;
  [[nodiscard]] Checked<Command> make(std::vector<std::string> words) const;
  [[nodiscard]] DaemonOptions options() const;

  [[nodiscard]] const KillLadder& ladder() const noexcept { return command_.ladder(); }
  [[nodiscard]] Containment containment() const noexcept { return containment_; }
  [[nodiscard]] bool has_log() const noexcept { return !log_.empty(); }
  [[nodiscard]] bool quiet() const noexcept { return quiet_; }
  [[nodiscard]] const std::string& state_path() const noexcept { return state_path_; }
  [[nodiscard]] const std::string& stop_path() const noexcept { return stop_path_; }
  [[nodiscard]] Nanoseconds stop_wait() const noexcept { return stop_wait_; }

 private:
  void declare_restarts(Options& options);
  void declare_readiness(Options& options);
  void declare_output(Options& options);

  CommandOptions command_;
  DaemonOptions options_;
  std::optional<std::string> probe_script_;
  std::string log_, prefix_, in_ = "null", state_path_, stop_path_;
  std::optional<Rotation> rotation_;
  Containment containment_ = Containment::automatic;
  Nanoseconds stop_wait_ = std::chrono::seconds(90);
  bool quiet_ = false;
};

}  // namespace netrunner::tool
