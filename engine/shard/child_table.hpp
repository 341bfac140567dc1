#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/shard/child.hpp"

namespace netrunner::shard {

/// The commands of a shard by slot; a slot is used again with another generation, so a late word about an old
/// command finds nobody.
class ChildTable {
 public:
  explicit ChildTable(std::uint32_t children_max) noexcept : children_max_(children_max) {}

  /// `number`: Process::id(). Null: the table is full.
  [[nodiscard]] detail::Child* add(Rooms& rooms, std::uint64_t number, std::unique_ptr<detail::SpawnPlan> plan);
  [[nodiscard]] detail::Child* find(wire::ChildId id) noexcept;
  void remove(detail::Child& child);
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool is_full() const noexcept { return size_ >= children_max_; }
  [[nodiscard]] std::uint32_t children_max() const noexcept { return children_max_; }
  /// Visits a snapshot: commands may come and go meanwhile.
  template <class Visit>
  void for_each(Visit visit) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].child != nullptr) visit(*slots_[i].child);
    }
  }

 private:
  struct Slot {
    std::unique_ptr<detail::Child> child;
    std::uint32_t generation = 0;
  };
  std::uint32_t children_max_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t size_ = 0;
};

}  // namespace netrunner::shard
