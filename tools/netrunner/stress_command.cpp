/// `netrunner stress`: a storm that proves at its end that nothing is left; `--deaths`: the death matrix.

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>
#include <thread>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tools/netrunner/death_host.hpp"
#include "tools/netrunner/death_matrix.hpp"
#include "tools/netrunner/exit_code.hpp"
#include "tools/netrunner/messages.hpp"
#include "tools/netrunner/options.hpp"
#include "tools/netrunner/stress_fault.hpp"
#include "tools/netrunner/stress_storm.hpp"
#include "tools/netrunner/subcommand.hpp"

namespace netrunner::tool {
namespace {

constexpr std::string_view help =
    R"(Usage: netrunner stress [options]
Runs a storm of random commands (floods, deaf ones, escapees, crashes, output
that is checked byte by byte, ...), stops, drops, detaches and times them out at
random, kills shepherds, and then proves that nothing is left: no process, no
zombie, no cgroup, no descriptor, every byte counted, every end with a reason
that fits.
  --seed N         the same storm again (a random one, printed)
  --duration D     for so long (10s)
  -j, --jobs N     commands at a time (32)
  --containment L  auto, cgroup, subreaper, pid-namespace, process-group (auto)
  --json           the report as JSON
Usage: netrunner stress --deaths [options]
Lets hosts, owners and shepherds die in twelve ways while eight kinds of command
run, and prints how many processes are left after the ladder and a second
(a stopped shepherd shows by its silence alone, and has 10 s more).
  --commands N     in each cell (20)
  --containment L  only this one (cgroup, subreaper and pid-namespace)
  --gap D          row one_by_one: between two kills (300ms; the ladder has 200ms)
  --wait D         after the ladder, before the survivors are counted (1s)
  --rows A,B  --columns A,B   only these (their names stand in the table)
  -j, --jobs N     cells at a time (2)
  --seed N, --json as above
Exit status: 0 nothing is left where nothing may be; 1 something is; 125 netrunner
itself failed, or a containment can't be had.
)";

struct Request {
  bool deaths = false, json = false;
  std::uint64_t seed = 0;
  StormOptions storm;
  DeathOptions matrix;
  bool containment_given = false;
};

Options::Setter number(std::int64_t max, std::function<void(std::int64_t)> set) {
  return [max, set = std::move(set)](const std::string& text) -> Checked<void> {
    const auto value = whole_number(text, 1, max);
    if (!value) return std::unexpected(value.error());
    set(*value);
    return {};
  };
}

void declare(Options& options, Request& request) {
  options.flag("--deaths", request.deaths);
  options.flag("--json", request.json);
  options.value("--duration", into(request.storm.duration));
  options.value("--seed", number(INT64_MAX, [&request](std::int64_t value) {
                  request.seed = static_cast<std::uint64_t>(value);
                }));
  options.value("-j,--jobs", number(4096, [&request](std::int64_t value) {
                  request.storm.jobs = request.matrix.jobs = static_cast<std::uint32_t>(value);
                }));
  options.value("--commands", number(1000, [&request](std::int64_t value) {
                  request.matrix.commands = static_cast<std::uint32_t>(value);
                }));
  options.value("--containment", [&request](const std::string& text) -> Checked<void> {
    request.containment_given = true;
    return into(request.storm.containment)(text);
  });
  options.value("--gap", into(request.matrix.gap));
  options.value("--wait", into(request.matrix.wait));
  options.value("--rows", [&request](const std::string& text) { return take_rows(text, request.matrix); });
  options.value("--columns", [&request](const std::string& text) { return take_columns(text, request.matrix); });
}

nlohmann::ordered_json json_of(const StormReport& report) {
  nlohmann::ordered_json json;
  json["seed"] = report.seed;
  json["seconds"] = report.seconds;
  json["containment"] = std::string(name_of(report.containment));
  json["commands"] = report.commands;
  json["refused"] = report.refused;
  json["dropped"] = report.dropped;
  json["detached"] = report.detached;
  json["shepherds_killed"] = report.shepherds_killed;
  json["shepherds_hung"] = report.shepherds_hung;
  json["bytes"] = report.bytes;
  for (std::size_t i = 0; i < report.by_kind.size(); ++i) {
    json["kinds"][std::string(stress_kind_names[i])] = report.by_kind[i];
  }
  for (std::size_t i = 0; i < report.by_reason.size(); ++i) {
    json["reasons"][std::string(name_of(static_cast<EndReason>(i)))] = report.by_reason[i];
  }
  json["faults"] = report.faults;
  json["complaints"] = report.complaints;
  json["pass"] = report.passed();
  return json;
}

std::string in_words(const StormReport& report) {
  std::string words = "containment " + std::string(name_of(report.containment)) + "\n";
  words += std::to_string(report.commands) + " commands in " + std::to_string(static_cast<int>(report.seconds)) +
           " s: " + std::to_string(report.refused) + " not started, " + std::to_string(report.dropped) + " dropped, " +
           std::to_string(report.detached) + " detached; " + std::to_string(report.bytes) + " bytes; " +
           std::to_string(report.shepherds_killed) + " shepherds killed, " + std::to_string(report.shepherds_hung) +
           " stopped\nends:";
  for (std::size_t i = 0; i < report.by_reason.size(); ++i) {
    words += " " + std::string(name_of(static_cast<EndReason>(i))) + " " + std::to_string(report.by_reason[i]);
  }
  words += "\nkinds:";
  for (std::size_t i = 0; i < report.by_kind.size(); ++i) {
    words += " " + std::string(stress_kind_names[i]) + " " + std::to_string(report.by_kind[i]);
  }
  for (const std::string& complaint : report.complaints) words += "\nFAULT " + complaint;
  if (report.faults > report.complaints.size()) words += "\n... and more, " + std::to_string(report.faults) + " in all";
  return words + "\n" + (report.passed() ? "PASS" : "FAIL") + " seed " + std::to_string(report.seed) + "\n";
}

constexpr std::string_view who = "netrunner stress";

int fail(const std::string& why) {
  print_error(std::string(who) + ": " + why + "\n");
  return own_failure;
}

int run_storm(const Request& request) {
  auto roll = RollCall::open(std::to_string(::getpid()));
  if (!roll) return fail(roll.error());
  if (!request.json && !print(who, "seed " + std::to_string(request.storm.seed) + "\n")) return own_failure;
  const Result<StormReport> report = Storm(request.storm, *roll).run();
  if (!report) return fail(report.error().message());
  if (!print(who, request.json ? json_of(*report).dump(2) + "\n" : in_words(*report))) return own_failure;
  return report->passed() ? 0 : 1;
}

int run_deaths(const Request& request) {
  const auto report = run_matrix(request.matrix);
  if (!report) return fail(report.error());
  if (!print(who, request.json ? json_of(*report) : table_of(*report))) return own_failure;
  return passed(*report) ? 0 : 1;
}

int run_stress(const Subcommand& self, std::vector<std::string> words) {
  if (words.size() > 1 && words[0] == "--fault") return run_fault({words.begin() + 1, words.end()});
  if (words.size() > 1 && words[0] == "--death-host") return run_death_host({words.begin() + 1, words.end()});
  Request request;
  Options options;
  declare(options, request);
  auto parsed = options.parse(std::move(words));
  if (!parsed) return fail(parsed.error() + " (netrunner stress --help)");
  if (parsed->help) {
    return print(who, self.help) ? 0 : own_failure;
  }
  if (!parsed->command.empty()) return fail("'" + parsed->command.front() + "' was not expected; it runs its own.");
  auto together = options.need({"--commands", "--gap", "--rows", "--columns"}, "--deaths");
  if (together) together = options.exclude({"--duration"}, "--deaths", "it means nothing");
  if (!together) return fail(together.error() + " (netrunner stress --help)");
  if (request.seed == 0) request.seed = std::random_device{}();
  request.storm.seed = request.matrix.seed = request.seed;
  if (request.containment_given) request.matrix.levels = {request.storm.containment};
  return request.deaths ? run_deaths(request) : run_storm(request);
}

}  // namespace

const Subcommand stress_subcommand = {"stress", "a storm of commands, and proof that nothing is left", help,
                                      run_stress};

}  // namespace netrunner::tool
