#pragma once
/// Signals: whom a target means, and how it is reached without ever hitting a stranger.

#include <cstdint>

#include "engine/wire/message.hpp"
#include "shepherd/child.hpp"

namespace netrunner::shepherd {

/// The processes that a target stands for. A stronger containment adds its own here.
struct Reach {
  bool leader = false;
  bool group = false;
};
[[nodiscard]] Reach reach(const Child& child, std::uint32_t target) noexcept;

/// 0, or the errno: ESRCH where nothing is left to signal.
[[nodiscard]] int send_signal(const Child& child, std::uint32_t target, int signal) noexcept;

/// Sends to the group (0: asks whether a process is in it). It goes out only while the number can't belong to another
/// group: the leader is unreaped, or its pidfd is held, or a child of ours is in the group.
[[nodiscard]] int signal_group(const Child& child, int signal) noexcept;

/// The same of a group whose leader, which `pidfd` is, has been reaped.
[[nodiscard]] int signal_stray_group(pid_t group, int pidfd, int signal) noexcept;

/// Before the reap: what pins the group's number after it. Empty where the kernel can't (before Linux 6.9).
[[nodiscard]] os::UniqueFd pin_group(pid_t leader) noexcept;
[[nodiscard]] bool groups_by_pidfd() noexcept;

}  // namespace netrunner::shepherd
