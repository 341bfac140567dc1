/// What `netrunner doctor` reads in the kernel's files.

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sched.h>
#include <string>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/netrunner/doctor_finding.hpp"
#include "tools/netrunner/stress_proc.hpp"

namespace netrunner::tool {
namespace {

struct Version {
  int major = 0, minor = 0;
  [[nodiscard]] bool before(Version other) const {
    return major != other.major ? major < other.major : minor < other.minor;
  }
};

Version version_of(const std::string& release) {
  Version version;
  char* end = nullptr;
  version.major = static_cast<int>(std::strtol(release.c_str(), &end, 10));
  if (*end == '.') version.minor = static_cast<int>(std::strtol(end + 1, nullptr, 10));
  return version;
}

/// 0: an unprivileged process may make a user and a PID namespace; else why not.
int errno_of_unprivileged_namespace() {
  constexpr uid_t nobody = 65534;
  const pid_t child = ::fork();
  if (child < 0) return errno;
  if (child == 0) {
    const bool left_root = ::geteuid() != 0 || (::setresgid(nobody, nobody, nobody) == 0 &&
                                                ::setresuid(nobody, nobody, nobody) == 0);
    if (!left_root || ::unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS) != 0) ::_exit(errno);
    ::_exit(0);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

Finding kernel() {
  utsname system{};
  (void)::uname(&system);
  Finding finding{.name = "kernel", .value = std::string(system.sysname) + " " + system.release, .advice = {}};
  const Version version = version_of(system.release);
  if (version.before({6, 1})) {
    finding.health = Health::missing;
    finding.breaks_a_promise = true;
    finding.advice = "Linux 6.1 is the oldest that works (io_uring with DEFER_TASKRUN).";
  }
  return finding;
}

std::uint64_t number_in(const std::string& path) {
  return std::strtoull(text_of_file(path).c_str(), nullptr, 10);
}

std::string shown(rlim_t value) { return value == RLIM_INFINITY ? "unlimited" : std::to_string(value); }

Finding resource(const std::string& name, int which, rlim_t enough, const std::string& advice) {
  rlimit limit{};
  (void)::getrlimit(static_cast<__rlimit_resource_t>(which), &limit);
  Finding finding{.name = name, .value = "soft " + shown(limit.rlim_cur) + ", hard " + shown(limit.rlim_max),
                  .advice = {}};
  if (limit.rlim_cur < enough) {
    finding.health = Health::degraded;
    finding.advice = advice;
  }
  return finding;
}

Finding at_least(const std::string& name, const std::string& path, std::uint64_t enough, const std::string& advice) {
  Finding finding{.name = name, .value = text_of_file(path), .advice = {}};
  if (finding.value.empty()) {
    finding.health = Health::degraded;
    finding.value = "not to be read";
  } else if (number_in(path) < enough) {
    finding.health = Health::degraded;
    finding.advice = advice;
  }
  return finding;
}

Finding terminals() {
  const std::string most = text_of_file("/proc/sys/kernel/pty/max"), used = text_of_file("/proc/sys/kernel/pty/nr");
  Finding finding{.name = "ptys", .value = used + " of " + most + " in use", .advice = {}};
  if (most.empty()) {
    finding = {.name = "ptys", .health = Health::degraded, .value = "none", .advice = "Mount devpts on /dev/pts."};
  } else if (number_in("/proc/sys/kernel/pty/max") < number_in("/proc/sys/kernel/pty/nr") + 256) {
    finding.health = Health::degraded;
    finding.advice = "Commands with a terminal will fail soon: raise kernel.pty.max.";
  }
  return finding;
}

/// The nearest of our group or one above it that has a limit, v2 or v1; empty: none has.
std::string group_with_pids_limit() {
  for (std::string group : {own_cgroup(), own_cgroup_v1("pids")}) {
    for (; !group.empty(); group.erase(group.rfind('/'))) {
      const std::string most = text_of_file(group + "/pids.max");
      if (!most.empty() && most != "max") return group;
      if (::access((group + "/cgroup.procs").c_str(), F_OK) != 0) break;  // Above the mount.
    }
  }
  return {};
}

/// A command that would pass it is not started.
Finding processes_of_cgroup() {
  Finding finding{.name = "pids of the cgroup", .value = "no limit", .advice = {}};
  const std::string group = group_with_pids_limit();
  if (group.empty()) return finding;
  finding.value = text_of_file(group + "/pids.current") + " of " + text_of_file(group + "/pids.max") + " in use";
  if (number_in(group + "/pids.max") < number_in(group + "/pids.current") + 256) {
    finding.health = Health::degraded;
    finding.advice = "Commands will fail to start soon: raise pids.max of " + group + " (TasksMax in a unit).";
  }
  return finding;
}

/// What `Containment::pid_namespace` needs for a user that isn't root. Root asks in the name of nobody, in a process of
/// its own.
Finding user_namespaces() {
  Finding finding{.name = "user namespaces", .value = "a PID namespace can be had without root", .advice = {}};
  const int failure = errno_of_unprivileged_namespace();
  if (failure == 0) return finding;
  finding.health = Health::degraded;
  finding.value = std::string("no PID namespace without root: ") + std::strerror(failure);
  finding.advice = "--containment pid-namespace needs root here; or sysctl user.max_user_namespaces, "
                   "kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns.";
  return finding;
}

Finding cgroup_v2() {
  const std::string path = own_cgroup();
  if (path.empty()) {
    return {.name = "cgroup v2", .health = Health::missing, .value = "not mounted",
            .advice = "mount -t cgroup2 none /sys/fs/cgroup."};
  }
  const std::string controllers = text_of_file(path + "/cgroup.controllers");
  Finding finding{.name = "cgroup v2",
                  .value = path + ", controllers: " + (controllers.empty() ? "none" : controllers),
                  .advice = {}};
  // The root has no cgroup.kill: a group below it tells, and the self-test of the containment is the proof.
  if (::access(path.c_str(), W_OK) != 0) {
    finding.health = Health::degraded;
    finding.advice = "Not writable by this user: systemd-run --user --scope -p Delegate=yes, or Delegate=yes in the "
                     "unit.";
  }
  return finding;
}

Finding cgroup_v1() {
  std::string controllers;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos || second == first + 1) continue;
    controllers += (controllers.empty() ? "" : " ") + line.substr(first + 1, second - first - 1);
  }
  return {.name = "cgroup v1", .value = controllers.empty() ? "no controllers there" : controllers, .advice = {}};
}

}  // namespace

Findings system_findings() {
  return {
      kernel(),
      cgroup_v2(),
      cgroup_v1(),
      user_namespaces(),
      resource("open files", RLIMIT_NOFILE, 4096, "Each running command needs a few descriptors: ulimit -n 65536."),
      resource("processes", RLIMIT_NPROC, 4096, "RLIMIT_NPROC counts all processes of the user: ulimit -u 65536."),
      resource("locked memory", RLIMIT_MEMLOCK, 64 * 1024, "Rings count against it on old kernels: ulimit -l 65536."),
      processes_of_cgroup(),
      at_least("kernel.pid_max", "/proc/sys/kernel/pid_max", 32768, "sysctl kernel.pid_max=4194304."),
      at_least("kernel.threads-max", "/proc/sys/kernel/threads-max", 8192, "sysctl kernel.threads-max=65536."),
      at_least("fs.pipe-user-pages-soft", "/proc/sys/fs/pipe-user-pages-soft", 16384,
               "Past it new pipes are 8 KiB only: sysctl fs.pipe-user-pages-soft=65536."),
      terminals(),
  };
}

}  // namespace netrunner::tool
