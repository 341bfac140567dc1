#pragma once
/// How slow this machine and this build are, and how much of the full counts to run.
///   NETRUNNER_TEST_SLOWNESS  factor on every bound of time (default 1; 4 under a sanitizer)
///   NETRUNNER_TEST_SCALE     factor on every count (default 0.1; 0.02 under a sanitizer; 1 is the full measure)

#include <chrono>
#include <cstddef>
#include <string>

#include <netrunner/deadline.hpp>

namespace tests {

using namespace std::chrono_literals;

[[nodiscard]] double slowness();
[[nodiscard]] double scale();

/// True in a build with AddressSanitizer or ThreadSanitizer.
[[nodiscard]] constexpr bool is_sanitized() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return true;
#else
  return false;
#endif
}

/// `full` runs in the full measure, fewer otherwise, never fewer than `least`.
[[nodiscard]] std::size_t scaled(std::size_t full, std::size_t least = 1);

/// A bound of time between right and wrong, stretched for a slow machine.
[[nodiscard]] netrunner::Nanoseconds patience(netrunner::Nanoseconds bound);
/// The same as an option of the command: "500ms".
[[nodiscard]] std::string patience_text(netrunner::Nanoseconds bound);

/// Seconds since it was made.
class Stopwatch {
 public:
  [[nodiscard]] netrunner::Nanoseconds elapsed() const { return std::chrono::steady_clock::now() - start_; }
  [[nodiscard]] double seconds() const { return std::chrono::duration<double>(elapsed()).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace tests
