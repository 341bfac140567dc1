#include "tools/netrunner/exit_code.hpp"

#include <sys/syscall.h>
#include <unistd.h>
#include <variant>

namespace netrunner::tool {

void leave_at_once(int exit_code) noexcept {
  // Not _exit(3): a sanitizer would wait there for threads that we leave where they are.
  for (;;) (void)::syscall(SYS_exit_group, exit_code);
}

int exit_code_of(const Ended& ended) noexcept {
  switch (ended.reason) {
    case EndReason::deadline:
    case EndReason::idle:
    case EndReason::output_limit:
    case EndReason::cpu_time: return limit_passed;
    case EndReason::shepherd_lost: return own_failure;
    case EndReason::exited:
    case EndReason::signaled:
    case EndReason::stopped:
    case EndReason::owner_gone:
    case EndReason::out_of_memory: break;  // The kernel's own SIGKILL: 137, as everywhere.
  }
  if (ended.success()) return 0;  // Its code may be another one of --success-codes.
  if (const auto* exited = std::get_if<Exited>(&ended.status)) {
    // A failure is seen in the status: 0 may be none of --success-codes.
    return exited->code == 0 && ended.reason == EndReason::exited ? refused_success : exited->code;
  }
  if (const auto* signaled = std::get_if<Signaled>(&ended.status)) return signal_base + signaled->signal;
  return own_failure;
}

int exit_code_of(const Error& error) noexcept {
  if (error.code == ErrorCode::timed_out) return limit_passed;  // Before it was started.
  if (error.stage != Stage::exec) return own_failure;  // A missing directory of --cwd is no missing command.
  switch (error.code) {
    case ErrorCode::not_found: return not_found;
    case ErrorCode::not_executable:
    case ErrorCode::permission_denied:
    case ErrorCode::argument_list_too_long: return not_executable;
    default: return own_failure;
  }
}

}  // namespace netrunner::tool
