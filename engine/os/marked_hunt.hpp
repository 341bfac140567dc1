#pragma once
/// All processes that carry a shepherd's mark, wherever they fell when it died. No heap: the shepherd uses it too.

#include <cstdint>
#include <sys/types.h>

namespace netrunner::os {

/// Kills them, in pieces of a few milliseconds. It is over when two looks over /proc in a row found none with the mark
/// in its limit, and another none with the mark in its environment.
/// A process that forks and exits for ever is among those that were born last: these are looked at first, each time,
/// because a look over all comes too late for it where there are many zombies. Zombies don't count; they are their
/// parent's to reap.
class MarkedHunt {
 public:
  explicit MarkedHunt(std::uint64_t shepherd) noexcept : shepherd_(shepherd) {}
  /// True: none is left; false: call again in a moment.
  [[nodiscard]] bool kill_some() noexcept;

 private:
  [[nodiscard]] bool kill_the_newest() noexcept;
  void look_on(std::int64_t until_ns) noexcept;

  std::uint64_t shepherd_;
  std::int64_t place_ = 0;   ///< In /proc, of the look under way; 0: at its beginning.
  bool found_ = false;       ///< In the look under way.
  std::uint32_t quiet_looks_ = 0;
};

/// True: one lives.
[[nodiscard]] bool any_marked(std::uint64_t shepherd) noexcept;

}  // namespace netrunner::os
