/* Stopping commands with escapees by hand. stop_group: SIGKILL to each process group. stop_cgroup: a cgroup v2 leaf per
   command, killed as a service manager does: signal everyone in cgroup.procs, again until nobody is new, then wait for
   "populated 0" in cgroup.events. Prints how many processes of the commands are left. */
#include "bench/peers/protocol.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct Job job;
static char folder[256];
static pid_t* pids;

static void leaf_path(char* path, size_t at, const char* file) { sprintf(path, "%s/c%zu/%s", folder, at, file); }

static void write_text(const char* path, const char* text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  check(fd >= 0 && write(fd, text, strlen(text)) > 0, path);
  close(fd);
}

static void start(size_t at) {
  int ends[2];
  char path[512], byte;
  check(pipe2(ends, O_CLOEXEC) == 0, "pipe2");
  pids[at] = fork();
  if (pids[at] == 0) {
    leaf_path(path, at, "cgroup.procs");
    if (is(&job, "stop_cgroup")) write_text(path, "0");
    setpgid(0, 0);
    dup2(ends[1], 1);
    execv(job.child[0], job.child);
    _exit(127);
  }
  close(ends[1]);
  check(read(ends[0], &byte, 1) == 1, "the escapee"); /* It is there. */
  close(ends[0]);
}

static int kill_all_in(size_t at) {
  char path[512], line[32];
  int count = 0;
  leaf_path(path, at, "cgroup.procs");
  FILE* file = fopen(path, "re");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) count += kill(atoi(line), SIGKILL) == 0;
  if (file != NULL) fclose(file);
  return count;
}

static void wait_until_empty(size_t at) {
  char path[512], text[128];
  leaf_path(path, at, "cgroup.events");
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  for (;;) {
    const ssize_t count = pread(fd, text, sizeof text - 1, 0);
    text[count < 0 ? 0 : count] = 0;
    if (strstr(text, "populated 0") != NULL) break;
    struct pollfd change = {fd, POLLPRI, 0};
    poll(&change, 1, 1000);
  }
  close(fd);
}

static void stop_cgroups(void) {
  char path[512];
  for (size_t i = 0; i < job.in_flight; ++i) kill_all_in(i);
  for (size_t i = 0; i < job.in_flight; ++i) {
    waitpid(pids[i], NULL, 0);
    while (kill_all_in(i) > 0) usleep(100); /* Whoever was forked meanwhile. */
    wait_until_empty(i);
    leaf_path(path, i, "");
    rmdir(path);
  }
}

static void stop_groups(void) {
  for (size_t i = 0; i < job.in_flight; ++i) kill(-pids[i], SIGKILL);
  for (size_t i = 0; i < job.in_flight; ++i) waitpid(pids[i], NULL, 0);
}

/* Processes that run the child's program, wherever they are; killed too when `end`. */
static int alive(int end) {
  int count = 0;
  DIR* proc = opendir("/proc");
  for (struct dirent* entry; (entry = readdir(proc)) != NULL;) {
    char path[300], program[512];
    sprintf(path, "/proc/%s/exe", entry->d_name);
    const ssize_t bytes = readlink(path, program, sizeof program - 1);
    if (bytes <= 0) continue;
    program[bytes] = 0;
    if (strcmp(program, job.child[0]) != 0) continue;
    ++count;
    if (end) kill(atoi(entry->d_name), SIGKILL);
  }
  closedir(proc);
  return count;
}

int main(int argc, char** argv) {
  job = read_job(argc, argv);
  pids = calloc(job.in_flight, sizeof *pids);
  const int by_cgroup = is(&job, "stop_cgroup");
  if (!by_cgroup && !is(&job, "stop_group")) return 3;
  const char* root = access("/sys/fs/cgroup/unified", F_OK) == 0 ? "/sys/fs/cgroup/unified" : "/sys/fs/cgroup";
  sprintf(folder, "%s/bench-%d", root, getpid());
  if (by_cgroup) check(mkdir(folder, 0755) == 0, folder);
  for (size_t i = 0; i < job.in_flight; ++i) {
    char path[512];
    leaf_path(path, i, "");
    if (by_cgroup) check(mkdir(path, 0755) == 0, path);
    start(i);
  }
  const double began = now_us();
  by_cgroup ? stop_cgroups() : stop_groups();
  double took_us = now_us() - began;
  const int left = alive(0);
  alive(1);
  if (by_cgroup) rmdir(folder);
  print_result((double)job.in_flight / took_us * 1e6, &took_us, 1, 1);
  printf("{\"left\": %d}\n", left);
}
