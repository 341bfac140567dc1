#pragma once
/// The shepherd's reading of a Spawn: checks everything, copies nothing, points into the body.

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/wire/message.hpp"

namespace netrunner::wire {

class SpawnView {
 public:
  /// False: malformed in some way; nothing of it may be used then. Body: aligned to 8; both must outlive the view.
  [[nodiscard]] bool open(const SpawnFixed& fixed, std::span<const std::byte> body) noexcept;

  [[nodiscard]] std::span<const Action> actions() const noexcept { return actions_; }
  [[nodiscard]] std::span<const WireRung> rungs() const noexcept { return rungs_; }
  [[nodiscard]] std::span<const WireLimit> limits() const noexcept { return limits_; }
  [[nodiscard]] std::span<const std::uint32_t> groups() const noexcept { return groups_; }
  [[nodiscard]] std::span<const std::uint32_t> cpus() const noexcept { return cpus_; }
  /// For LeafWriteReader.
  [[nodiscard]] std::span<const std::byte> leaf_writes() const noexcept { return leaf_writes_; }
  [[nodiscard]] const char* program() const noexcept { return strings_; }
  [[nodiscard]] const char* cwd() const noexcept { return cwd_; }  ///< nullptr: none.
  /// The path of an open_file action.
  [[nodiscard]] const char* path(const Action& action) const noexcept { return strings_ + action.other; }
  /// Index of the action that a (chain of) same_as comes to; the action itself where it is none.
  [[nodiscard]] std::size_t root_of(std::size_t action) const noexcept;
  /// How many descriptors the message brings beside the body's memfd.
  [[nodiscard]] std::size_t descriptors_needed() const noexcept;

  /// Pointers that fill() writes: argv, a null pointer, environment, a null pointer.
  [[nodiscard]] std::size_t pointer_count() const noexcept { return arguments_ + environment_ + 2; }
  void fill(char** pointers) const noexcept;
  /// The value of the first "NAME=" in the command's environment, or nullptr. `name` comes with its '='.
  [[nodiscard]] const char* environment_value(const char* name_and_equals) const noexcept;

 private:
  [[nodiscard]] bool counts_are_right(const SpawnFixed& fixed) noexcept;
  [[nodiscard]] bool strings_are_right(const SpawnFixed& fixed) noexcept;
  [[nodiscard]] bool actions_are_right() const noexcept;
  [[nodiscard]] bool terminal_is_right(const SpawnFixed& fixed) const noexcept;
  [[nodiscard]] const char* after_arguments() const noexcept;

  std::span<const Action> actions_;
  std::span<const WireRung> rungs_;
  std::span<const WireLimit> limits_;
  std::span<const std::uint32_t> groups_, cpus_;
  std::span<const std::byte> leaf_writes_;
  const char* strings_ = nullptr;
  const char* cwd_ = nullptr;
  std::uint32_t flags_ = 0;
  std::size_t arguments_ = 0, environment_ = 0;
};

/// The rungs of a Stop. False: their number and the body's size don't fit.
[[nodiscard]] bool rungs_of(const StopFixed& fixed, std::span<const std::byte> body,
                            std::span<const WireRung>& rungs) noexcept;

}  // namespace netrunner::wire
