#pragma once
/// The options that limit what a command and everything it starts may use: the same in all subcommands.

#include <vector>

#include <netrunner/cgroup_limits.hpp>
#include <netrunner/command.hpp>
#include <netrunner/limits.hpp>

#include "tools/netrunner/options.hpp"

namespace netrunner::tool {

/// Owner: a subcommand. Usable after Options::parse.
class LimitOptions {
 public:
  void declare(Options& options);
  /// What is wrong with them together.
  [[nodiscard]] static Checked<void> check(const Options& options);
  [[nodiscard]] Command apply(const Command& command) const;

 private:
  void declare_memory(Options& options);
  void declare_cpu(Options& options);

  Limits limits_;
  std::vector<ResourceLimit> resource_limits_;
  bool best_effort_ = false;
};

}  // namespace netrunner::tool
