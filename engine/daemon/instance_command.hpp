#pragma once
/// The command of one instance.

#include <cstdint>
#include <string>
#include <vector>

#include <netrunner/command.hpp>
#include <netrunner/daemon.hpp>

namespace netrunner::daemon {

/// Before any run: streams to where they are to go, no straggler left, nothing of the host's own sd_notify(3).
[[nodiscard]] Command prepared(const Command& command, const DaemonOptions& options);
/// With its number in place: `{i}` where there are several, and $NETRUNNER_INSTANCE.
[[nodiscard]] Command numbered(const Command& command, std::uint32_t instance, std::uint32_t instances);
/// The same of the commands of a ladder.
[[nodiscard]] KillLadder numbered(const KillLadder& ladder, std::uint32_t instance, std::uint32_t instances);
/// The output streams of a prepared command that come to us.
[[nodiscard]] std::vector<Stream> streams_to_us(const Command& command);

}  // namespace netrunner::daemon
