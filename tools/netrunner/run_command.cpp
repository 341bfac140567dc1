/// `netrunner run`: one command, under every limit that the library knows.

#include <chrono>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <unistd.h>
#include <utility>

#include <netrunner/blocking.hpp>
#include <netrunner/engine.hpp>

#include "tools/netrunner/command_options.hpp"
#include "tools/netrunner/end_words.hpp"
#include "tools/netrunner/error_words.hpp"
#include "tools/netrunner/exit_code.hpp"
#include "tools/netrunner/messages.hpp"
#include "tools/netrunner/observation.hpp"
#include "tools/netrunner/options.hpp"
#include "tools/netrunner/output_pump.hpp"
#include "tools/netrunner/report.hpp"
#include "tools/netrunner/report_file.hpp"
#include "tools/netrunner/signal_relay.hpp"
#include "tools/netrunner/signal_thread.hpp"
#include "tools/netrunner/stdio_plan.hpp"
#include "tools/netrunner/subcommand.hpp"
#include "tools/netrunner/terminal_plan.hpp"
#include "tools/netrunner/terminal_session.hpp"
#include "tools/netrunner/unapplied_limits.hpp"

namespace netrunner::tool {
namespace {

constexpr std::string_view help =
    R"(Usage: netrunner run [options] [--] COMMAND [ARG...]
Runs one command. Whatever it started is gone when this returns.
  --timeout D      stop it after D (250ms, 5s, 2m; a bare number: seconds)
  --idle D         stop it when it has written nothing for D
  --ladder L       how: NAME[@leader|group|everything][:PAUSE],...(TERM:5s,KILL)
                   exec(SCRIPT):PAUSE runs a script that finds NETRUNNER_PID
  --drain D|forever, --drain-max D|forever   after its exit, wait for output
                   that others write: until D of silence (250ms), D in all (5s)
  --output-limit N [--truncate]   stop it, or drop the rest, after N bytes
  --memory N  --memory-swap N  --memory-high N  --oom-group yes|no   bytes
  --pids N  --cpu CPUS  --cpu-weight N  --cpu-idle yes|no  --cpuset 0-3
  --io-weight N  --cpu-time D   of it and all it starts, together; one that
                   can't be had is an error, unless --best-effort-limits
  --cwd P  --user U[:G]  --nice N  --umask M  --nofile 256[:1024]  --rlimit K=N
  --cap net_raw,kill|none|all,-sys_admin  --success-codes 0,1 (then we exit 0)
  --env K=V  --unset-env K  --clear-env  --new-session  --oom-score N
  --no-new-privs  --shell-fallback   a text file without #! runs by /bin/sh
  --containment auto|cgroup|subreaper|pid-namespace|process-group (auto)
  --stdin FILE|null|inherit (inherit)   --merge   stderr goes where stdout goes
  --streams pipe|socket|inherit|auto   stdout and stderr through netrunner (by
                   sockets: for bulk), or handed on; auto: handed on unless an
                   option or report must see them
  --prefix TEXT    before each line of output   --stats FILE|-  figures, as JSON
  --events FILE    what happens, as it happens: a JSON object per line
  --pty            a terminal, connected to ours: ^C and ^Z too are bytes for it
    --pty-streams in,out,err  --pty-raw  --winsize RxC  --record ASCIICAST-FILE
  --report FILE|-  end, times in us, signals, as JSON; -: on stdout, at the end
  --json           the same on stderr, on one line, instead of words
INT, TERM, HUP, QUIT stop it by the ladder, with INT etc. as a first rung; the
second one kills. TSTP stops it and us, CONT continues; others are passed on.
Exit status: the command's (1 for a 0 that --success-codes has not); 128+n
killed by signal n (137: out of memory too; 141: nobody reads the output);
124 ended by --timeout, --idle, --output-limit or --cpu-time; 125 netrunner
failed, or a limit can't be had; 126 can't be run; 127 not found.
)";

struct Request {
  CommandOptions command;
  StdioPlan stdio;
  Observation observation;
  std::string prefix;
  TerminalPlan terminal;
  std::string report_path;
  Containment containment = Containment::automatic;
  bool json = false;
  std::vector<std::string> argv;
};

/// One run, from the engine's start to its end.
class Run {
 public:
  explicit Run(Request& request) : request_(request), relay_(request.command.ladder()) {}

  [[nodiscard]] int run(Command command) {
    if (request_.terminal.is_wanted()) {
      terminal_.emplace(request_.terminal);
      relay_.use_terminal(&*terminal_);
      command = command.terminal(terminal_->terminal());
      if (auto begun = terminal_->begin_record(request_.argv); !begun) return fail(begun.error());
    }
    if (auto started = signals_.start([this](int signal) { relay_.handle(signal); }); !started) {
      return fail(started.error());
    }
    Result<Ended> ended = start_and_wait(command);
    relay_.finish();
    CommandReport report{.argv = request_.argv, .result = std::move(ended), .exit_status = 0};
    report.exit_status = report.result ? exit_code_of_end(*report.result) : exit_code_of_start(report.result.error());
    if (!write_failure_.empty()) {
      print_error("netrunner run: " + write_failure_ + "\n");
      report.exit_status = own_failure;
    }
    if (auto observed = request_.observation.finish(); !observed) {
      print_error("netrunner run: " + observed.error() + "\n");
      report.exit_status = own_failure;
    }
    return tell(report);
  }

 private:
  static int fail(const std::string& why) {
    print_error("netrunner run: " + why + "\n");
    return own_failure;
  }

  [[nodiscard]] Result<Ended> start_and_wait(const Command& command) {
    EngineOptions options;
    options.shards = 1;
    options.containment = request_.containment;
    if (request_.stdio.has_sockets()) options.chunk_bytes = 128 * KiB;  // See Transport::socket.
    request_.observation.apply(options);
    NR_TRY(engine, Engine::open(options));
    const Observation::Figures figures(request_.observation, engine);
    NR_TRY(process, blocking::get(engine.spawn(command, relay_.before_start())));
    if (terminal_) terminal_->connect(process, request_.stdio.types());
    relay_.attach({&process});
    std::deque<OutputPump> pumps;  // Neither moves nor copies: the threads point to them.
    for (const Stream stream : request_.stdio.streams_to_us()) {
      const bool recorded = terminal_ && stream == request_.stdio.terminal_stream();
      pumps.emplace_back(process, stream, stream == Stream::out ? STDOUT_FILENO : STDERR_FILENO,
                         OutputPump::Options{request_.prefix, recorded ? terminal_->record() : nullptr});
    }
    Result<Ended> ended = blocking::wait(process);
    relay_.detach();
    for (OutputPump& pump : pumps) note_write_failure(pump.join());
    if (terminal_) end_terminal();
    // Asked again: what was read after the command's end is counted too.
    return ended && !pumps.empty() ? blocking::wait(process) : ended;
  }

  void end_terminal() {
    terminal_->disconnect();
    const int failed = terminal_->record() == nullptr ? 0 : terminal_->record()->close();
    if (failed != 0) write_failure_ = std::string("--record: ") + std::strerror(failed) + "; it is not complete.";
  }

  void note_write_failure(int failed) {
    if (failed == EPIPE) reader_left_ = true;  // No failure of ours: the command was told.
    if (failed == 0 || failed == EPIPE) return;
    write_failure_ = std::string("its output can't be written: ") + std::strerror(failed) + "; it was told by SIGPIPE.";
  }

  /// A terminal has no SIGPIPE: its command was told by SIGHUP that nobody reads. To our caller it is the same.
  [[nodiscard]] int exit_code_of_end(const Ended& ended) const {
    const int code = exit_code_of(ended);
    return terminal_ && reader_left_ && code == signal_base + SIGHUP ? signal_base + SIGPIPE : code;
  }

  [[nodiscard]] int exit_code_of_start(const Error& error) const {
    if (error.code == ErrorCode::cancelled) return signal_base + relay_.termination();
    return exit_code_of(error);
  }

  [[nodiscard]] int tell(const CommandReport& report) const {
    if (request_.json) {
      print_error(json_of(report, Layout::one_line));
    } else {
      print_error(in_words(report));
    }
    if (request_.report_path.empty()) return report.exit_status;
    const auto written = write_report(request_.report_path, json_of(report, Layout::indented));
    if (written) return report.exit_status;
    print_error("netrunner run: " + written.error() + "\n");
    return own_failure;
  }

  /// Nothing where the exit status alone tells all.
  [[nodiscard]] static std::string in_words(const CommandReport& report) {
    if (!report.result) return "netrunner run: " + words_of(report.result.error()) + "\n";
    const Ended& ended = *report.result;
    std::string words;
    const bool limit = exit_code_of(ended) == limit_passed;
    if (limit && ended.reason == EndReason::exited) {
      words = "netrunner run: it exited 124 by itself; no limit was passed.\n";  // 124 doesn't tell whose it is.
    } else if (limit || ended.reason == EndReason::shepherd_lost || ended.reason == EndReason::out_of_memory ||
               is_refused_zero(ended)) {
      words = "netrunner run: " + words_of(ended) + "\n";
    }
    for (const PipeHolder& holder : ended.holders) {
      words += "netrunner run: after its exit its " + stream_in_words(holder.stream) + " was still held open by " +
               holder.name + " (pid " + std::to_string(holder.pid) + ").\n";
    }
    return words + unapplied_limits(ended, "netrunner run: ") + words_of_rest(ended, "netrunner run: ");
  }

  [[nodiscard]] static std::string stream_in_words(Stream stream) {
    return stream == Stream::out ? "stdout" : "stderr";
  }

  Request& request_;
  SignalThread signals_;  // Before the engine's threads.
  SignalRelay relay_;
  std::optional<TerminalSession> terminal_;
  std::string write_failure_;
  bool reader_left_ = false;
};

/// Options that one of the others would silence.
Checked<void> check_together(const Options& options, const Request& request) {
  if (auto checked = LimitOptions::check(options); !checked) return checked;
  const std::vector<std::string> files = {"--report", "--stats", "--events", "--record"};
  if (auto checked = options.distinct(files); !checked) return checked;
  const auto& streams = request.terminal.streams();
  // Where it is the only one, no stream is left: said by who makes the terminal.
  const bool types = streams.size() > 1 && std::ranges::find(streams, Stream::in) != streams.end();
  if (!types || !options.given("--pty-streams")) return {};
  return options.exclude({"--stdin"}, "--pty-streams", "that has \"in\" it says twice where stdin comes from");
}

int run_run(const Subcommand& self, std::vector<std::string> words) {
  Request request;
  Options options;
  request.command.declare(options);
  request.stdio.declare(options);
  request.observation.declare(options);
  options.value("--prefix", into(request.prefix));
  request.terminal.declare(options);
  options.value("--report", into(request.report_path));
  options.value("--containment", into(request.containment));
  options.flag("--json", request.json);
  auto given = read_words(self, options, std::move(words));
  if (!given) return given.error();
  request.argv = std::move(*given);
  if (request.argv.empty()) {
    return refuse(self, "no command was given; write it after --, as in netrunner run -- ls -l.");
  }
  if (!request.prefix.empty()) request.stdio.prefixes();
  const bool must_see = !request.report_path.empty() || request.json;
  if (must_see || request.observation.wants_events()) request.stdio.needs_pipes();
  if (auto checked = check_together(options, request); !checked) return refuse(self, checked.error());
  if (auto checked = request.stdio.check(); !checked) return refuse(self, checked.error());
  if (auto checked = request.terminal.check(); !checked) return refuse(self, checked.error());
  if (request.terminal.is_wanted()) {
    request.stdio.lead_to_terminal(request.terminal.streams());
    if (!request.stdio.terminal_stream()) {
      return refuse(self, "--pty: with --stdin and these --pty-streams no stream is left for the terminal.");
    }
  }
  if (!request.report_path.empty()) {
    if (auto writable = can_write_report(request.report_path); !writable) return refuse(self, writable.error());
  }
  const auto command = request.command.make(request.argv);
  if (!command) return refuse(self, command.error());
  if (auto opened = request.observation.open(); !opened) return refuse(self, opened.error());
  return Run(request).run(request.stdio.apply(*command));
}

}  // namespace

const Subcommand run_subcommand = {"run", "runs one command, with limits, and reports how it ended", help, run_run};

}  // namespace netrunner::tool
