#include "tools/netrunner/report_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/netrunner/messages.hpp"

namespace netrunner::tool {
namespace {

std::string failure(const std::string& option_and_path, int sys_errno, const char* advice) {
  return option_and_path + ": " + std::strerror(sys_errno) + "; " + advice;
}

/// Behind symbolic links: replacing a link would leave the file that it names as it was.
std::string resolved(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  return real ? std::string(real.get()) : path;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool is_special(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
}

int write_and_close(int fd, const std::string& text) {
  const int failed = write_all(fd, text);
  const int closed = ::close(fd) == 0 ? 0 : errno;
  return failed != 0 ? failed : closed;
}

/// A neighbour of the file, so that rename(2) stays within one file system. mkostemp(3) makes it 0600; a report is to
/// have the permissions of any other new file.
int replace(const std::string& path, const std::string& text) {
  std::string temporary = path + ".XXXXXX";
  const int fd = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return errno;
  const mode_t mask = ::umask(0);
  (void)::umask(mask);
  (void)::fchmod(fd, 0666 & ~mask);
  int failed = write_and_close(fd, text);
  if (failed == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) failed = errno;
  if (failed != 0) (void)::unlink(temporary.c_str());
  return failed;
}

}  // namespace

Checked<void> can_write_report(const std::string& path, const char* option) {
  const std::string name = std::string(option) + " " + path;
  if (path == "-") return {};
  const std::string real = resolved(path);
  struct stat status {};
  if (::stat(real.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    return std::unexpected(failure(name, EISDIR, "name a file."));
  }
  const int refused = is_special(real) ? ::access(real.c_str(), W_OK) : ::access(folder_of(real).c_str(), W_OK | X_OK);
  if (refused == 0) return {};
  return std::unexpected(failure(name, errno, "nothing was started; name a file in a folder that you may write to."));
}

Checked<void> write_report(const std::string& path, const std::string& text, const char* option, const char* loss) {
  const std::string name = std::string(option) + " " + path;
  if (path == "-") {
    const int failed = write_all(STDOUT_FILENO, text);
    if (failed == 0 || failed == EPIPE) return {};  // A reader that left doesn't want it.
    return std::unexpected(failure(name, failed, "what was to be on standard output is not complete."));
  }
  const std::string real = resolved(path);
  int failed = 0;
  if (is_special(real)) {
    const int fd = ::open(real.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
    failed = fd < 0 ? errno : write_and_close(fd, text);
  } else {
    failed = replace(real, text);
  }
  if (failed == 0) return {};
  return std::unexpected(failure(name, failed, loss));
}

}  // namespace netrunner::tool
