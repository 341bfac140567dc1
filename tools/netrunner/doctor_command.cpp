/// `netrunner doctor`: whether this machine lets us keep what we promise, and what to do where it doesn't.

#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

#include "tools/netrunner/doctor_finding.hpp"
#include "tools/netrunner/exit_code.hpp"
#include "tools/netrunner/messages.hpp"
#include "tools/netrunner/options.hpp"
#include "tools/netrunner/subcommand.hpp"

namespace netrunner::tool {
namespace {

constexpr std::string_view help =
    R"(Usage: netrunner doctor [--json]
Says what this machine offers: kernel, io_uring, how commands are started, how
far "nothing is left running" reaches, cgroups, limits; and tries it: for each
containment a command is started whose grandchild leaves its session and is deaf
to signals; the command is stopped, and the grandchild must die.
A line each: ok, degraded (it works, less well) or missing, with advice.
  --json           the same as JSON
Exit status: 0 everything promised can be kept; 1 something can't, and why;
125 netrunner itself failed.
)";

std::string in_words(const Findings& findings) {
  std::size_t width = 0;
  for (const Finding& finding : findings) width = std::max(width, finding.name.size());
  std::string words;
  for (const Finding& finding : findings) {
    std::string name = finding.name;
    name.resize(width + 2, ' ');
    std::string health(name_of(finding.health));
    health.resize(10, ' ');
    words += name + health + finding.value + "\n";
    if (!finding.advice.empty()) words += std::string(width + 12, ' ') + finding.advice + "\n";
  }
  return words;
}

std::string json_of(const Findings& findings, bool all_kept) {
  nlohmann::ordered_json json = {{"ok", all_kept}};
  json["findings"] = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    json["findings"].push_back({{"name", finding.name},
                                {"health", std::string(name_of(finding.health))},
                                {"value", finding.value},
                                {"advice", finding.advice},
                                {"breaks_a_promise", finding.breaks_a_promise}});
  }
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string reason_of(const Finding& finding) {
  return finding.name + ", " + finding.value + (finding.advice.empty() ? "" : "; " + finding.advice);
}

std::string reasons_of(const Findings& findings) {
  std::string reasons;
  for (const Finding& finding : findings) {
    if (finding.breaks_a_promise) reasons += "Not kept here: " + reason_of(finding) + "\n";
  }
  return reasons.empty() ? "Everything that netrunner promises can be kept here.\n" : reasons;
}

int run_doctor(const Subcommand& self, std::vector<std::string> words) {
  bool json = false;
  Options options;
  options.flag("--json", json);
  const auto given = read_words(self, options, std::move(words));
  if (!given) return given.error();
  if (!given->empty()) return refuse(self, "it takes no arguments.");
  Findings findings = engine_findings();
  std::ranges::move(limit_findings(), std::back_inserter(findings));
  std::ranges::move(system_findings(), std::back_inserter(findings));
  const bool all_kept =
      std::ranges::none_of(findings, [](const Finding& finding) { return finding.breaks_a_promise; });
  const std::string text = json ? json_of(findings, all_kept) : in_words(findings) + reasons_of(findings);
  if (!print("netrunner doctor", text)) return own_failure;
  return all_kept ? 0 : 1;
}

}  // namespace

const Subcommand doctor_subcommand = {"doctor", "what this machine offers, and what to do about the rest", help,
                                      run_doctor};

}  // namespace netrunner::tool
