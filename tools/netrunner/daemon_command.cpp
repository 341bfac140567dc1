/// `netrunner daemon`: keeps a command running.

#include <csignal>
#include <optional>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <netrunner/daemon.hpp>
#include <netrunner/engine.hpp>

#include "tools/netrunner/daemon_options.hpp"
#include "tools/netrunner/daemon_report.hpp"
#include "tools/netrunner/daemon_signals.hpp"
#include "tools/netrunner/daemon_stop.hpp"
#include "tools/netrunner/error_words.hpp"
#include "tools/netrunner/exit_code.hpp"
#include "tools/netrunner/messages.hpp"
#include "tools/netrunner/observation.hpp"
#include "tools/netrunner/report_file.hpp"
#include "tools/netrunner/session_scope.hpp"
#include "tools/netrunner/signal_thread.hpp"
#include "tools/netrunner/subcommand.hpp"
#include "tools/netrunner/unapplied_limits.hpp"

namespace netrunner::tool {
namespace {

constexpr std::string_view help =
    R"(Usage: netrunner daemon [options] [--] COMMAND [ARG...]
Keeps a command running. A new one starts when nothing of the old one is left.
  --restart always|on-failure|never   (always)
  --backoff A..B   pause before a restart: A, doubled up to B (100ms..30s);
                   A again after --stable D of being ready (30s)
  --burst N/D      give up after N restarts within D (10/1m); 0: never
  --ready started|line:REGEX|port:N|notify|exec:SCRIPT   (started)
  --ready-timeout D, --watchdog D   restart it when it isn't ready by then (1m),
                   or sends no WATCHDOG=1 (sd_notify) for so long (never)
  --wait-for path:P|port:N, --wait-for-timeout D   before each start (forever)
  --log FILE       its output, appended; --prefix TEXT before each line;
  --rotate SIZE:COUNT   a full file is renamed to FILE.1, COUNT are kept
  --instances N    side by side; {i} in arguments, variables, log and prefix is
                   the number, as is $NETRUNNER_INSTANCE
  --state FILE     how it is, as JSON, replaced at each change
  --events FILE, --stats FILE|-   of all its processes, as in netrunner run
  --stop FILE      ask the one that wrote FILE to stop; --stop-wait D (90s)
  --stdin FILE|null|inherit (null)   --quiet  no word but that it failed
and --timeout --ladder --cwd --env --unset-env --clear-env --user --cap --nice
--umask --new-session --containment --memory --pids --cpu ... as in run.
INT, TERM, QUIT stop it by the ladder, the second one kills; HUP reopens the log
(without --log: stops); USR1 restarts; USR2 prints the state on stderr.
Exit status: 0 stopped by a signal, or ended well and not to be restarted; else
as netrunner run of its last end; 124 waited in vain; 125 ended well too often.
)";

/// One daemon, from the engine's start to its end.
class Keeper {
 public:
  Keeper(const DaemonFlags& flags, Observation& observation, Command command)
      : flags_(flags), observation_(observation), command_(std::move(command)) {}

  [[nodiscard]] int run() {
    const int code = keep();
    // The engine has gone: nothing more is told.
    const auto observed = observation_.finish();
    return observed ? code : fail(observed.error());
  }

 private:
  [[nodiscard]] int keep() {
    EngineOptions engine_options;
    engine_options.shards = 1;
    engine_options.containment = flags_.containment();
    observation_.apply(engine_options);
    auto engine = Engine::open(engine_options);
    if (!engine) return fail(words_of(engine.error()));
    std::optional<Observation::Figures> figures(std::in_place, observation_, *engine);
    DaemonOptions options = flags_.options();
    statuses_.resize(options.instances);
    told_.resize(options.instances);
    for (std::uint32_t i = 0; i < options.instances; ++i) statuses_[i].instance = i;
    options.on_change = [this](const InstanceStatus& status) { note(status); };
    const auto daemon = Daemon::start(*engine, command_, std::move(options));
    if (!daemon) return fail(words_of(daemon.error()));
    // Only now: what came until here has waited.
    DaemonSignals relay(*daemon, flags_);
    if (auto started = signals_->start([&](int signal) { relay.handle(signal); }); !started) {
      return fail(started.error());
    }
    const auto status = blocking::ended(*daemon);
    signals_.reset();  // Its thread uses what goes now.
    figures.reset();  // They are taken while there is an engine.
    (void)engine->close();
    if (!status) return fail(words_of(status.error()));
    return account(*status);
  }

  [[nodiscard]] static int fail(const std::string& why) {
    print_error("netrunner daemon: " + why + "\n");
    return own_failure;
  }

  /// In the thread that writes the output: in order with it.
  void note(const InstanceStatus& status) {
    statuses_[status.instance] = status;
    say(status);
    if (status.last_end && !std::exchange(limits_told_, true)) {
      print_error(unapplied_limits(*status.last_end, "netrunner daemon: "));
    }
    write_state(nullptr);
  }

  void write_state(const LogStats* log) {
    if (flags_.state_path().empty()) return;
    const auto written = write_report(flags_.state_path(), json_of(identity_, statuses_, log), "--state",
                                      "it does not say how things are now.");
    const std::string failure = written ? "" : written.error();
    // Not at each change the same words.
    if (std::exchange(state_failure_, failure) != failure && !written) (void)fail(failure);
  }

  /// What can't be seen by those who only look at the files at the end.
  [[nodiscard]] int account(const DaemonStatus& status) {
    write_state(&status.log);
    int code = exit_code_of(status);
    if (status.log.dropped_lines > 0) {
      const int lost = fail("--log: " + std::to_string(status.log.dropped_lines) +
                            " lines of its output could not be written: " + status.log.last_error);
      if (code == 0) code = lost;
    }
    return code == 0 && !state_failure_.empty() ? own_failure : code;
  }

  void say(const InstanceStatus& status) {
    std::string words = in_words(status);
    // Of a change that concerns only the figures nothing is said.
    const std::string key = std::string(name_of(status.state)) + std::to_string(status.starts) + status.reason;
    const bool unheard = flags_.quiet() && status.state != DaemonState::failed;
    if (unheard || words.empty() || std::exchange(told_[status.instance], key) == key) return;
    const std::string who = statuses_.size() == 1 ? "" : "instance " + std::to_string(status.instance) + ": ";
    print_error("netrunner daemon: " + who + in_options(words) + "\n");
  }

  [[nodiscard]] static int exit_code_of(const DaemonStatus& status) {
    for (const InstanceStatus& instance : status.instances) {
      if (instance.state != DaemonState::failed) continue;
      if (instance.waited_in_vain) return limit_passed;
      if (instance.last_error) return tool::exit_code_of(*instance.last_error);
      const int code = instance.last_end ? tool::exit_code_of(*instance.last_end) : own_failure;
      return code == 0 ? own_failure : code;
    }
    return 0;
  }

  const DaemonFlags& flags_;
  Observation& observation_;
  const Command command_;
  std::optional<SignalThread> signals_{std::in_place};  // Before the engine's threads.
  const ProcessIdentity identity_ = own_identity();
  std::vector<InstanceStatus> statuses_;
  std::vector<std::string> told_;
  std::string state_failure_;  ///< Of the last time that it was written; empty: it was.
  bool limits_told_ = false;
};

int run_daemon(const Subcommand& self, std::vector<std::string> words) {
  DaemonFlags flags;
  Options options;
  Observation observation;
  flags.declare(options);
  observation.declare(options);
  auto argv = read_words(self, options, std::move(words));
  if (!argv) return argv.error();
  if (auto checked = options.need({"--stop-wait"}, "--stop"); !checked) return refuse(self, checked.error());
  const std::vector<std::string> of_starts = {"--log",   "--state", "--events", "--stats",
                                              "--ready", "--stdin", "--restart", "--instances"};
  if (auto checked = options.exclude(of_starts, "--stop", "that starts nothing it means nothing"); !checked) {
    return refuse(self, checked.error());
  }
  if (!flags.stop_path().empty()) {
    if (argv->empty()) return stop_daemon(flags.stop_path(), flags.stop_wait());
    return refuse(self, "--stop: it starts nothing; leave '" + argv->front() + "' out.");
  }
  if (argv->empty()) {
    return refuse(self, "no command was given; write it after --, as in netrunner daemon -- nginx -g 'daemon off;'.");
  }
  if (auto checked = flags.check(options); !checked) return refuse(self, checked.error());
  if (!flags.state_path().empty()) {
    const auto writable = can_write_report(flags.state_path(), "--state");
    if (!writable) return refuse(self, writable.error());
  }
  auto command = flags.make(std::move(*argv));
  if (!command) return refuse(self, command.error());
  if (const std::string scope = session_scope(); !scope.empty() && !flags.quiet()) {
    print_error("netrunner daemon: it ends with the login session (" + scope +
                "); to outlive it: a service, or systemd-run --user --scope before this.\n");
  }
  if (auto opened = observation.open(); !opened) return refuse(self, opened.error());
  return Keeper(flags, observation, std::move(*command)).run();
}

}  // namespace

const Subcommand daemon_subcommand = {"daemon", "keeps a command running: restarts, readiness, rotated logs", help,
                                      run_daemon};

}  // namespace netrunner::tool
