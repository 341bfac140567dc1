#pragma once
/// The other shepherds of the same host. Whoever is left when the host and others are dead kills what those have left.

#include <array>
#include <csignal>
#include <cstdint>
#include <sys/types.h>

#include "engine/os/cgroup.hpp"
#include "engine/os/marked_hunt.hpp"
#include "engine/os/unique_fd.hpp"
#include "engine/wire/message.hpp"

namespace netrunner::shepherd {

class Siblings {
 public:
  /// An engine has 64 shards at most, or one and a spare; each may have been replaced and have commands still.
  static constexpr std::size_t siblings_max = 128;

  /// One of the same number that is known already has been replaced, and is remembered as long as it has commands.
  void meet(const wire::SiblingFixed& sibling, os::UniqueFd pidfd, os::UniqueFd group);
  /// Notes who is dead by now. A farewell is sent before: whoever hears them afterwards has all that there are.
  void look_who_died();
  /// After the host's end: ends what the dead left. True: nothing of it is left.
  [[nodiscard]] bool end_what_they_left(std::int64_t now);
  /// Those that live have no commands any more. Kills one that is stopped for long and has some.
  [[nodiscard]] bool have_none(std::int64_t now);
  /// One that had commands died without a farewell: somebody kills shepherds, and no grace may be given any more.
  [[nodiscard]] bool one_was_killed() const noexcept;

  /// Sent to each when everything of ours has ended and we leave by ourselves. A real-time signal: those are queued,
  /// while the standard ones of several siblings become one, see signal(7).
  static constexpr int farewell_signal = 40;
  void say_farewell() const;
  void on_farewell(pid_t from);

 private:
  struct Sibling {
    std::uint32_t number = 0;
    std::uint64_t mark = 0;  ///< Of its commands' environment, where they have no cgroup.
    pid_t pid = 0;           ///< 0: another PID namespace, whose end is the end of everything in it.
    os::UniqueFd pidfd;      ///< None: the place is free.
    os::MarkedHunt hunt{0};
    os::Cgroup group;
    std::int64_t stopped_since_ns = 0;
    std::int64_t ask_ns = 0;     ///< When it is worth asking again whether it has commands.
    bool marks = false;  ///< Its commands are known by its mark, whatever group there is.
    bool has_commands = true;
    bool dead = false, said_farewell = false;
    bool replaced = false;  ///< The host has seen it die, and lives.
  };
  [[nodiscard]] bool end_what_it_left(Sibling& sibling, std::int64_t now);
  static bool was_killed(const Sibling& sibling) noexcept {
    return sibling.dead && sibling.pid != 0 && sibling.has_commands && !sibling.said_farewell && !sibling.replaced;
  }
  [[nodiscard]] static bool has_any(const Sibling& sibling);
  static void kill_if_stopped(Sibling& sibling, std::int64_t now);
  std::array<Sibling, siblings_max> siblings_;
  bool one_was_killed_ = false;  ///< One that is ended and forgotten.
};

}  // namespace netrunner::shepherd
