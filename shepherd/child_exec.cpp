#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "shepherd/child_steps.hpp"

namespace netrunner::shepherd {
namespace {

constexpr char default_search_path[] = "/usr/local/bin:/usr/bin:/bin";
char shell[] = "/bin/sh";

// Another thread of the host, or any process, has the file open for writing just now. See execve(2).
raw::Word exec_once_not_busy(ChildJob& job, const char* path) {
  char** arguments = job.pointers + 1;
  char** environment = arguments + job.argument_count + 1;
  std::int64_t waited = 0;
  for (std::int64_t pause = 1'000'000;; pause *= 2) {
    const raw::Word result = raw::call(SYS_execve, path, arguments, environment);
    if (result != -ETXTBSY || waited >= job.text_busy_max_ns) return result;
    if (pause > job.text_busy_max_ns - waited) pause = job.text_busy_max_ns - waited;
    const timespec time{0, pause};
    const timespec whole{1, 0};
    (void)raw::call(SYS_nanosleep, pause >= 1'000'000'000 ? &whole : &time, nullptr);
    waited += pause;
  }
}

// For the host's diagnosis: a missing interpreter, another architecture, a line end of another system.
void read_head(ChildJob& job, const char* path) {
  struct stat status;
  if (raw::call(SYS_newfstatat, AT_FDCWD, path, &status, 0) < 0 || !S_ISREG(status.st_mode)) return;
  const raw::Word fd = raw::call(SYS_openat, AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return;
  const raw::Word bytes = raw::call(SYS_read, fd, job.head, wire::failure_head_bytes_max);
  if (bytes > 0) job.report.head_bytes = static_cast<std::uint32_t>(bytes);
  (void)raw::call(SYS_close, fd);
}

bool is_elf(const ChildJob& job) {
  return job.report.head_bytes >= 4 && job.head[0] == 0x7f && job.head[1] == 'E' && job.head[2] == 'L' &&
         job.head[3] == 'F';
}

// As execvp(3) does: the shell gets the path and argv[1...]. The free place before argv makes room.
raw::Word exec_by_shell(ChildJob& job, const char* path) {
  read_head(job, path);
  if (is_elf(job)) return -ENOEXEC;
  job.pointers[0] = shell;
  job.pointers[1] = const_cast<char*>(path);
  char** environment = job.pointers + 1 + job.argument_count + 1;
  return raw::call(SYS_execve, shell, job.pointers, environment);
}

raw::Word exec_file(ChildJob& job, const char* path) {
  const raw::Word result = exec_once_not_busy(job, path);
  if (result != -ENOEXEC || (job.fixed->flags & wire::shell_fallback) == 0) return result;
  return exec_by_shell(job, path);
}

struct Element {
  const char* text;
  std::size_t bytes;
};

// "directory/program" in the path buffer. False: too long for the kernel too.
bool join(ChildJob& job, Element directory) {
  const std::size_t program_bytes = raw::length(job.program);
  if (directory.bytes + 1 + program_bytes + 1 > wire::failure_path_bytes_max) return false;
  volatile char* out = job.path_buffer;  // Volatile: no memcpy is made of the loops.
  std::size_t at = 0;
  for (std::size_t i = 0; i < directory.bytes; ++i) out[at++] = directory.text[i];
  if (directory.bytes != 0) out[at++] = '/';
  for (std::size_t i = 0; i <= program_bytes; ++i) out[at++] = job.program[i];
  return true;
}

bool goes_on(raw::Word result) {
  return result == -ENOENT || result == -ENOTDIR || result == -EACCES || result == -ESTALE || result == -ENODEV ||
         result == -ETIMEDOUT || result == -ENAMETOOLONG;
}

[[noreturn]] void report(ChildJob& job, raw::Word result, const char* path) {
  if (result != -E2BIG && job.report.head_bytes == 0) read_head(job, path);
  fail(job, result, path);
}

// The rules of execvp(3): EACCES is remembered, the search goes on. A file that exists and gives ENOENT (its
// interpreter is missing) is remembered too, so that the error can name it.
[[noreturn]] void search(ChildJob& job) {
  const char* rest = job.search_path == nullptr ? default_search_path : job.search_path;
  Element denied{nullptr, 0}, broken{nullptr, 0};
  for (;;) {
    Element directory{rest, 0};
    while (rest[directory.bytes] != 0 && rest[directory.bytes] != ':') ++directory.bytes;
    if (join(job, directory)) {
      const raw::Word result = exec_file(job, job.path_buffer);
      if (!goes_on(result)) report(job, result, job.path_buffer);
      if (result == -EACCES && denied.text == nullptr) denied = directory;
      const bool is_there = result == -ENOENT && raw::call(SYS_faccessat, AT_FDCWD, job.path_buffer, F_OK) == 0;
      if (is_there && broken.text == nullptr) broken = directory;
    }
    if (rest[directory.bytes] == 0) break;
    rest += directory.bytes + 1;
  }
  const Element named = denied.text != nullptr ? denied : broken;
  if (named.text == nullptr) fail(job, -ENOENT, job.program);
  (void)join(job, named);
  report(job, denied.text != nullptr ? -EACCES : -ENOENT, job.path_buffer);
}

}  // namespace

void execute(ChildJob& job) {
  if ((job.fixed->flags & wire::search_path) != 0) search(job);
  report(job, exec_file(job, job.program), job.program);
}

}  // namespace netrunner::shepherd
