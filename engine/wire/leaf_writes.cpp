#include "engine/wire/leaf_writes.hpp"

#include <cstring>

#include "engine/wire/codec.hpp"
#include "engine/wire/limits.hpp"

namespace netrunner::wire {
namespace {

struct EntryHeader {
  std::uint32_t hierarchy = 0;
  std::uint16_t file_bytes = 0, value_bytes = 0;  ///< With their NULs.
};

void append(std::vector<std::byte>& bytes, const void* from, std::size_t count) {
  const auto* first = static_cast<const std::byte*>(from);
  bytes.insert(bytes.end(), first, first + count);
}

/// Exactly one NUL, at its end.
bool is_text(const char* text, std::size_t bytes) noexcept {
  return bytes > 0 && std::memchr(text, 0, bytes) == text + bytes - 1;
}

}  // namespace

std::vector<std::byte> encode(std::span<const LeafWrite> writes) {
  std::vector<std::byte> bytes;
  for (const LeafWrite& write : writes) {
    const EntryHeader header{static_cast<std::uint32_t>(write.hierarchy),
                             static_cast<std::uint16_t>(write.file.size() + 1),
                             static_cast<std::uint16_t>(write.value.size() + 1)};
    append(bytes, &header, sizeof header);
    append(bytes, write.file.c_str(), header.file_bytes);
    append(bytes, write.value.c_str(), header.value_bytes);
    bytes.resize(padded(bytes.size()));
  }
  return bytes;
}

bool LeafWriteReader::next() noexcept {
  EntryHeader header;
  if (rest_.size() < sizeof header) return false;
  std::memcpy(&header, rest_.data(), sizeof header);
  const std::size_t bytes = padded(sizeof header + header.file_bytes + header.value_bytes);
  if (bytes > rest_.size() || header.hierarchy >= os::hierarchies) return false;
  const char* const text = reinterpret_cast<const char*>(rest_.data()) + sizeof header;
  if (!is_text(text, header.file_bytes) || !is_text(text + header.file_bytes, header.value_bytes)) return false;
  if (text[0] == '\0' || text[0] == '.' || std::strchr(text, '/') != nullptr) return false;
  hierarchy_ = static_cast<os::Hierarchy>(header.hierarchy);
  file_ = text;
  value_ = text + header.file_bytes;
  rest_ = rest_.subspan(bytes);
  return true;
}

bool leaf_writes_are_right(std::span<const std::byte> bytes) noexcept {
  LeafWriteReader reader(bytes);
  std::size_t count = 0;
  while (reader.next()) ++count;
  return reader.at_end() && count <= leaf_writes_max;
}

}  // namespace netrunner::wire
