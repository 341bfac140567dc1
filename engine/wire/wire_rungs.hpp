#pragma once
/// A ladder as the treaty says it.

#include <cstdint>
#include <vector>

#include <netrunner/kill_ladder.hpp>

#include "engine/wire/message.hpp"

namespace netrunner::wire {

/// Its commands are numbered from `first_command` on.
[[nodiscard]] inline std::vector<WireRung> wire_rungs(const KillLadder& ladder, std::uint32_t first_command) {
  std::vector<WireRung> rungs;
  rungs.reserve(ladder.rungs().size());
  for (const Rung& rung : ladder.rungs()) {
    if (rung.command.empty()) {
      rungs.push_back({rung.signal, static_cast<std::uint32_t>(rung.target), rung.pause.count()});
    } else {
      rungs.push_back({static_cast<std::int32_t>(first_command++), static_cast<std::uint32_t>(WireTarget::command),
                       rung.pause.count()});
    }
  }
  return rungs;
}

}  // namespace netrunner::wire
