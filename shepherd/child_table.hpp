#pragma once
/// All commands, by the slot that the host chose; and which processes are leaders of running ones.

#include <algorithm>
#include <cstdint>
#include <new>

#include "shepherd/child.hpp"
#include "shepherd/limits.hpp"
#include "shepherd/region.hpp"

namespace netrunner::shepherd {

class ChildTable {
 public:
  [[nodiscard]] bool open() noexcept { return children_.open(commands_max) && leaders_.open(pids_max / 64); }

  /// nullptr: no such slot. Its state is free where the generation is another's.
  [[nodiscard]] Child* find(wire::ChildId id) noexcept {
    if (id.slot >= touched_ || children_[id.slot].state == State::free) return nullptr;
    return children_[id.slot].id == id ? &children_[id.slot] : nullptr;
  }
  [[nodiscard]] static bool is_slot(wire::ChildId id) noexcept { return id.slot < commands_max; }
  [[nodiscard]] bool in_use(std::uint32_t slot) noexcept {
    return slot < touched_ && children_[slot].state != State::free;
  }
  [[nodiscard]] Child& at(std::uint32_t slot) noexcept { return children_[slot]; }

  /// A new life in a slot that is not in use.
  Child& create(void* shepherd, ring::Operation::Complete exit_seen, wire::ChildId id) noexcept {
    NR_ASSERT(is_slot(id) && !in_use(id.slot));
    // A slot that was never used is zeroed memory, which reads as free; its page is not touched before.
    if (children_[id.slot].made) children_[id.slot].~Child();
    Child& child = *new (&children_[id.slot]) Child(&children_[id.slot], exit_seen, id);
    child.shepherd = shepherd;
    touched_ = std::max(touched_, id.slot + 1);
    ++live_;
    return child;
  }
  void forget() noexcept { --live_; }  ///< A child's state became free.
  [[nodiscard]] std::uint32_t live() const noexcept { return live_; }
  [[nodiscard]] std::uint32_t touched() const noexcept { return touched_; }

  void mark_leader(pid_t pid, bool is_leader) noexcept {
    const auto number = static_cast<std::uint32_t>(pid);
    const std::uint64_t bit = std::uint64_t{1} << (number % 64);
    std::uint64_t& word = leaders_[number / 64];
    word = is_leader ? word | bit : word & ~bit;
  }
  [[nodiscard]] bool is_leader(pid_t pid) const noexcept {
    const auto number = static_cast<std::uint32_t>(pid);
    return (leaders_[number / 64] >> (number % 64) & 1U) != 0;
  }
  /// The command whose leader has, or had, this number: before one that is without its leader, one that has it. Linear.
  [[nodiscard]] Child* of_number(pid_t number) noexcept {
    Child* found = nullptr;
    for (std::uint32_t slot = 0; number > 1 && slot < touched_; ++slot) {
      Child& child = children_[slot];
      if (child.state == State::free || child.pid != number) continue;
      if (child.leader_unreaped) return &child;
      found = &child;
    }
    return found;
  }
  /// The command that this unreaped process leads. Linear: for the rare cases only.
  [[nodiscard]] Child* led_by(pid_t pid) noexcept {
    Child* child = of_number(pid);
    return child != nullptr && child->leader_unreaped ? child : nullptr;
  }

 private:
  static constexpr std::size_t pids_max = std::size_t{1} << 22;  // PID_MAX_LIMIT, see proc(5).
  Region<Child> children_;
  Region<std::uint64_t> leaders_;  ///< A bit per pid: pids in use lie close together, so few pages are touched.
  std::uint32_t touched_ = 0;
  std::uint32_t live_ = 0;
};

}  // namespace netrunner::shepherd
