/// `netrunner each`: one command for each item, many at a time.

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include <netrunner/engine.hpp>

#include "tools/netrunner/command_options.hpp"
#include "tools/netrunner/error_words.hpp"
#include "tools/netrunner/exit_code.hpp"
#include "tools/netrunner/item_source.hpp"
#include "tools/netrunner/job_log.hpp"
#include "tools/netrunner/job_printer.hpp"
#include "tools/netrunner/job_queue.hpp"
#include "tools/netrunner/job_runner.hpp"
#include "tools/netrunner/job_template.hpp"
#include "tools/netrunner/limit_options.hpp"
#include "tools/netrunner/messages.hpp"
#include "tools/netrunner/observation.hpp"
#include "tools/netrunner/options.hpp"
#include "tools/netrunner/report.hpp"
#include "tools/netrunner/signal_thread.hpp"
#include "tools/netrunner/subcommand.hpp"
#include "tools/netrunner/text.hpp"

namespace netrunner::tool {
namespace {

constexpr std::string_view help =
    R"(Usage: netrunner each [options] -- COMMAND [ARG...] [::: ITEM...]
Runs COMMAND once for each item; without ::: the items are the lines of stdin.
  -j, --jobs N       so many at a time (the number of cores)
  -k, --keep-order   output in the order of the items, not as they end
  -0, --null         items on stdin end with NUL, not newline
  -a, --arg-file F   items from this file instead of stdin
  --timeout D        stop a job after D (250ms, 5s, 2m); it has failed then
  --output-limit N [--truncate]   stop it, or drop the rest, after N bytes
  --ladder L         how; --containment L   how far that reaches (auto)
  --memory N  --memory-swap N  --pids N  --cpu CPUS  --cpu-time D  --nofile N
                     of each job, like --ladder and the others that limit in
                     netrunner run --help, --rlimit and --best-effort-limits too
  --cwd P  --env K=V  --unset-env K  --clear-env   of each job
  --halt-on-failure  no job is begun after the first failure, those that run are
                     stopped; its exit status is ours then
  --joblog FILE|-    a line per job, with the columns of GNU parallel
  --events FILE, --stats FILE|-   as in netrunner run --help
  --dry-run          print the commands, quoted for a shell, and run none
  --no-progress      no live line (it is shown only if stderr is a terminal)
  --json             the line at the end is a JSON object; --quiet  none, and no
                     live line either: failed jobs and errors are still told
In the words: {} the item  {.} without extension  {/} its last component
  {//} its folder  {/.} last component without extension  {#} its number
  {%} the slot, 1 to N. Where no word has any of them, {} is appended.
A job's stdin is /dev/null. Its output comes in one piece when it has ended,
from memory up to 1 MiB, beyond it from a file in TMPDIR; where that is full, or
nobody reads the output any more, all is stopped. No shell is involved.
INT, TERM, HUP, QUIT: no more jobs, those that run get the ladder; again: kill.
Exit status: 0 all succeeded; 1 to 100: so many failed; 101: more; 128+n stopped
by signal n (141: nobody reads); 125 a bad option; 255 netrunner itself failed.
In --json, not_started counts the items that were read and not tried any more.
)";

constexpr int failed_max = 101, other_error = 255;
constexpr std::uint64_t slots_max = 4096;

struct Request {
  std::uint32_t slots = 1;
  bool keep_order = false, nul = false, dry_run = false, halt = false, json = false, progress = true;
  bool truncate = false, quiet = false;
  std::uint64_t output_bytes_max = UINT64_MAX;
  Nanoseconds timeout = Nanoseconds::max();
  KillLadder ladder;
  LimitOptions limits;
  CommandOptions environment;
  Containment containment = Containment::automatic;
  std::string joblog, item_file;
  Observation observation;
  std::vector<std::string> words;
  std::optional<std::vector<std::string>> items;  ///< Unset: standard input.
};

std::uint32_t cores() { return std::max(1U, std::thread::hardware_concurrency()); }

/// Pipes and spilled outputs need descriptors. After Engine::open, which noted what the commands are to get.
std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  constexpr rlim_t enough = 65536;
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, enough));
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 1024;
}

constexpr std::uint64_t descriptors_of_slot = 5;  ///< Three of a running job, two at its start.

/// So many jobs at a time as there are descriptors for, which are ours and the shards' too.
std::uint32_t affordable(std::uint32_t slots, std::uint64_t descriptors) {
  constexpr std::uint64_t of_program = 64;
  const std::uint64_t left = descriptors > of_program ? descriptors - of_program : 0;
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(left / descriptors_of_slot, 1, slots));
}

/// Jobs that wait for their turn may have two files each.
JobQueue::Limits queue_limits(std::uint32_t slots, std::uint64_t descriptors) {
  constexpr std::uint64_t waiting_min = 16, waiting_max = 1024;
  const std::uint64_t of_slots = slots * descriptors_of_slot + 64;
  const std::uint64_t left = descriptors > of_slots ? (descriptors - of_slots) / 2 : 0;
  return {.ahead_max = std::max<std::size_t>(64, std::size_t{2} * slots),
          .outstanding_max = slots + std::clamp(left, waiting_min, waiting_max)};
}

/// All of one `netrunner each` after its options.
class Each {
 public:
  Each(Request& request, ItemSource& source, JobLog& log) : request_(request), source_(source), log_(log) {}

  [[nodiscard]] int run() {
    const auto started_at = std::chrono::steady_clock::now();
    EngineOptions options;
    options.shards = std::min(cores(), request_.slots);
    options.containment = request_.containment;
    request_.observation.apply(options);
    Result<Engine> engine = Engine::open(options);
    if (!engine) return fail(words_of(engine.error()));
    const Observation::Figures figures(request_.observation, *engine);
    const std::uint64_t descriptors = raise_descriptor_limit();
    bound_slots(descriptors);
    JobQueue queue(queue_limits(request_.slots, descriptors));
    JobPrinter printer(queue, log_, request_.keep_order ? JobPrinter::Order::of_items : JobPrinter::Order::as_they_end,
                       request_.progress, hooks());
    JobRunner runner(*engine, queue, plan(),
                     {.done = [&printer](std::unique_ptr<Job> job) { printer.done(std::move(job)); },
                      .output_lost = [this](int why) { lose_output(why); }});
    attach(&queue, &runner);
    if (auto watched = signals_.start([this](int signal) { handle(signal); }); !watched) return fail(watched.error());
    printer.start();
    runner.start();
    const std::string source_error = feed(queue);
    queue.close();
    runner.wait();
    attach(nullptr, nullptr);
    const JobPrinter::Totals totals = printer.finish();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - started_at;
    return summarize(totals, queue.figures().not_taken + source_.left(), elapsed.count(), source_error);
  }

 private:
  [[nodiscard]] static int fail(const std::string& why) {
    print_error("netrunner each: " + why + "\n");
    return other_error;
  }

  /// A job that waits for a slot is better off than one that fails for want of a descriptor.
  void bound_slots(std::uint64_t descriptors) {
    const std::uint32_t most = affordable(request_.slots, descriptors);
    if (most < request_.slots) {
      print_error("netrunner each: " + std::to_string(most) + " jobs at a time instead of " +
                  std::to_string(request_.slots) + ": the hard limit is " + std::to_string(descriptors) +
                  " descriptors; raise it (ulimit -Hn).\n");
    }
    request_.slots = most;
  }

  [[nodiscard]] JobRunner::Plan plan() const {
    return {.words = JobTemplate(request_.words),
            .ladder = request_.ladder,
            .output_bytes_max = request_.output_bytes_max,
            .at_limit = request_.truncate ? AtLimit::truncate : AtLimit::stop,
            .limits = request_.limits,
            .environment = request_.environment,
            .timeout = request_.timeout,
            .slots = request_.slots,
            .keep_command_lines = log_.is_open(),
            .halt_on_failure = request_.halt};
  }

  [[nodiscard]] JobPrinter::Hooks hooks() {
    return {.output_broken = [this] { end(JobSlot::Urgency::ladder); },
            .job_failed =
                [this] {
                  if (request_.halt) end(JobSlot::Urgency::ladder);
                }};
  }

  [[nodiscard]] std::string feed(JobQueue& queue) {
    for (;;) {
      Checked<std::optional<std::string>> item = source_.next();
      if (!item) return item.error();
      std::optional<std::string>& text = *item;
      if (!text || !queue.put(std::move(*text))) return {};
    }
  }

  void attach(JobQueue* queue, JobRunner* runner) {
    const std::scoped_lock guard(passing_on_, mutex_);
    queue_ = queue;
    runner_ = runner;
    if (runner == nullptr) all_ended_ = true;
  }

  /// What a job writes has nowhere to go.
  void lose_output(int why) {
    {
      const std::lock_guard guard(mutex_);
      if (output_lost_ != 0) return;
      output_lost_ = why;
    }
    end(JobSlot::Urgency::ladder);
  }

  /// No more jobs, and an end to those that run.
  void end(JobSlot::Urgency urgency) {
    const std::lock_guard guard(mutex_);
    source_.interrupt();
    if (runner_ == nullptr) return;
    queue_->stop();
    runner_->stop(urgency);
  }

  void handle(int signal) {
    if (is_termination(signal)) {
      end(note_termination(signal));
    } else if (is_terminal_stop(signal)) {
      pass_on(SIGSTOP);
      (void)::kill(::getpid(), SIGSTOP);
    } else {
      pass_on(signal);
    }
  }

  [[nodiscard]] JobSlot::Urgency note_termination(int signal) {
    const std::lock_guard guard(mutex_);
    // Only a reader that doesn't take the output can still be waited for.
    if (all_ended_) leave_at_once(signal_base + signal);
    if (std::exchange(termination_, signal) != 0) return JobSlot::Urgency::at_once;
    return JobSlot::Urgency::ladder;
  }

  [[nodiscard]] int termination() {
    const std::lock_guard guard(mutex_);
    return termination_;
  }

  [[nodiscard]] int output_lost() {
    const std::lock_guard guard(mutex_);
    return output_lost_;
  }

  /// Waits for the shards, which take mutex_ where output is lost.
  void pass_on(int signal) {
    const std::lock_guard guard(passing_on_);
    if (runner_ != nullptr) runner_->signal(signal);
  }

  [[nodiscard]] int summarize(const JobPrinter::Totals& totals, std::uint64_t not_started, double elapsed_s,
                              const std::string& source_error) {
    const int signal = termination();
    int status = static_cast<int>(std::min<std::uint64_t>(totals.failed, failed_max));
    if (request_.halt && totals.failed > 0) status = totals.first_failure;
    const int unkept = output_lost();
    if (totals.write_failed == EPIPE || unkept == EPIPE) status = signal_base + SIGPIPE;
    if (signal != 0) status = signal_base + signal;
    if (!source_error.empty()) status = fail(source_error);
    if (unkept != 0 && unkept != EPIPE) {
      status = fail(std::string("the output of a job, in TMPDIR: ") + std::strerror(unkept) +
                    "; some of it is lost, all was stopped. Set another TMPDIR, or --output-limit N.");
    }
    const std::pair<std::string, int> outputs[] = {{"standard output: ", totals.write_failed},
                                                   {"standard error: ", totals.err_failed}};
    for (const auto& [output, failed] : outputs) {
      if (failed != 0 && failed != EPIPE) status = fail(output + std::strerror(failed) + "; output was lost.");
    }
    const EachReport report{.jobs = totals.done,
                            .failed = totals.failed,
                            .not_started = not_started,
                            .elapsed_s = elapsed_s,
                            .signal = signal,
                            .exit_status = status};
    if (!request_.quiet) print_error(request_.json ? json_of(report) : in_words(report));
    return status;
  }

  [[nodiscard]] static std::string in_words(const EachReport& report) {
    std::array<char, 160> line;
    std::snprintf(line.data(), line.size(), "netrunner each: %llu done, %llu failed%s, in %.1f s (%.0f/s)\n",
                  static_cast<unsigned long long>(report.jobs), static_cast<unsigned long long>(report.failed),
                  report.signal != 0 ? ", interrupted" : "", report.elapsed_s,
                  report.elapsed_s > 0 ? static_cast<double>(report.jobs) / report.elapsed_s : 0);
    std::string words = line.data();
    if (report.not_started > 0) words.insert(words.size() - 1, "; not started: " + std::to_string(report.not_started));
    return words;
  }

  Request& request_;
  ItemSource& source_;
  JobLog& log_;
  std::mutex mutex_;
  std::mutex passing_on_;  ///< Keeps runner_ there, as mutex_ does. No shard takes it.
  JobQueue* queue_ = nullptr;
  JobRunner* runner_ = nullptr;
  bool all_ended_ = false;
  int termination_ = 0, output_lost_ = 0;
  SignalThread signals_;  // Before the engine's threads.
};

int dry_run(const Request& request, ItemSource& source) {
  const JobTemplate words(request.words);
  OutputWriter writer;
  int failed = 0;
  for (std::uint64_t sequence = 1;; ++sequence) {
    const auto next = source.next();
    if (!next) {
      print_error("netrunner each: " + next.error() + "\n");
      return other_error;
    }
    const std::optional<std::string>& item = *next;
    if (!item || writer.failed() != 0) break;
    const std::uint64_t slot = (sequence - 1) % request.slots + 1;
    if (item->size() > ItemSource::item_bytes_max) {
      print_error("netrunner each: job " + std::to_string(sequence) + ": " + words_of(JobRunner::too_long()) + "\n");
      ++failed;
      continue;
    }
    const auto job = words.expand({.item = *item, .sequence = sequence, .slot = slot});
    writer.put(STDOUT_FILENO, shell_line(job, Quoting::posix) + "\n");
  }
  writer.flush();
  if (writer.failed() == 0) return std::min(failed, failed_max);
  if (writer.failed() == EPIPE) return signal_base + SIGPIPE;
  const std::string why = std::strerror(writer.failed());
  print_error("netrunner each: standard output: " + why + "; it is not complete.\n");
  return other_error;
}

void declare(Options& options, Request& request, bool& no_progress) {
  options.value("-j,--jobs", [&request](const std::string& text) -> Checked<void> {
    const auto slots = whole_number(text, 1, slots_max);
    if (!slots) return std::unexpected(slots.error());
    request.slots = static_cast<std::uint32_t>(*slots);
    return {};
  });
  options.flag("-k,--keep-order", request.keep_order);
  options.flag("-0,--null", request.nul);
  options.value("--timeout", into_limit(request.timeout));
  options.value("--output-limit", into(request.output_bytes_max));
  options.flag("--truncate", request.truncate);
  options.value("--ladder", into(request.ladder));
  options.value("--containment", into(request.containment));
  request.limits.declare(options);
  request.environment.declare_environment(options);
  options.value("-a,--arg-file", into(request.item_file));
  options.flag("--quiet", request.quiet);
  options.value("--joblog", into(request.joblog));
  request.observation.declare(options);
  options.flag("--dry-run", request.dry_run);
  options.flag("--halt-on-failure", request.halt);
  options.flag("--json", request.json);
  options.flag("--progress", request.progress);
  options.flag("--no-progress", no_progress);
}

/// Options that one of the others would silence.
Checked<void> check_together(const Options& options) {
  if (auto checked = options.exclude({"--progress"}, "--no-progress", "it can't be had"); !checked) return checked;
  const std::vector<std::string> of_runs = {"--joblog", "--events", "--stats", "--json", "--progress"};
  if (auto checked = options.exclude(of_runs, "--dry-run", "nothing is run that it could tell of"); !checked) {
    return checked;
  }
  if (auto checked = options.need({"--truncate"}, "--output-limit"); !checked) return checked;
  if (auto checked = options.exclude({"--json", "--progress"}, "--quiet", "it is silenced"); !checked) return checked;
  if (auto checked = options.distinct({"--joblog", "--events", "--stats"}); !checked) return checked;
  return LimitOptions::check(options);
}

/// The command, and the items where they follow it.
Checked<void> read_items(std::vector<std::string> words, Request& request) {
  auto parts = split_at_colons(std::move(words));
  if (parts.front().empty()) {
    return std::unexpected("no command was given; write it after --, as in netrunner each -- gzip {} ::: a b.");
  }
  if (parts.size() > 2) return std::unexpected("a second ':::'; all items follow one, as in ::: a b c.");
  request.words = std::move(parts.front());
  if (parts.size() == 2) request.items = std::move(parts.back());
  if (request.items && !request.item_file.empty()) {
    return std::unexpected("--arg-file: there are items after ::: too; leave one of them out.");
  }
  if (request.nul && request.items) return std::unexpected("-0: items after ::: need no separator; leave it out.");
  return {};
}

int run_each(const Subcommand& self, std::vector<std::string> words) {
  Request request;
  request.slots = cores();
  bool no_progress = false;
  Options options;
  declare(options, request, no_progress);
  auto given = read_words(self, options, std::move(words));
  if (!given) return given.error();
  request.progress = !no_progress && !request.quiet;
  if (auto checked = check_together(options); !checked) return refuse(self, checked.error());
  if (auto read = read_items(std::move(*given), request); !read) return refuse(self, read.error());

  std::optional<ItemSource> source;
  if (request.items) {
    source.emplace(std::move(*request.items));
  } else {
    const std::string& file = request.item_file;
    const bool is_stdin = file.empty() || file == "-";
    const int fd = is_stdin ? STDIN_FILENO : ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return refuse(self, "--arg-file " + file + ": " + std::strerror(errno) + "; nothing was started.");
    source.emplace(fd, request.nul ? '\0' : '\n');
  }
  if (request.dry_run) return dry_run(request, *source);
  JobLog log;
  if (!request.joblog.empty()) {
    if (auto opened = log.open(request.joblog); !opened) return refuse(self, opened.error());
  }
  if (auto opened = request.observation.open(); !opened) return refuse(self, opened.error());
  int status = Each(request, *source, log).run();
  for (const auto& written : {log.close(), request.observation.finish()}) {
    if (written) continue;
    print_error("netrunner each: " + written.error() + "\n");
    status = other_error;
  }
  return status;
}

}  // namespace

const Subcommand each_subcommand = {"each", "runs a command for each item, many at a time", help, run_each};

}  // namespace netrunner::tool
