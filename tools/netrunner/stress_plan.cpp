#include "tools/netrunner/stress_plan.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <iterator>
#include <variant>
#include <vector>

namespace netrunner::tool {
namespace {

using namespace std::chrono_literals;

template <class T>
T pick(std::mt19937_64& random, const std::vector<T>& among) {
  return among[random() % among.size()];
}

bool stays(StressKind kind) { return kind <= StressKind::stopped && kind != StressKind::escapee_leaves; }

std::vector<StressKind> kinds(Containment containment) {
  using enum StressKind;
  std::vector<StressKind> all = {flood, deaf, stopped, quick_exit, quick_exit, quick_exit, crash,
                                 output, output, slow_reader, echo, echo, shut_input, exec_failure};
  if (containment == Containment::process_group) return all;
  all.insert(all.end(), {escapee, escapee, escapee_leaves, bare_escapee, bomb, hopper});
  return all;
}

std::vector<StressAct> acts_on(StressKind kind) {
  using enum StressAct;
  if (kind == StressKind::exec_failure) return {none};
  if (kind == StressKind::flood) return {stop, kill, drop_at_once, drop, deadline, output_limit};
  if (stays(kind)) return {stop, kill, drop_at_once, drop, deadline, idle, detach};
  return {none, none, none, none, none, stop, kill, drop_at_once, drop, deadline};
}

KillLadder ladder_of(const StressPlan& plan) {
  if (plan.act == StressAct::kill) return KillLadder::at_once();
  const Rung term{SIGTERM, Target::group, plan.seed % 2 == 0 ? 50ms : 250ms};
  // Some have a stop command that only its pause ends.
  if (plan.seed % 4 == 3) return {Rung::run({"sleep", "1000"}, 20ms), term};
  return {term};
}

std::vector<std::string> words_of(const StressPlan& plan) {
  const std::string seed = std::to_string(plan.seed), code = std::to_string(plan.code);
  switch (plan.kind) {
    case StressKind::flood: return {"flood", seed};
    case StressKind::deaf: return {"deaf"};
    case StressKind::escapee: return {"escapee", "deaf"};
    case StressKind::escapee_leaves: return {"escapee", "deaf", "leave"};
    case StressKind::bare_escapee: return {"escapee", "deaf", "bare"};
    case StressKind::bomb: return {"bomb", "3"};
    case StressKind::hopper: return {"hopper", "1000", plan.seed % 2 == 0 ? "settled" : "restless"};
    case StressKind::stopped: return {"stopped"};
    case StressKind::crash: return {"crash", std::to_string(plan.signal)};
    case StressKind::output:
    case StressKind::slow_reader:
      return {"write", seed, std::to_string(plan.out_bytes), std::to_string(plan.err_bytes), code};
    case StressKind::echo: return {"cat"};
    case StressKind::shut_input: return {"shut"};
    case StressKind::quick_exit:
    case StressKind::exec_failure: break;
  }
  return {"exit", code};
}

std::string judge_refusal(const StressPlan& plan, const StressOutcome& outcome) {
  const Error& error = outcome.ended.error();
  const bool stopped = plan.act == StressAct::stop || plan.act == StressAct::kill;
  bool fits = plan.kind == StressKind::exec_failure && error.code == ErrorCode::not_found && error.stage == Stage::exec;
  fits = fits || (stopped && error.code == ErrorCode::cancelled);
  fits = fits || (plan.act == StressAct::deadline && error.code == ErrorCode::timed_out);
  fits = fits || (outcome.shepherd_died &&
                  (error.code == ErrorCode::shepherd_lost || error.code == ErrorCode::shepherd_unavailable));
  return fits ? "" : "could not be started: " + error.message() + " (" + std::string(name_of(error.code)) + ")";
}

bool ended_by_itself(const StressPlan& plan, const Ended& ended) {
  if (stays(plan.kind)) return false;
  if (plan.kind == StressKind::crash) {
    const auto* signaled = std::get_if<Signaled>(&ended.status);
    return ended.reason == EndReason::signaled && signaled != nullptr && signaled->signal == plan.signal;
  }
  const auto* exited = std::get_if<Exited>(&ended.status);
  return ended.reason == EndReason::exited && exited != nullptr && exited->code == plan.code;
}

bool ended_by_act(const StressPlan& plan, const StressOutcome& outcome) {
  switch (outcome.ended->reason) {
    case EndReason::stopped: return plan.act == StressAct::stop || plan.act == StressAct::kill;
    case EndReason::deadline: return plan.act == StressAct::deadline;
    case EndReason::idle: return plan.act == StressAct::idle;
    case EndReason::output_limit: return plan.act == StressAct::output_limit;
    case EndReason::shepherd_lost: return outcome.shepherd_died;
    default: return false;
  }
}

std::string judge_stream(const Ended& ended, Stream stream, std::uint64_t moved, std::string_view name) {
  const StreamSummary* summary = ended.stream(stream);
  if (summary == nullptr || summary->bytes == moved) return {};
  return std::string(name) + ": " + std::to_string(moved) + " bytes moved, " + std::to_string(summary->bytes) +
         " counted (" + std::string(name_of(summary->end)) + ")";
}

/// Every byte that it wrote has come, as it ended by itself.
std::string judge_whole_output(const StressPlan& plan, const StressOutcome& outcome) {
  if (plan.kind == StressKind::echo && outcome.out_bytes != plan.in_bytes) {
    return std::to_string(plan.in_bytes) + " bytes given, " + std::to_string(outcome.out_bytes) + " came back";
  }
  if (plan.kind != StressKind::output && plan.kind != StressKind::slow_reader) return {};
  if (outcome.out_bytes == plan.out_bytes && outcome.err_bytes == plan.err_bytes) return {};
  return "wrote " + std::to_string(plan.out_bytes) + " and " + std::to_string(plan.err_bytes) + " bytes; " +
         std::to_string(outcome.out_bytes) + " and " + std::to_string(outcome.err_bytes) + " came";
}

}  // namespace

std::string StressPlan::text() const {
  return std::string(stress_kind_names[static_cast<std::size_t>(kind)]) + "/" +
         std::string(stress_act_names[static_cast<std::size_t>(act)]);
}

StressPlan draw_plan(std::mt19937_64& random, Containment containment) {
  StressPlan plan;
  plan.kind = pick(random, kinds(containment));
  plan.act = pick(random, acts_on(plan.kind));
  plan.delay = std::chrono::microseconds(random() % (stays(plan.kind) ? 300'000 : 30'000));
  plan.seed = random() % 1'000'000;
  constexpr std::uint64_t big = 1'000'000, small = 3000;
  const std::uint64_t most = random() % 4 == 0 ? big : small;
  plan.out_bytes = random() % most;
  plan.err_bytes = random() % (most / 2);
  plan.in_bytes = random() % most;
  plan.limit_bytes = 1 + random() % 500'000;
  plan.signal = pick(random, std::vector<int>{SIGSEGV, SIGABRT, SIGKILL, SIGTERM, SIGILL});
  const bool has_code = plan.kind == StressKind::quick_exit || plan.kind == StressKind::output ||
                        plan.kind == StressKind::slow_reader;
  plan.code = has_code ? static_cast<int>(random() % 256) : 0;
  return plan;
}

Command command_of(const StressPlan& plan, const RollCall& roll) {
  if (plan.kind == StressKind::exec_failure) return Command("/nonexistent/netrunner-stress");
  std::vector<std::string> words = words_of(plan);
  const std::string name = words.front();
  words.erase(words.begin());
  Command command = roll.fault(name, std::move(words)).ladder(ladder_of(plan)).out(Stdio::pipe());
  if (plan.act == StressAct::detach) return command.out(Stdio::null()).err(Stdio::null());
  command = command.err(plan.err_bytes % 5 == 4 && plan.kind == StressKind::output ? Stdio::pipe().window(4096)
                                                                                  : Stdio::pipe());
  if (plan.kind == StressKind::echo || plan.kind == StressKind::shut_input) command = command.in(Stdio::pipe());
  if (plan.act == StressAct::deadline) command = command.deadline(plan.delay);
  if (plan.act == StressAct::idle) command = command.idle_limit(50ms + plan.delay);
  if (plan.act == StressAct::output_limit) command = command.output_limit(plan.limit_bytes);
  return command;
}

std::string judge(const StressPlan& plan, const StressOutcome& outcome) {
  if (!outcome.bytes_right) return "its bytes are not those that it wrote";
  if (!outcome.ended) return judge_refusal(plan, outcome);
  const Ended& ended = *outcome.ended;
  const std::string end = std::string(name_of(ended.reason)) + ", " + to_string(ended.status);
  const bool by_itself = ended_by_itself(plan, ended);
  if (!by_itself && !ended_by_act(plan, outcome)) return "ended without a cause that fits: " + end;
  // Without a group or a namespace nobody can know what became of those that a lost shepherd had.
  const bool exact = ended.containment == Containment::cgroup || ended.containment == Containment::pid_namespace;
  if (!ended.tree_empty && (exact || !outcome.shepherd_died)) return "its tree is not empty: " + end;
  std::string wrong = judge_stream(ended, Stream::out, outcome.out_bytes, "stdout");
  if (wrong.empty()) wrong = judge_stream(ended, Stream::err, outcome.err_bytes, "stderr");
  if (wrong.empty() && outcome.all_input_taken && by_itself && plan.kind == StressKind::echo) {
    wrong = judge_stream(ended, Stream::in, outcome.in_bytes, "stdin");
  }
  if (wrong.empty() && by_itself) wrong = judge_whole_output(plan, outcome);
  // A look for what has left its group waits until it may cost time again; a shepherd that was killed before it has
  // counted none. A group counts at once.
  const bool counted = ended.containment == Containment::cgroup || !outcome.shepherd_died;
  if (wrong.empty() && by_itself && counted && plan.kind == StressKind::escapee_leaves && ended.stragglers != 1) {
    wrong = std::to_string(ended.stragglers) + " stragglers counted, 1 left";
  }
  return wrong.empty() ? wrong : wrong + " (" + end + ")";
}

}  // namespace netrunner::tool
