#pragma once
/// One of the processes that a daemon keeps: its life, and everything that it waits for.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <poll.h>
#include <stop_token>
#include <string>
#include <vector>

#include <netrunner/daemon.hpp>

#include "engine/daemon/life.hpp"
#include "engine/daemon/membership.hpp"
#include "engine/daemon/notification.hpp"
#include "engine/daemon/notify_socket.hpp"
#include "engine/daemon/port_probe.hpp"
#include "engine/daemon/restart_ledger.hpp"
#include "engine/daemon/run.hpp"

namespace netrunner::daemon {

/// What an instance asks of the supervisor.
class InstanceHost {
 public:
  InstanceHost() = default;
  InstanceHost(const InstanceHost&) = delete;
  InstanceHost& operator=(const InstanceHost&) = delete;
  virtual void spawn(std::shared_ptr<Run> run, const Command& command) = 0;
  virtual void probe(const Run& run, const Command& command, std::stop_token taken_back) = 0;
  /// `running`: null while nothing of it runs.
  virtual void changed(const InstanceStatus& status, std::shared_ptr<Run> running) = 0;

 protected:
  ~InstanceHost() = default;
};

/// Owner: the supervisor; thread: its. Nothing here blocks but access(2) for WaitFor::path.
/// Each public member is one event; whatever it leads to, the host hears of at most one change of state.
class Instance {
 public:
  Instance(InstanceHost& host, const Command& command, const DaemonOptions& options,
           std::shared_ptr<const LinePattern> awaited, std::uint32_t number, std::uint64_t seed);

  void order_restart();
  void order_stop(const std::optional<KillLadder>& ladder);
  void run_spawned(const Run& run);
  void start_failed(const Run& run, Error error);
  void run_ended(const Run& run, Ended ended);
  void line_matched(std::uint64_t run);
  void probed(std::uint64_t run, bool succeeded);
  /// Timers, sockets, probes.
  void look();

  /// When look() is needed at the latest.
  [[nodiscard]] std::int64_t due_ns() const noexcept;
  void watch(std::vector<pollfd>& fds) const;
  [[nodiscard]] bool is_over() const noexcept { return daemon::is_over(life_); }

 private:
  void apply(LifeEvent event, std::string reason);
  void enter(Life life, std::string reason);
  void perform(Deed deed);
  void tell();

  void begin();
  void spawn();
  void greet();
  void order_end();
  void judge();
  void give_up_or_back_off(const std::string& why);
  [[nodiscard]] bool is_permanent_failure() const;
  void forget_run();

  void look_at_conditions();
  [[nodiscard]] bool is_met(const WaitFor& condition);
  void look_at_readiness();
  void look_at_port();
  void look_at_command();
  void look_at_messages();
  void take(const Notification& told);
  void rearm_watchdog();
  [[nodiscard]] bool runs() const noexcept { return run_ != nullptr && spawned_; }
  [[nodiscard]] bool wants_notifications() const noexcept;
  [[nodiscard]] Command command_for_run() const;

  InstanceHost& host_;
  const Command& command_;
  const DaemonOptions& options_;
  const std::shared_ptr<const LinePattern> awaited_;
  InstanceStatus status_;
  bool changed_ = false;
  Life life_ = Life::stopped;
  RestartLedger ledger_;
  bool ran_once_ = false;
  bool never_started_ = false;        ///< The last run: exec did not succeed.
  std::string why_ended_;             ///< Of the last run, for the verdict.
  Nanoseconds ready_for_{0};          ///< So was the last run.

  std::shared_ptr<Run> run_;          ///< Null: nothing is under way.
  bool spawned_ = false;
  std::uint64_t runs_ = 0;
  std::optional<KillLadder> ladder_;  ///< Of the order to stop; unset: the command's.
  std::optional<NotifySocket> notify_;
  Membership members_;

  // Each is a time of CLOCK_MONOTONIC; INT64_MAX: not armed.
  std::int64_t conditions_until_ns_ = INT64_MAX;
  std::int64_t next_poll_ns_ = INT64_MAX;
  std::int64_t ready_until_ns_ = INT64_MAX;
  std::int64_t watchdog_until_ns_ = INT64_MAX;
  std::int64_t ready_since_ns_ = 0;
  Nanoseconds watchdog_{Nanoseconds::max()};
  std::size_t condition_ = 0;         ///< The one that is waited for.
  PortProbe port_;
  Nanoseconds probe_pause_{0};
  bool probing_ = false;              ///< A command is under way that tells.
};

}  // namespace netrunner::daemon
