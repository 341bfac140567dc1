#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "engine/wire/spawn_view.hpp"
#include "engine/wire/stop_commands.hpp"

/// The bytes of the memfd, as a shepherd finds them when a rung is due.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace netrunner::wire;
  std::vector<std::uint64_t> words((size + 7) / 8);
  if (size != 0) std::memcpy(words.data(), data, size);
  std::size_t sum = 0;
  for (std::uint32_t number = 0; number <= stop_commands_max; ++number) {
    StopCommand found;
    if (!find_stop_command(std::as_bytes(std::span(words)).first(size), number, found)) continue;
    if (number == stop_commands_max) __builtin_trap();
    SpawnView view;
    if (!view.open(found.fixed, found.body)) continue;
    std::vector<char*> pointers(view.pointer_count());
    view.fill(pointers.data());
    for (const char* text : pointers) sum += text == nullptr ? 0 : std::strlen(text);
    sum += view.descriptors_needed();
  }
  return sum == SIZE_MAX ? 1 : 0;
}
