/// The errors and names of <netrunner/netrunner.h>.

#include "engine/api/c_bridge.hpp"

namespace {

using netrunner::Containment;
using netrunner::EndReason;
using netrunner::CommandState;
using netrunner::ErrorCode;
using netrunner::EventKind;
using netrunner::LogLevel;
using netrunner::Stage;
using netrunner::StreamEnd;

static_assert(NR_SYSTEM == static_cast<int>(ErrorCode::system) + 1);
static_assert(NR_STAGE_EXEC == static_cast<int>(Stage::exec));
static_assert(NR_REASON_CPU_TIME == static_cast<int>(EndReason::cpu_time));
static_assert(NR_END_ABANDONED == static_cast<int>(StreamEnd::abandoned));
static_assert(NR_EVENT_STOP_COMMAND == static_cast<int>(EventKind::stop_command));
static_assert(NR_STATE_ENDED == static_cast<int>(CommandState::ended));
static_assert(NR_LOG_ERROR == static_cast<int>(LogLevel::error));
static_assert(NR_CONTAINMENT_PID_NAMESPACE == static_cast<int>(Containment::pid_namespace));

/// All names are literals, so they end with a NUL.
template <class Enum>
const char* name(int value, Enum last) noexcept {
  const bool known = value >= 0 && value <= static_cast<int>(last);
  return known ? netrunner::name_of(static_cast<Enum>(value)).data() : "?";
}

}  // namespace

namespace netrunner::c {

nr_code fail(const Error& failure, nr_error* error) {
  const auto code = static_cast<nr_code>(static_cast<int>(failure.code) + 1);
  if (error == nullptr) return code;
  nr_error ours{};
  ours.code = code;
  ours.stage = static_cast<nr_stage>(failure.stage);
  ours.sys_errno = failure.sys_errno;
  const std::string message = failure.message();
  const std::size_t kept = std::min(message.size(), sizeof ours.message - 1);
  std::memcpy(ours.message, message.data(), kept);
  give(ours, error);
  return code;
}

}  // namespace netrunner::c

extern "C" {

const char* nr_version(void) { return NR_VERSION; }
const char* nr_code_name(nr_code code) { return code == NR_OK ? "ok" : name(code - 1, ErrorCode::system); }
const char* nr_stage_name(nr_stage stage) { return name(stage, Stage::exec); }
const char* nr_end_reason_name(nr_end_reason reason) { return name(reason, EndReason::cpu_time); }
const char* nr_stream_end_name(nr_stream_end end) { return name(end, StreamEnd::abandoned); }
const char* nr_event_kind_name(nr_event_kind kind) { return name(kind, EventKind::stop_command); }
const char* nr_command_state_name(nr_command_state state) { return name(state, CommandState::ended); }
const char* nr_log_level_name(nr_log_level level) { return name(level, LogLevel::error); }
const char* nr_containment_name(nr_containment containment) { return name(containment, Containment::pid_namespace); }

}  // extern "C"
