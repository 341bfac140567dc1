#pragma once
/// One item with its command, from its start until it was printed.

#include <cstdint>
#include <string>
#include <utility>

#include <netrunner/error.hpp>
#include <netrunner/exit_status.hpp>

#include "tools/netrunner/job_queue.hpp"
#include "tools/netrunner/output_spool.hpp"

namespace netrunner::tool {

/// Owner: its slot, then the printer.
struct Job {
  Job(Item with, SpoolBudget& budget) : item(std::move(with)), out(budget), err(budget) {}

  /// Notes its end; what the exit status doesn't tell is said at the end of its stderr.
  void end(const Result<Ended>& result, std::string command);
  void say(const std::string& line);

  Item item;
  OutputSpool out, err;
  std::string command;         ///< As a line for a shell; empty where nobody needs it.
  double started_s = 0;        ///< Wall clock.
  double ran_s = 0;
  int exit_code = 0;           ///< 0 where a signal killed it; -1: --timeout.
  int signal = 0;
  int failure = 0;             ///< The exit status of `netrunner run` for the same end.
  bool succeeded = false;
};

}  // namespace netrunner::tool
