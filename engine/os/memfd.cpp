#include "engine/os/memfd.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/os/descriptor.hpp"

namespace netrunner::os {
namespace {

// Linux 6.3; older kernels refuse the flag with EINVAL and then need none.
constexpr unsigned int mfd_exec = 0x0010U;

int create(const char* name, MemfdUse use) {
  const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  if (use == MemfdUse::data) return ::memfd_create(name, flags);
  const int fd = ::memfd_create(name, flags | mfd_exec);
  return fd < 0 && errno == EINVAL ? ::memfd_create(name, flags) : fd;
}

}  // namespace

Result<UniqueFd> sealed_memfd(const char* name, std::span<const std::byte> bytes, MemfdUse use) {
  UniqueFd fd(create(name, use));
  if (!fd) return std::unexpected(system_error("memfd_create", Stage::treaty));
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd.get(), bytes.data(), bytes.size());
    if (written < 0) return std::unexpected(system_error("write to memfd", Stage::treaty));
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  const int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  if (::fcntl(fd.get(), F_ADD_SEALS, seals) != 0) return std::unexpected(system_error("F_ADD_SEALS", Stage::treaty));
  return moved_above_stdio(std::move(fd));
}

}  // namespace netrunner::os
