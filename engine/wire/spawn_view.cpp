#include "engine/wire/spawn_view.hpp"

#include <cstring>

#include <netrunner/error.hpp>

#include "engine/wire/codec.hpp"
#include "engine/wire/leaf_writes.hpp"

namespace netrunner::wire {
namespace {

/// Takes `count` structs from the front of `rest`, with their padding. False: they aren't all there.
template <Wire T>
bool take(std::span<const std::byte>& rest, std::uint32_t count, std::span<const T>& list) {
  const std::size_t bytes = std::size_t{count} * sizeof(T);
  if (padded(bytes) > rest.size()) return false;
  list = {reinterpret_cast<const T*>(rest.data()), count};
  rest = rest.subspan(padded(bytes));
  return true;
}

const Action* action_of(std::span<const Action> actions, std::uint32_t number) {
  for (const Action& action : actions) {
    if (action.number == number) return &action;
  }
  return nullptr;
}

}  // namespace

bool SpawnView::open(const SpawnFixed& fixed, std::span<const std::byte> body) noexcept {
  if (reinterpret_cast<std::uintptr_t>(body.data()) % 8 != 0) return false;
  if (fixed.body_bytes != body.size() || !counts_are_right(fixed)) return false;
  std::span<const std::byte> rest = body;
  if (!take(rest, fixed.action_count, actions_) || !take(rest, fixed.rung_count, rungs_) ||
      !take(rest, fixed.limit_count, limits_) || !take(rest, fixed.group_count, groups_) ||
      !take(rest, fixed.cpu_count, cpus_) || !take(rest, fixed.leaf_writes_bytes, leaf_writes_)) {
    return false;
  }
  if (!leaf_writes_are_right(leaf_writes_)) return false;
  if (rest.size() != fixed.strings_bytes) return false;
  strings_ = reinterpret_cast<const char*>(rest.data());
  return strings_are_right(fixed) && actions_are_right() && terminal_is_right(fixed);
}

bool SpawnView::counts_are_right(const SpawnFixed& fixed) noexcept {
  flags_ = fixed.flags;
  arguments_ = fixed.argument_count;
  environment_ = fixed.environment_count;
  return fixed.body_bytes <= memfd_body_bytes_max && fixed.action_count <= actions_max &&
         fixed.rung_count <= rungs_max && fixed.limit_count <= resource_limits_max &&
         fixed.group_count <= groups_max && fixed.cpu_count <= cpus_max && fixed.argument_count >= 1 &&
         fixed.leaf_writes_bytes <= leaf_writes_bytes_max && (fixed.hierarchies & ~os::every_hierarchy) == 0 &&
         fixed.cpu_time_ns >= 0 &&
         fixed.argument_count <= memfd_body_bytes_max && fixed.environment_count <= memfd_body_bytes_max &&
         (fixed.flags & (own_session | join_group)) != (own_session | join_group);
}

// Exactly: program, argv, environment, the paths of the actions in their order, cwd; each with its NUL, nothing more.
bool SpawnView::strings_are_right(const SpawnFixed& fixed) noexcept {
  const char* at = strings_;
  std::size_t left = fixed.strings_bytes;
  const auto skip = [&] {
    const void* end = left == 0 ? nullptr : std::memchr(at, 0, left);
    if (end == nullptr) return false;
    const std::size_t bytes = static_cast<std::size_t>(static_cast<const char*>(end) - at) + 1;
    at += bytes;
    left -= bytes;
    return true;
  };
  const std::size_t fixed_strings = 1 + arguments_ + environment_;
  for (std::size_t i = 0; i < fixed_strings; ++i) {
    if (!skip()) return false;
  }
  for (const Action& action : actions_) {
    if (action.kind != ActionKind::open_file) continue;
    if (action.other != static_cast<std::size_t>(at - strings_) || !skip()) return false;
  }
  cwd_ = nullptr;
  if ((flags_ & has_cwd) != 0) {
    if (fixed.cwd_offset != static_cast<std::size_t>(at - strings_) || !skip()) return false;
    cwd_ = strings_ + fixed.cwd_offset;
  }
  return left == 0;
}

bool SpawnView::actions_are_right() const noexcept {
  std::uint64_t seen[(action_number_max + 1) / 64] = {};
  for (const Action& action : actions_) {
    if (action.number > action_number_max || action.kind > ActionKind::closed) return false;
    std::uint64_t& word = seen[action.number / 64];
    const std::uint64_t bit = std::uint64_t{1} << (action.number % 64);
    if ((word & bit) != 0) return false;
    word |= bit;
  }
  if ((seen[0] & 7U) != 7U) return false;  // Each of 0, 1, 2 is said, were it to be closed.
  for (const Action& action : actions_) {
    const Action* at = &action;
    for (std::size_t steps = 0; at->kind == ActionKind::same_as; ++steps) {
      at = action_of(actions_, at->other);
      if (at == nullptr || at->kind == ActionKind::closed || steps > actions_.size()) return false;  // Or a circle.
    }
  }
  return true;
}

// It leads, perhaps by a chain of copies, to a descriptor that came with the message.
bool SpawnView::terminal_is_right(const SpawnFixed& fixed) const noexcept {
  if ((fixed.flags & controlling_terminal) == 0) return true;
  const Action* action = action_of(actions_, fixed.terminal);
  if ((fixed.flags & own_session) == 0 || action == nullptr) return false;
  return actions_[root_of(static_cast<std::size_t>(action - actions_.data()))].kind == ActionKind::attached;
}

std::size_t SpawnView::root_of(std::size_t action) const noexcept {
  const Action* at = &actions_[action];
  while (at->kind == ActionKind::same_as) at = action_of(actions_, at->other);
  return static_cast<std::size_t>(at - actions_.data());
}

std::size_t SpawnView::descriptors_needed() const noexcept {
  std::size_t count = ((flags_ & cwd_attached) != 0 ? 1 : 0) + ((flags_ & has_stop_commands) != 0 ? 1 : 0);
  for (const Action& action : actions_) count += action.kind == ActionKind::attached ? 1 : 0;
  return count;
}

const char* SpawnView::after_arguments() const noexcept {
  const char* at = strings_;
  for (std::size_t i = 0; i < 1 + arguments_; ++i) at += std::strlen(at) + 1;
  return at;
}

void SpawnView::fill(char** pointers) const noexcept {
  const char* at = strings_ + std::strlen(strings_) + 1;
  const auto add = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      *pointers++ = const_cast<char*>(at);  // execve(2) takes char*, and writes to none.
      at += std::strlen(at) + 1;
    }
    *pointers++ = nullptr;
  };
  add(arguments_);
  add(environment_);
}

const char* SpawnView::environment_value(const char* name_and_equals) const noexcept {
  const std::size_t length = std::strlen(name_and_equals);
  const char* at = after_arguments();
  for (std::size_t i = 0; i < environment_; ++i) {
    if (std::strncmp(at, name_and_equals, length) == 0) return at + length;
    at += std::strlen(at) + 1;
  }
  return nullptr;
}

bool rungs_of(const StopFixed& fixed, std::span<const std::byte> body, std::span<const WireRung>& rungs) noexcept {
  if (fixed.rung_count > rungs_max || body.size() != fixed.rung_count * sizeof(WireRung)) return false;
  NR_ASSERT(reinterpret_cast<std::uintptr_t>(body.data()) % alignof(WireRung) == 0);
  rungs = {reinterpret_cast<const WireRung*>(body.data()), fixed.rung_count};
  return true;
}

}  // namespace netrunner::wire
