#pragma once
/// The other shepherds of the same host. Whoever is left when the host and others are dead kills what those have left.

#include <array>
#include <cstdint>

#include "engine/os/cgroup.hpp"
#include "engine/os/unique_fd.hpp"
#include "engine/wire/message.hpp"

namespace netrunner::shepherd {

class Siblings {
 public:
  static constexpr std::size_t siblings_max = 65;  ///< An engine has 64 shards at most, or one and a spare.

  /// A number that is known already is replaced.
  void meet(const wire::SiblingFixed& sibling, os::UniqueFd pidfd, os::UniqueFd group);
  /// After the host's end: ends what dead siblings left, and a sibling that is stopped for long. True: none has
  /// anything left to end.
  [[nodiscard]] bool end_what_they_left(std::int64_t now);
  /// One died and left something: somebody kills shepherds, and no grace may be given any more.
  [[nodiscard]] bool one_was_killed() const noexcept { return one_was_killed_; }

 private:
  struct Sibling {
    std::uint32_t number = 0;
    std::uint64_t mark = 0;  ///< Of its commands' environment, where they have no cgroup.
    os::UniqueFd pidfd;      ///< None: the place is free.
    os::Cgroup group;
    std::int64_t stopped_since_ns = 0;
  };
  [[nodiscard]] bool end(Sibling& sibling, std::int64_t now);
  std::array<Sibling, siblings_max> siblings_;
  bool one_was_killed_ = false;
};

}  // namespace netrunner::shepherd
