#pragma once
/// The commands of a command's ladder, and the one of them that runs. Only commands whose ladder has any have one.

#include <sys/mman.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <utility>

#include "engine/os/unique_fd.hpp"
#include "engine/wire/message.hpp"
#include "shepherd/clock.hpp"
#include "shepherd/limits.hpp"
#include "shepherd/region.hpp"

namespace netrunner::shepherd {

/// A sealed memfd's bytes. The descriptor isn't kept: a table of many is copied at each clone.
class SealedMap {
 public:
  SealedMap() noexcept = default;
  SealedMap(SealedMap&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  SealedMap& operator=(SealedMap&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~SealedMap() {
    if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
  }
  /// 0 or the errno: EPROTO where it isn't sealed, or too large.
  [[nodiscard]] int open(int memfd, std::size_t bytes_max) noexcept;
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

/// Owner: the table. While a process of it is between clone and exec, its map must stay: it reads from it.
struct StopRun {
  static constexpr std::uint32_t none = UINT32_MAX;

  SealedMap own, given;         ///< Those that came with the Spawn, and with the last Stop that brought some.
  std::uint32_t number = none;  ///< Of the command that runs, or is to be started.
  std::uint32_t place = none;   ///< While it starts.
  bool told = false;            ///< Of the one at that place: it was killed on its way.
  pid_t pid = 0;                ///< 0: none runs.
  os::UniqueFd pidfd;
  std::int64_t try_ns = never;  ///< When the start is tried again...
  int try_errno = 0;            ///< ...and why.
  std::int64_t look_ns = never; ///< The leader has died: when its end is looked at again...
  std::int64_t bound_ns = never;///< ...and until when for the sake of this process.
};

/// By the slots of the commands. Memory is taken when the first one comes.
class StopRuns {
 public:
  /// nullptr: no memory.
  [[nodiscard]] StopRun* make(std::uint32_t slot) noexcept {
    if (!runs_.is_open() && !runs_.open(commands_max)) return nullptr;
    return new (&runs_[slot]) StopRun;
  }
  [[nodiscard]] StopRun& at(std::uint32_t slot) noexcept { return runs_[slot]; }
  void drop(std::uint32_t slot) noexcept { runs_[slot].~StopRun(); }

 private:
  Region<StopRun> runs_;
};

}  // namespace netrunner::shepherd
