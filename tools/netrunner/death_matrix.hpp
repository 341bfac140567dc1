#pragma once
/// The death matrix: who dies, what runs meanwhile, under which containment; and how many processes are left then.

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <netrunner/deadline.hpp>
#include <netrunner/exit_status.hpp>

#include "tools/netrunner/options.hpp"

namespace netrunner::tool {

enum class DeathRow : std::uint8_t {
  handle_dropped, thread_throws, engine_closed, host_exits, host_sigkill, host_sigsegv, host_oom, shepherd_sigkill,
  shepherd_sigstop, host_and_shepherd, one_by_one, all_at_once,
};
inline constexpr std::array<std::string_view, 12> death_row_names = {
    "handle_dropped", "thread_throws", "engine_closed", "host_exits", "host_sigkill", "host_sigsegv", "host_oom",
    "shepherd_sigkill", "shepherd_sigstop", "host_and_shepherd", "one_by_one", "all_at_once"};

enum class DeathColumn : std::uint8_t { plain, deaf, escapee, bare, hopper, bomb, stopped, starting };
inline constexpr std::array<std::string_view, 8> death_column_names = {
    "plain", "deaf", "escapee", "bare", "hopper", "bomb", "stopped", "starting"};

struct DeathOptions {
  std::uint64_t seed = 1;
  std::uint32_t commands = 20, jobs = 2;
  Nanoseconds gap = std::chrono::milliseconds(300);  ///< one_by_one: between two kills; more than the ladder takes.
  Nanoseconds wait = std::chrono::seconds(1);  ///< After the ladder, before the survivors are counted.
  std::vector<Containment> levels = {Containment::cgroup, Containment::subreaper, Containment::pid_namespace};
  std::vector<DeathRow> rows;        ///< Empty: all.
  std::vector<DeathColumn> columns;  ///< Empty: all.
};
[[nodiscard]] Checked<void> take_rows(const std::string& names, DeathOptions& options);
[[nodiscard]] Checked<void> take_columns(const std::string& names, DeathOptions& options);

struct DeathCell {
  Containment level = Containment::automatic;
  DeathRow row = DeathRow::handle_dropped;
  DeathColumn column = DeathColumn::plain;
  std::string not_run;            ///< Why it isn't to be had here; empty: it ran, or went wrong.
  std::string went_wrong;         ///< Why it says nothing, though it could be had here.
  std::size_t direct = 0;         ///< Commands alive after the ladder and a second...
  std::size_t escaped = 0;        ///< ...and what left them: survivors == direct + escaped.
  std::size_t zombies = 0;
  std::size_t left_to_init = 0;   ///< Zombies that init has not reaped yet: nobody else may.
  std::size_t after_sweep = 0;    ///< Survivors after the next engine's start; only all_at_once with cgroups.
  std::string left;               ///< Who the first of them are, and which are being killed.
  double seconds = 0;             ///< From the death to the last look.
  [[nodiscard]] std::size_t survivors() const noexcept { return direct + escaped; }
  /// The design promises it, and it isn't so, or nobody can say.
  [[nodiscard]] bool broken() const noexcept;
  [[nodiscard]] bool promised_empty() const noexcept;
};

struct DeathReport {
  std::uint64_t seed = 0;
  std::uint32_t commands = 0;
  Nanoseconds wait{0};
  std::vector<DeathCell> cells;
};

[[nodiscard]] Checked<DeathReport> run_matrix(const DeathOptions& options);
[[nodiscard]] bool passed(const DeathReport& report);
[[nodiscard]] std::string table_of(const DeathReport& report);
[[nodiscard]] std::string json_of(const DeathReport& report);

}  // namespace netrunner::tool
