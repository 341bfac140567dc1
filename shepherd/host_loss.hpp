#pragma once
/// The last act of a shepherd: whatever still lives below it is killed.

#include <cstdint>

namespace netrunner::shepherd {

/// Kills descendants, deepest knowledge first, until none is left. False: some outlived `until_ns`.
/// Only for the end: it reaps whoever dies, and it sleeps between rounds.
bool kill_all_descendants(std::int64_t until_ns);

}  // namespace netrunner::shepherd
