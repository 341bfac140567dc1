#pragma once
/// The exit status of `netrunner run`: the only place where a signal becomes 128 + n.

#include <netrunner/error.hpp>
#include <netrunner/exit_status.hpp>

namespace netrunner::tool {

inline constexpr int refused_success = 1;   ///< It exited 0, which --success-codes has not.
inline constexpr int limit_passed = 124;    ///< --timeout, --idle, --output-limit, --cpu-time.
inline constexpr int own_failure = 125;     ///< netrunner itself failed, or was asked for something impossible.
inline constexpr int not_executable = 126;  ///< The command exists and can't be run.
inline constexpr int not_found = 127;
inline constexpr int signal_base = 128;     ///< Plus the number of the signal that killed it.

/// Ends this process at once, whatever its other threads are in the middle of; nothing is flushed or destroyed.
[[noreturn]] void leave_at_once(int exit_code) noexcept;

[[nodiscard]] int exit_code_of(const Ended& ended) noexcept;
[[nodiscard]] int exit_code_of(const Error& error) noexcept;

}  // namespace netrunner::tool
