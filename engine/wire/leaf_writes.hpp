#pragma once
/// What is to be written into a command's groups before it is in them: part of a Spawn's body. A sequence of entries,
/// each an EntryHeader, the file's name and the value, both ended by NUL, padded to 8.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/os/hierarchy.hpp"

namespace netrunner::wire {

struct LeafWrite {
  os::Hierarchy hierarchy{};
  std::string file, value;
};

[[nodiscard]] std::vector<std::byte> encode(std::span<const LeafWrite> writes);

/// Reads them one by one; points into the bytes, which must be aligned to 8 and outlive it.
class LeafWriteReader {
 public:
  explicit LeafWriteReader(std::span<const std::byte> bytes) noexcept : rest_(bytes) {}
  /// False: that was the last, or what follows is malformed.
  [[nodiscard]] bool next() noexcept;
  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }
  [[nodiscard]] os::Hierarchy hierarchy() const noexcept { return hierarchy_; }
  [[nodiscard]] const char* file() const noexcept { return file_; }  ///< A plain name: no '/'.
  [[nodiscard]] const char* value() const noexcept { return value_; }

 private:
  std::span<const std::byte> rest_;
  os::Hierarchy hierarchy_{};
  const char* file_ = "";
  const char* value_ = "";
};

/// All of it is well-formed, and no more entries than leaf_writes_max.
[[nodiscard]] bool leaf_writes_are_right(std::span<const std::byte> bytes) noexcept;

}  // namespace netrunner::wire
