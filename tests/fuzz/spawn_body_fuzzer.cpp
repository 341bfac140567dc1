#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "engine/wire/leaf_writes.hpp"
#include "engine/wire/spawn_view.hpp"

/// A SpawnFixed, then the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace netrunner::wire;
  SpawnFixed fixed;
  if (size < sizeof fixed) return 0;
  std::memcpy(&fixed, data, sizeof fixed);
  const std::size_t body_bytes = size - sizeof fixed;
  // Exactly as large as the body where its size is a multiple of 8, so that the sanitizer sees a read beyond it.
  std::vector<std::uint64_t> words((body_bytes + 7) / 8);
  if (body_bytes != 0) std::memcpy(words.data(), data + sizeof fixed, body_bytes);
  fixed.body_bytes = static_cast<std::uint32_t>(body_bytes);  // Else hardly an input would come further.
  SpawnView view;
  if (!view.open(fixed, std::as_bytes(std::span(words)).first(body_bytes))) return 0;
  std::vector<char*> pointers(view.pointer_count());
  view.fill(pointers.data());
  std::size_t sum = std::strlen(view.program());
  for (const char* text : pointers) sum += text == nullptr ? 0 : std::strlen(text);
  if (view.cwd() != nullptr) sum += std::strlen(view.cwd());
  for (std::size_t i = 0; i < view.actions().size(); ++i) {
    const Action& action = view.actions()[i];
    if (action.kind == ActionKind::open_file) sum += std::strlen(view.path(action));
    if (view.actions()[view.root_of(i)].kind == ActionKind::same_as) __builtin_trap();
  }
  for (const WireRung& rung : view.rungs()) sum += static_cast<std::size_t>(rung.pause_ns);
  for (const WireLimit& limit : view.limits()) sum += limit.soft;
  for (const std::uint32_t group : view.groups()) sum += group;
  for (const std::uint32_t cpu : view.cpus()) sum += cpu;
  (void)view.environment_value("PATH=");
  LeafWriteReader writes(view.leaf_writes());
  while (writes.next()) sum += std::strlen(writes.file()) + std::strlen(writes.value());
  if (!writes.at_end()) __builtin_trap();
  return sum == SIZE_MAX ? 1 : 0;
}
