#include <netrunner/error.hpp>

#include <array>
#include <cstdio>
#include <cstring>

namespace netrunner {
namespace {

constexpr std::array<std::string_view, 18> code_names = {
    "invalid_argument", "not_found",        "not_executable",       "permission_denied",    "argument_list_too_long",
    "limit_reached",    "io_uring_unavailable", "shepherd_unavailable", "shepherd_lost",    "engine_closed",
    "already_exited",   "not_a_pipe",       "stream_busy",          "broken_pipe",          "timed_out",
    "cancelled",        "limit_unavailable", "system",
};
static_assert(code_names.size() == static_cast<std::size_t>(ErrorCode::system) + 1);

constexpr std::array<std::string_view, 24> stage_names = {
    "none",      "validate", "pipes",  "treaty", "clone",     "parent death signal", "process group", "session",
    "terminal",  "stdio",    "open",   "cwd",    "umask",     "nice",                "rlimit",        "oom_score_adj",
    "affinity",  "groups",   "gid",    "uid",    "capabilities", "no_new_privs",     "cgroup",        "exec",
};
static_assert(stage_names.size() == static_cast<std::size_t>(Stage::exec) + 1);

ErrorCode code_of(int sys_errno, Stage stage) {
  switch (sys_errno) {
    case ENOENT: case ENOTDIR: return ErrorCode::not_found;
    case ENOEXEC: case ELIBBAD: return ErrorCode::not_executable;
    case EACCES: return stage == Stage::exec ? ErrorCode::not_executable : ErrorCode::permission_denied;
    case EPERM: return ErrorCode::permission_denied;
    case E2BIG: return ErrorCode::argument_list_too_long;
    case EAGAIN: case EMFILE: case ENFILE: case ENOMEM: case ENOSPC: case ETXTBSY: return ErrorCode::limit_reached;
    case EPIPE: return ErrorCode::broken_pipe;
    case EINVAL: return ErrorCode::invalid_argument;
    default: return ErrorCode::system;
  }
}

}  // namespace

std::string_view name_of(ErrorCode code) noexcept { return code_names[static_cast<std::size_t>(code)]; }
std::string_view name_of(Stage stage) noexcept { return stage_names[static_cast<std::size_t>(stage)]; }

Error system_error(std::string subject, Stage stage, int sys_errno) {
  Error error{code_of(sys_errno, stage), stage, sys_errno, std::move(subject), {}};
  if (sys_errno == EMFILE) error.advice = "RLIMIT_NOFILE of this process is used up: raise it (ulimit -n)";
  if (sys_errno == ENFILE) error.advice = "the system's limit fs.file-max is reached";
  return error;
}

std::string Error::message() const {
  std::string text;
  if (stage != Stage::none && stage != Stage::validate) text.append(name_of(stage)).append(" ");
  text.append(subject);
  if (sys_errno != 0) {
    if (!text.empty()) text.append(": ");
    text.append(::strerror(sys_errno));
  } else if (text.empty()) {
    text.append(name_of(code));
  }
  if (!advice.empty()) text.append(" (").append(advice).append(")");
  return text;
}

void assertion_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "netrunner: assertion failed: %s at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace netrunner
