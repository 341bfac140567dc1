#pragma once
/// Owners of what the C interface gives out.

#include <memory>
#include <netrunner/daemon.h>
#include <netrunner/netrunner.h>

namespace tests {

struct Free {
  void operator()(nr_engine* engine) const { nr_engine_free(engine); }
  void operator()(nr_command* command) const { nr_command_free(command); }
  void operator()(nr_process* process) const { nr_process_free(process); }
  void operator()(nr_completed* completed) const { nr_completed_free(completed); }
  void operator()(nr_lines* lines) const { nr_lines_free(lines); }
  void operator()(nr_daemon* daemon) const { nr_daemon_free(daemon); }
};
template <class T>
using Handle = std::unique_ptr<T, Free>;

}  // namespace tests
