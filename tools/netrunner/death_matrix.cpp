#include "tools/netrunner/death_matrix.hpp"

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <random>
#include <sstream>
#include <thread>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tools/netrunner/death_cell.hpp"
#include "tools/netrunner/death_group.hpp"

namespace netrunner::tool {
namespace {

template <class Value, std::size_t size>
Checked<void> take(const std::string& text, const std::array<std::string_view, size>& names, std::vector<Value>& into) {
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) {
    const auto found = std::ranges::find(names, std::string_view(word));
    if (found == names.end()) {
      std::string known;
      for (const std::string_view name : names) known += " " + std::string(name);
      return std::unexpected("'" + word + "' is none of" + known + ".");
    }
    into.push_back(static_cast<Value>(found - names.begin()));
  }
  return {};
}

template <class Value>
std::vector<Value> all_or(std::vector<Value> chosen, std::size_t count) {
  for (std::size_t i = 0; chosen.size() < count && i < count; ++i) chosen.push_back(static_cast<Value>(i));
  return chosen;
}

std::vector<DeathCell> cells_of(const DeathOptions& options) {
  std::vector<DeathRow> rows = options.rows;
  std::vector<DeathColumn> columns = options.columns;
  if (rows.empty()) rows = all_or(rows, death_row_names.size());
  if (columns.empty()) columns = all_or(columns, death_column_names.size());
  std::vector<DeathCell> cells;
  for (const Containment level : options.levels) {
    for (const DeathRow row : rows) {
      for (const DeathColumn column : columns) {
        cells.emplace_back();
        cells.back().level = level;
        cells.back().row = row;
        cells.back().column = column;
      }
    }
  }
  return cells;
}

/// "0", "3+1z" with a zombie, "20>0" as the next start's sweep changed it, "-" where it wasn't to be had, "?!" where it
/// went wrong.
std::string figure_of(const DeathCell& cell) {
  if (!cell.not_run.empty()) return "-";
  if (!cell.went_wrong.empty()) return "?!";
  std::string figure = std::to_string(cell.survivors());
  if (cell.zombies > 0) figure += "+" + std::to_string(cell.zombies) + "z";
  if (cell.row == DeathRow::all_at_once && cell.level == Containment::cgroup) {
    figure += ">" + std::to_string(cell.after_sweep);
  }
  return cell.broken() ? figure + "!" : cell.promised_empty() ? figure : "(" + figure + ")";
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size() + 1), ' ');
  return text;
}

}  // namespace

Checked<void> take_rows(const std::string& names, DeathOptions& options) {
  return take(names, death_row_names, options.rows);
}
Checked<void> take_columns(const std::string& names, DeathOptions& options) {
  return take(names, death_column_names, options.columns);
}

bool DeathCell::promised_empty() const noexcept {
  if (level == Containment::pid_namespace) return true;
  // Nobody is left to act: direct children die by PDEATHSIG, what left them stays.
  if (level == Containment::cgroup || level == Containment::subreaper) return row != DeathRow::all_at_once;
  const bool stays_in_group = column == DeathColumn::plain || column == DeathColumn::deaf ||
                              column == DeathColumn::stopped || column == DeathColumn::starting;
  return stays_in_group && row < DeathRow::shepherd_sigkill;
}

bool DeathCell::broken() const noexcept {
  if (!not_run.empty()) return false;
  if (!went_wrong.empty()) return true;
  if (promised_empty()) return survivors() + zombies > 0;
  if (level == Containment::cgroup) return direct + after_sweep > 0;
  return level == Containment::subreaper && direct > 0;
}

Checked<DeathReport> run_matrix(const DeathOptions& options) {
  DeathReport report{
      .seed = options.seed, .commands = options.commands, .wait = options.wait, .cells = cells_of(options)};
  // Hosts that share a group sweep one another's dead: without a group for each there must be one at a time.
  const bool apart = !DeathGroup(std::to_string(::getpid())).path().empty();
  std::mutex mutex;
  std::size_t next = 0;
  const auto work = [&] {
    for (;;) {
      std::unique_lock lock(mutex);
      if (next == report.cells.size()) return;
      const std::size_t number = next++;
      lock.unlock();
      std::mt19937_64 random(options.seed + number);
      DeathPlace place;
      place.id = std::to_string(::getpid()) + "." + std::to_string(number);
      place.commands = options.commands;
      place.gap = options.gap;
      place.wait = options.wait;
      place.shards = 1 + static_cast<std::uint32_t>(number % 2);
      run_cell(report.cells[number], place, random);
    }
  };
  std::vector<std::thread> workers;
  for (std::uint32_t i = 0; i < (apart ? options.jobs : 1); ++i) workers.emplace_back(work);
  for (std::thread& worker : workers) worker.join();
  const auto ran = [](const DeathCell& cell) { return cell.not_run.empty(); };
  if (!report.cells.empty() && std::ranges::none_of(report.cells, ran)) {
    return std::unexpected(report.cells.front().not_run);
  }
  return report;
}

bool passed(const DeathReport& report) {
  return std::ranges::none_of(report.cells, [](const DeathCell& cell) { return cell.broken(); });
}

std::string table_of(const DeathReport& report) {
  std::string table = "Processes left " + std::to_string((death_grace + report.wait) / std::chrono::milliseconds(1)) +
                      " ms after a death (ladder TERM:200ms,KILL), of " + std::to_string(report.commands) +
                      " commands and all that they started; seed " +
                      std::to_string(report.seed) + "\n+Nz zombies; N>M after the next start; (N) not promised; " +
                      "N! promised and not kept; - not to be had here; ?! went wrong\n";
  const DeathCell* above = nullptr;
  std::vector<std::string> reasons;
  for (const DeathCell& cell : report.cells) {
    if (above == nullptr || above->level != cell.level) {
      table += "\n" + padded(std::string(name_of(cell.level)), 21);
      for (const DeathCell& other : report.cells) {
        if (other.level != cell.level || other.row != cell.row) continue;
        table += padded(std::string(death_column_names[static_cast<std::size_t>(other.column)]), 10);
      }
    }
    if (above == nullptr || above->level != cell.level || above->row != cell.row) {
      table += "\n" + padded("  " + std::string(death_row_names[static_cast<std::size_t>(cell.row)]), 21);
    }
    table += padded(figure_of(cell), 10);
    if (!cell.not_run.empty()) reasons.push_back(std::string(name_of(cell.level)) + ": " + cell.not_run);
    above = &cell;
  }
  table += "\n\n";
  const auto repeated = std::ranges::unique(reasons);
  reasons.erase(repeated.begin(), repeated.end());
  for (const std::string& reason : reasons) table += "not run: " + reason + "\n";
  for (const DeathCell& cell : report.cells) {
    if (!cell.went_wrong.empty()) table += "went wrong: " + cell.went_wrong + "\n";
    if (cell.broken() && !cell.left.empty()) table += "left: " + cell.left + "\n";
  }
  return table + (passed(report) ? "PASS\n" : "FAIL\n");
}

std::string json_of(const DeathReport& report) {
  nlohmann::ordered_json json = {{"seed", report.seed}, {"commands", report.commands}, {"pass", passed(report)}};
  json["cells"] = nlohmann::ordered_json::array();
  for (const DeathCell& cell : report.cells) {
    json["cells"].push_back({{"containment", std::string(name_of(cell.level))},
                             {"row", std::string(death_row_names[static_cast<std::size_t>(cell.row)])},
                             {"column", std::string(death_column_names[static_cast<std::size_t>(cell.column)])},
                             {"survivors", cell.survivors()},
                             {"direct", cell.direct},
                             {"zombies", cell.zombies},
                             {"left_to_init", cell.left_to_init},
                             {"after_sweep", cell.after_sweep},
                             {"promised_empty", cell.promised_empty()},
                             {"broken", cell.broken()},
                             {"left", cell.left},
                             {"not_run", cell.not_run},
                             {"went_wrong", cell.went_wrong},
                             {"seconds", cell.seconds}});
  }
  return json.dump(2) + "\n";
}

}  // namespace netrunner::tool
