#pragma once

#include <sys/mman.h>

#include <cstddef>

#include <netrunner/error.hpp>

namespace netrunner::shepherd {

/// Zeroed memory for `count` of T, reserved at once and used page by page. Never unmapped: it lives as long as the
/// program. `shared`: seen by a forked child too.
template <class T>
class Region {
 public:
  enum class Sharing { private_memory, shared_memory };

  [[nodiscard]] bool open(std::size_t count, Sharing sharing = Sharing::private_memory) noexcept {
    const int kind = sharing == Sharing::shared_memory ? MAP_SHARED : MAP_PRIVATE;
    void* memory =
        ::mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return false;
    (void)::madvise(memory, count * sizeof(T), MADV_NOHUGEPAGE);  // Else the first byte may cost two megabytes.
    items_ = static_cast<T*>(memory);
    count_ = count;
    return true;
  }
  [[nodiscard]] bool is_open() const noexcept { return items_ != nullptr; }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] T* data() noexcept { return items_; }
  [[nodiscard]] T& operator[](std::size_t index) noexcept {
    NR_ASSERT(index < count_);
    return items_[index];
  }
  [[nodiscard]] const T& operator[](std::size_t index) const noexcept {
    NR_ASSERT(index < count_);
    return items_[index];
  }

 private:
  T* items_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace netrunner::shepherd
