#pragma once
/// A supervised command as a test sees it: an engine, a daemon on it, and a folder for what they leave.

#include <string>
#include <utility>
#include <vector>

#include <netrunner/netrunner.hpp>

#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {

/// Short pauses; never given up.
[[nodiscard]] inline nr::DaemonOptions quick() {
  nr::DaemonOptions options;
  options.backoff = {.first = 1ms, .max = 5ms, .jitter = 0.25, .stable_after = 1h};
  options.burst.restarts = 0;
  options.output = nr::DaemonOutput::discard();
  return options;
}

/// Every verb gives up after a time that a sound daemon never needs.
class Kept {
 public:
  Kept(EngineFixture& host, const nr::Command& command, nr::DaemonOptions options = quick())
      : daemon_(value_of(nr::Daemon::start(*host, command, std::move(options)))) {}

  [[nodiscard]] const nr::Daemon& daemon() const { return daemon_; }
  [[nodiscard]] const nr::Daemon* operator->() const { return &daemon_; }
  [[nodiscard]] nr::InstanceStatus status(std::uint32_t instance = 0) const {
    return daemon_.status().instances.at(instance);
  }
  void await_ready() const { value_of(nr::blocking::ready(daemon_, verb_deadline())); }
  [[nodiscard]] nr::DaemonStatus await_end() const { return value_of(nr::blocking::ended(daemon_, verb_deadline())); }
  nr::DaemonStatus stop() const {
    daemon_.stop();
    return await_end();
  }
  [[nodiscard]] testing::AssertionResult becomes(nr::DaemonState state, std::uint32_t instance = 0) const {
    testing::AssertionResult came = eventually([&] { return status(instance).state == state; });
    if (!came) came << "; it is " << nr::name_of(status(instance).state) << ": " << status(instance).reason;
    return came;
  }
  [[nodiscard]] testing::AssertionResult has_started(std::uint64_t times) const {
    return eventually([&] { return status().starts >= times; });
  }

 private:
  nr::Daemon daemon_;
};

}  // namespace tests
