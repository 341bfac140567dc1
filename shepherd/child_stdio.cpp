#include <dirent.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <cerrno>

#include "shepherd/child_steps.hpp"

namespace netrunner::shepherd {
namespace {

using wire::Action;
using wire::ActionKind;

// Above every number that the command asks for: putting one in place can't overwrite a source that is still needed.
int above_all(ChildJob& job, raw::Word fd, int floor, const char* path, std::size_t index) {
  must(job, fd, path, index);
  if (fd >= floor) return static_cast<int>(fd);
  return static_cast<int>(must(job, raw::call(SYS_fcntl, fd, F_DUPFD_CLOEXEC, floor), path, index));
}

void open_sources(ChildJob& job) {
  static const char null_device[] = "/dev/null";
  const int floor = floor_of(job);
  std::size_t attached = 0;
  for (std::size_t i = 0; i < job.actions.size(); ++i) {
    const Action& action = job.actions[i];
    if (action.kind == ActionKind::attached) {
      enter(job, Stage::stdio);
      job.sources[i] = above_all(job, job.attached[attached++], floor, nullptr, i);
    } else if (action.kind == ActionKind::open_file) {
      enter(job, Stage::open_file);
      const char* path = job.strings + action.other;
      const std::uint32_t flags = action.open_flags | O_NOCTTY | O_CLOEXEC;
      job.sources[i] =
          above_all(job, raw::call(SYS_openat, AT_FDCWD, path, flags, action.permissions), floor, path, i);
    } else if (action.kind == ActionKind::null) {
      enter(job, Stage::open_file);
      job.sources[i] = above_all(job, raw::call(SYS_openat, AT_FDCWD, null_device, O_RDWR | O_NOCTTY | O_CLOEXEC),
                                 floor, null_device, i);
    }
  }
}

// A chain of same_as ends at a source: SpawnView has looked for circles.
int source_of(const ChildJob& job, std::size_t index) {
  while (job.actions[index].kind == ActionKind::same_as) {
    std::size_t other = 0;
    while (job.actions[other].number != job.actions[index].other) ++other;
    index = other;
  }
  return job.sources[index];
}

bool asked_for(const ChildJob& job, int number) {
  for (const Action& action : job.actions) {
    if (action.number == number && action.kind != ActionKind::closed) return true;
  }
  return false;
}

struct KernelDirent {
  std::uint64_t ino;
  std::int64_t next;
  unsigned short bytes;
  unsigned char type;
  char name[1];
};

// close_range(2) is refused: go through the open ones, never through all numbers to the limit.
void mark_one_by_one(ChildJob& job) {
  static const char directory[] = "/proc/self/fd";
  const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  const auto fd = static_cast<int>(must(job, raw::call(SYS_openat, AT_FDCWD, directory, flags), directory));
  alignas(KernelDirent) char entries[1024];
  for (;;) {
    const raw::Word bytes = must(job, raw::call(SYS_getdents64, fd, entries, sizeof entries), directory);
    if (bytes == 0) break;
    for (raw::Word at = 0; at < bytes;) {
      const auto* entry = reinterpret_cast<const KernelDirent*>(entries + at);
      at += entry->bytes;
      int number = 0;
      if (entry->name[0] == '.') continue;
      for (const char* digit = entry->name; *digit != 0; ++digit) number = number * 10 + (*digit - '0');
      if (number > 2 && !asked_for(job, number)) (void)raw::call(SYS_fcntl, number, F_SETFD, FD_CLOEXEC);
    }
  }
  (void)raw::call(SYS_close, fd);
}

// Everything that wasn't asked for is close-on-exec already; this is the net below it.
void mark_the_rest(ChildJob& job) {
  unsigned int from = 3;
  const auto top = static_cast<unsigned int>(floor_of(job));
  while (from <= top) {
    unsigned int to = from;
    while (to < top && !asked_for(job, static_cast<int>(to))) ++to;
    const unsigned int last = to >= top ? ~0U : to - 1;
    if (last >= from) {
      const raw::Word result = raw::call(SYS_close_range, from, last, CLOSE_RANGE_CLOEXEC);
      if (result == -ENOSYS || result == -EPERM || result == -EINVAL) return mark_one_by_one(job);
      must(job, result);
    }
    if (last == ~0U) return;
    from = to + 1;
  }
}

}  // namespace

void place_descriptors(ChildJob& job) {
  open_sources(job);
  enter(job, Stage::stdio);
  for (std::size_t i = 0; i < job.actions.size(); ++i) {
    const Action& action = job.actions[i];
    if (action.kind == ActionKind::closed) {
      (void)raw::call(SYS_close, action.number);
    } else {
      must(job, raw::call(SYS_dup3, source_of(job, i), action.number, 0), nullptr, i);
    }
  }
  mark_the_rest(job);
}

}  // namespace netrunner::shepherd
