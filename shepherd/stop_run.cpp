#include "shepherd/stop_run.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

namespace netrunner::shepherd {

// Unsealed, it could shrink under the mapping, and the shepherd would die of SIGBUS.
int SealedMap::open(int memfd, std::size_t bytes_max) noexcept {
  struct stat status{};
  const int seals = ::fcntl(memfd, F_GET_SEALS);
  constexpr int wanted = F_SEAL_SHRINK | F_SEAL_WRITE;
  if (seals < 0 || (seals & wanted) != wanted || ::fstat(memfd, &status) != 0) return EPROTO;
  const auto bytes = static_cast<std::size_t>(status.st_size);
  if (bytes == 0 || bytes > bytes_max) return EPROTO;
  void* map = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, memfd, 0);
  if (map == MAP_FAILED) return errno;
  SealedMap opened;
  opened.bytes_ = {static_cast<const std::byte*>(map), bytes};
  *this = std::move(opened);
  return 0;
}

}  // namespace netrunner::shepherd
