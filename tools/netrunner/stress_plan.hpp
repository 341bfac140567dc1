#pragma once
/// One command of the storm: what it is, what is done to it, and how it may end.

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include <netrunner/command.hpp>
#include <netrunner/exit_status.hpp>

#include "tools/netrunner/stress_roll.hpp"

namespace netrunner::tool {

enum class StressKind : std::uint8_t {
  flood, deaf, escapee, escapee_leaves, bare_escapee, bomb, hopper, stopped,  // They stay until something is done.
  quick_exit, crash, output, slow_reader, echo, shut_input, exec_failure,     // They end by themselves.
};
enum class StressAct : std::uint8_t { none, stop, kill, drop_at_once, drop, deadline, idle, output_limit, detach };

inline constexpr std::array<std::string_view, 15> stress_kind_names = {
    "flood", "deaf", "escapee", "escapee_leaves", "bare_escapee", "bomb", "hopper", "stopped",
    "quick_exit", "crash", "output", "slow_reader", "echo", "shut_input", "exec_failure"};
inline constexpr std::array<std::string_view, 9> stress_act_names = {
    "none", "stop", "kill", "drop_at_once", "drop", "deadline", "idle", "output_limit", "detach"};

struct StressPlan {
  StressKind kind = StressKind::quick_exit;
  StressAct act = StressAct::none;
  Nanoseconds delay{0};                          ///< Until the act.
  std::uint64_t seed = 0;                        ///< Of its bytes.
  std::uint64_t out_bytes = 0, err_bytes = 0, in_bytes = 0;
  std::uint64_t limit_bytes = 0;
  int code = 0, signal = 0;
  [[nodiscard]] std::string text() const;        ///< "echo/stop".
};

/// Only what this containment reaches, also when the shepherd is killed.
[[nodiscard]] StressPlan draw_plan(std::mt19937_64& random, Containment containment);
[[nodiscard]] Command command_of(const StressPlan& plan, const RollCall& roll);

/// What was seen of one that has ended.
struct StressOutcome {
  Result<Ended> ended;
  std::uint64_t out_bytes = 0, err_bytes = 0, in_bytes = 0;  ///< That we moved.
  bool bytes_right = true;
  bool all_input_taken = false;
  bool shepherd_died = false;  ///< Some shepherd was killed while it ran, or shortly before.
};
/// What doesn't fit; empty: all does.
[[nodiscard]] std::string judge(const StressPlan& plan, const StressOutcome& outcome);

}  // namespace netrunner::tool
