/// `netrunner pipeline`: a | b | c without a shell, and how each of them ended.

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <netrunner/blocking.hpp>
#include <netrunner/engine.hpp>
#include <netrunner/pipeline.hpp>

#include "tools/netrunner/command_options.hpp"
#include "tools/netrunner/end_words.hpp"
#include "tools/netrunner/error_words.hpp"
#include "tools/netrunner/exit_code.hpp"
#include "tools/netrunner/messages.hpp"
#include "tools/netrunner/observation.hpp"
#include "tools/netrunner/options.hpp"
#include "tools/netrunner/output_pump.hpp"
#include "tools/netrunner/own_terminal.hpp"
#include "tools/netrunner/report.hpp"
#include "tools/netrunner/report_file.hpp"
#include "tools/netrunner/signal_relay.hpp"
#include "tools/netrunner/signal_thread.hpp"
#include "tools/netrunner/subcommand.hpp"
#include "tools/netrunner/text.hpp"
#include "tools/netrunner/unapplied_limits.hpp"

namespace netrunner::tool {
namespace {

constexpr std::string_view help =
    R"(Usage: netrunner pipeline [options] -- A [ARG...] ::: B [ARG...] [::: C ...]
Runs the commands with the stdout of each as the stdin of the next. The kernel's
pipes join them: no byte passes through netrunner, but for the output of the
last, which it reads against credit and writes to its own stdout.
  --timeout D      stop all of them after D (250ms, 5s, 2m; a number: seconds)
  --report FILE|-  their ends and peak_buffered_bytes as JSON; -: stdout, last
  --json           the same on stderr, on one line, instead of words
As in netrunner run --help, for each of them: --ladder, --cwd, --user, --cap,
--nice, --umask, --env, --unset-env, --clear-env, --new-session,
--no-new-privs, --oom-score, --shell-fallback, --success-codes; --memory,
--memory-swap, --pids, --cpu, --cpu-time, --nofile and the others that limit,
each of them, not all together, --rlimit and --best-effort-limits; and
--containment, --events, --stats.
The stdin of the first and every stderr are netrunner's own.
INT, TERM, HUP, QUIT stop them by the ladder; the second one kills. TSTP stops
them and netrunner, CONT lets all go on; other signals are passed on.
Exit status: 0 when all succeeded, else that of the last in line that failed, as
netrunner run has it. Killed by SIGPIPE as a later one had enough: no failure.
)";

using Words = std::vector<std::string>;

struct Request {
  CommandOptions command;
  Observation observation;
  std::string report_path;
  Containment containment = Containment::automatic;
  bool json = false;
  std::vector<Words> stages;
};

/// One pipeline, from the engine's start to its end.
class PipelineRun {
 public:
  explicit PipelineRun(Request& request) : request_(request), relay_(request.command.ladder()) {}

  [[nodiscard]] int run(std::vector<Command> commands) {
    if (auto started = signals_.start([this](int signal) { relay_.handle(signal); }); !started) {
      print_error("netrunner pipeline: " + started.error() + "\n");
      return own_failure;
    }
    PipelineReport report{.stages = request_.stages,
                          .result = {},
                          .failed_stage = request_.stages.size(),
                          .peak_buffered_bytes = 0,
                          .exit_status = 0};
    report.result = start_and_wait(std::move(commands), report.peak_buffered_bytes);
    relay_.finish();
    if (report.result) {
      report.failed_stage = PipelineEnded{*report.result}.failed_stage();
      report.exit_status = exit_code_of_stages(*report.result, report.failed_stage);
    } else {
      report.exit_status = exit_code_of_start(report.result.error());
    }
    if (write_failed_ != 0 && write_failed_ != EPIPE) {
      print_error(std::string("netrunner pipeline: standard output: ") + std::strerror(write_failed_) +
                  "; the last command was told by SIGPIPE.\n");
      report.exit_status = own_failure;
    }
    if (auto observed = request_.observation.finish(); !observed) {
      print_error("netrunner pipeline: " + observed.error() + "\n");
      report.exit_status = own_failure;
    }
    return tell(report);
  }

 private:
  [[nodiscard]] Result<std::vector<Ended>> start_and_wait(std::vector<Command> commands, std::uint64_t& peak_bytes) {
    EngineOptions options;
    options.shards = 1;
    options.containment = request_.containment;
    request_.observation.apply(options);
    NR_TRY(engine, Engine::open(options));
    const Observation::Figures figures(request_.observation, engine);
    NR_TRY(pipeline, blocking::get(engine.spawn(Pipeline(std::move(commands)))));
    std::vector<Process*> stages;
    for (Process& stage : pipeline.stages()) stages.push_back(&stage);
    relay_.attach(stages);
    if (relay_.termination() != 0) pipeline.stop();  // It came before there was anything to stop.
    OutputPump pump(pipeline.last(), Stream::out, STDOUT_FILENO);
    std::vector<Ended> ended;
    std::optional<Error> error;
    for (const Process& stage : pipeline.stages()) {
      Result<Ended> result = blocking::wait(stage);
      if (result) ended.push_back(std::move(*result));
      if (!result && !error) error = std::move(result).error();
    }
    relay_.detach();
    write_failed_ = pump.join();
    if (error) return std::unexpected(std::move(*error));
    // Asked again: what was read after the last command's end is counted too.
    if (Result<Ended> last = blocking::wait(pipeline.last())) ended.back() = std::move(*last);
    peak_bytes = blocking::get(engine.stats()).buffered_bytes_peak();
    return ended;
  }

  /// The failed one's. It may be 0 (it ended well while it was being stopped): then that of one before it.
  [[nodiscard]] static int exit_code_of_stages(const std::vector<Ended>& stages, std::size_t failed) {
    if (failed == stages.size()) return 0;
    int code = exit_code_of(stages[failed]);
    while (code == 0 && failed > 0) code = exit_code_of(stages[--failed]);
    return code;
  }

  [[nodiscard]] int exit_code_of_start(const Error& error) const {
    if (error.code == ErrorCode::cancelled) return signal_base + relay_.termination();
    return exit_code_of(error);
  }

  [[nodiscard]] int tell(const PipelineReport& report) const {
    print_error(request_.json ? json_of(report, Layout::one_line) : in_words(report));
    if (request_.report_path.empty()) return report.exit_status;
    const auto written = write_report(request_.report_path, json_of(report, Layout::indented));
    if (written) return report.exit_status;
    print_error("netrunner pipeline: " + written.error() + "\n");
    return own_failure;
  }

  /// Which one failed and how: the exit status alone doesn't tell.
  [[nodiscard]] std::string in_words(const PipelineReport& report) const {
    if (!report.result) return "netrunner pipeline: " + words_of(report.result.error()) + "\n";
    std::string words = unapplied_limits(report.result->front(), "netrunner pipeline: ");  // All are alike.
    for (std::size_t stage = 0; stage < report.stages.size(); ++stage) {
      const std::string command = shell_line(report.stages[stage]);
      words += words_of_rest((*report.result)[stage], "netrunner pipeline: " + command + ": ");
    }
    if (report.failed_stage >= report.stages.size()) return words;
    const Ended& ended = (*report.result)[report.failed_stage];
    const auto* signaled = std::get_if<Signaled>(&ended.status);
    const bool reader_left = write_failed_ == EPIPE && report.failed_stage + 1 == report.stages.size();
    if (reader_left && signaled != nullptr && signaled->signal == SIGPIPE) return words;  // A normal end.
    const std::string command = shell_line(report.stages[report.failed_stage]);
    return words + "netrunner pipeline: " + command + ": " + words_of(ended) + "\n";
  }

  Request& request_;
  SignalThread signals_;  // Before the engine's threads.
  SignalRelay relay_;
  int write_failed_ = 0;
};

Checked<std::vector<Command>> commands_of(const Request& request) {
  std::vector<Command> commands;
  for (const Words& words : request.stages) {
    if (words.empty()) return std::unexpected("a command is missing; write one on both sides of each ':::'.");
    auto command = request.command.make(words);
    if (!command) return std::unexpected(std::move(command).error());
    const bool first = commands.empty();
    const bool last = commands.size() + 1 == request.stages.size();
    Command changed = command->err(Stdio::inherit());
    if (first) changed = changed.in(own_input());
    if (last) changed = changed.out(Stdio::pipe());
    commands.push_back(std::move(changed));
  }
  return commands;
}

int run_pipeline(const Subcommand& self, std::vector<std::string> words) {
  Request request;
  Options options;
  request.command.declare(options);
  request.observation.declare(options);
  options.value("--report", into(request.report_path));
  options.value("--containment", into(request.containment));
  options.flag("--json", request.json);
  auto given = read_words(self, options, std::move(words));
  if (!given) return given.error();
  if (auto checked = LimitOptions::check(options); !checked) return refuse(self, checked.error());
  if (auto checked = options.distinct({"--report", "--stats", "--events"}); !checked) {
    return refuse(self, checked.error());
  }
  request.stages = split_at_colons(std::move(*given));
  if (!request.report_path.empty()) {
    if (auto writable = can_write_report(request.report_path); !writable) return refuse(self, writable.error());
  }
  auto commands = commands_of(request);
  if (!commands) return refuse(self, commands.error());
  if (auto opened = request.observation.open(); !opened) return refuse(self, opened.error());
  return PipelineRun(request).run(std::move(*commands));
}

}  // namespace

const Subcommand pipeline_subcommand = {"pipeline", "runs commands joined by pipes", help, run_pipeline};

}  // namespace netrunner::tool
