#pragma once
/// How a command is stopped: a list of signals, to whom, with pauses between. Data, not code.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <netrunner/deadline.hpp>
#include <netrunner/error.hpp>

namespace netrunner {

/// Who gets a signal.
enum class Target : std::uint8_t {
  leader,      ///< The process that was started, by pidfd.
  group,       ///< Its process group, while the unreaped leader pins the number.
  everything,  ///< Every process that the command ever started, as far as its containment reaches.
};

struct Rung {
  int signal = 0;
  Target target = Target::group;
  Nanoseconds pause{0};  ///< How long the next rung waits for the command to end.
  friend bool operator==(const Rung&, const Rung&) = default;
};

/// Rungs in order; the last is always SIGKILL to everything (added where the caller left it out).
/// The ladder runs in the shepherd: once asked for it is finished even if caller and host are gone.
class KillLadder {
 public:
  static constexpr std::size_t rungs_max = 16;

  KillLadder();  ///< SIGTERM to the group, 5 s, SIGKILL to everything.
  KillLadder(std::initializer_list<Rung> rungs);
  [[nodiscard]] static KillLadder at_once();  ///< SIGKILL to everything.
  /// "TERM:5s,INT@leader:500ms,KILL": NAME[@leader|group|everything][:PAUSE] separated by commas.
  [[nodiscard]] static Result<KillLadder> parse(std::string_view text);

  [[nodiscard]] const std::vector<Rung>& rungs() const noexcept { return rungs_; }
  [[nodiscard]] std::string text() const;  ///< What parse() reads.
  friend bool operator==(const KillLadder&, const KillLadder&) = default;

 private:
  std::vector<Rung> rungs_;
};

/// "TERM", "SIGTERM", "15", "RTMIN+3" to a number, and back ("SIGTERM").
[[nodiscard]] Result<int> parse_signal(std::string_view text);
[[nodiscard]] std::string signal_name(int signal);

/// "250ms", "1.5s", "2m", "1h", "3d", "500us", "10" (seconds); saturates. Rejects negative, inf, nan and nonsense.
[[nodiscard]] Result<Nanoseconds> parse_duration(std::string_view text);

}  // namespace netrunner
