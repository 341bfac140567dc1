#pragma once
/// What failed, on what, why, and what to do now. Nothing in NetRunner throws.

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace netrunner {

/// The kind of a failure: what a program branches on.
enum class ErrorCode : std::uint8_t {
  invalid_argument,      ///< Permanent: the request itself is wrong (a NUL byte, a zero window, ...).
  not_found,             ///< The program, its interpreter, a directory or a file does not exist.
  not_executable,        ///< It exists and can't be run: no permission, no #! line, another architecture.
  permission_denied,     ///< The kernel refused a step (credentials, rlimit, file).
  argument_list_too_long,///< E2BIG; the subject names the string and the limit.
  limit_reached,         ///< A limit of the system or of the engine; the subject names it. Try again later.
  io_uring_unavailable,  ///< The advice says which of kernel, sysctl, seccomp and memlock is at fault.
  shepherd_unavailable,  ///< The helper process could not be started.
  shepherd_lost,         ///< The helper process died while the verb was under way.
  engine_closed,         ///< The engine no longer admits this verb.
  already_exited,        ///< The command has exited: there is nothing to signal.
  not_a_pipe,            ///< The stream isn't a pipe to the host (null, file, inherited, ...).
  stream_busy,           ///< Another verb is under way on this stream.
  broken_pipe,           ///< The command closed its stdin.
  timed_out,             ///< The caller's deadline for this verb passed; the command was not touched.
  cancelled,             ///< The verb was withdrawn, or its stop token was triggered before the start.
  limit_unavailable,     ///< A limit can't be had here: subject and advice name controller, file and setting.
  system,                ///< Any other errno.
};

/// The step that failed on the way to a running command, in the order in which they happen.
enum class Stage : std::uint8_t {
  none, validate, pipes, treaty, clone, parent_death, group, session, terminal, stdio, open_file, cwd, umask,
  nice, rlimit, oom_score, affinity, groups, gid, uid, capabilities, no_new_privs, cgroup, exec,
};

[[nodiscard]] std::string_view name_of(ErrorCode code) noexcept;
[[nodiscard]] std::string_view name_of(Stage stage) noexcept;

struct Error {
  ErrorCode code = ErrorCode::system;
  Stage stage = Stage::none;
  int sys_errno = 0;        ///< errno of the call that failed, or 0.
  /// On what: a path, a variable, a limit. Never the value of a variable; advice shows PATH where it was searched.
  std::string subject;
  std::string advice;       ///< What to do now; may be empty.

  /// One line for people: "exec /bin/nope: No such file or directory (searched PATH=/bin)".
  [[nodiscard]] std::string message() const;
};

template <class T>
using Result = std::expected<T, Error>;

/// The error of a system call that just failed, with the current errno.
[[nodiscard]] Error system_error(std::string subject, Stage stage = Stage::none, int sys_errno = errno);

/// Ends the process with file, line and expression on standard error. On in release builds too.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace netrunner

#define NR_CONCAT_(a, b) a##b
#define NR_CONCAT(a, b) NR_CONCAT_(a, b)

#define NR_ASSERT(expression) \
  (static_cast<bool>(expression) ? void() : ::netrunner::assertion_failed(#expression, __FILE__, __LINE__))

/// `NR_TRY(name, expression)`: the value of a Result in `name`, or return its error.
#define NR_TRY(name, ...)                                                                      \
  auto NR_CONCAT(nr_result_, __LINE__) = (__VA_ARGS__);                                        \
  if (!NR_CONCAT(nr_result_, __LINE__))                                                        \
    return std::unexpected(std::move(NR_CONCAT(nr_result_, __LINE__)).error());                \
  auto&& name = *NR_CONCAT(nr_result_, __LINE__)

/// The same for a Result without a value.
#define NR_TRY_VOID(...)                                                                       \
  do {                                                                                         \
    if (auto nr_result = (__VA_ARGS__); !nr_result)                                            \
      return std::unexpected(std::move(nr_result).error());                                    \
  } while (false)

/// The same inside a coroutine.
#define NR_CO_TRY(name, ...)                                                                   \
  auto NR_CONCAT(nr_result_, __LINE__) = (__VA_ARGS__);                                        \
  if (!NR_CONCAT(nr_result_, __LINE__))                                                        \
    co_return std::unexpected(std::move(NR_CONCAT(nr_result_, __LINE__)).error());             \
  auto&& name = *NR_CONCAT(nr_result_, __LINE__)
#define NR_CO_TRY_VOID(...)                                                                    \
  do {                                                                                         \
    if (auto nr_result = (__VA_ARGS__); !nr_result)                                            \
      co_return std::unexpected(std::move(nr_result).error());                                 \
  } while (false)
