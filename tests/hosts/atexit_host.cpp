/// atexit_host REPORT: a host whose exit handlers and destructors leave a trace. A start that fails must run neither,
/// in no process but this one.

#include <cstdlib>
#include <string>
#include <unistd.h>

#include "tests/support/engine_fixture.hpp"
#include "tests/support/host_report.hpp"
#include "tests/support/proc.hpp"
#include "tests/support/scale.hpp"
#include "tests/support/temp_folder.hpp"

namespace {

std::string trace_path;
pid_t owner = 0;

void trace(const char* who) {
  if (getpid() == owner) return;  // The host's own exit is no fault.
  FILE* file = std::fopen(trace_path.c_str(), "a");
  if (file == nullptr) return;
  std::fprintf(file, "%s ran in %d\n", who, getpid());
  std::fclose(file);
}

struct Traced {
  ~Traced() { trace("a destructor"); }
} traced;

std::size_t processes_of_this_program() {
  char own[512] = {}, other[512];
  (void)!readlink("/proc/self/exe", own, sizeof own - 1);
  std::size_t count = 0;
  for (const tests::ProcessEntry& entry : tests::processes()) {
    const std::string link = "/proc/" + std::to_string(entry.pid) + "/exe";
    const ssize_t length = readlink(link.c_str(), other, sizeof other);
    count += length > 0 && std::string(other, static_cast<std::size_t>(length)) == own;
  }
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  return tests::host_main(argc, argv, [](tests::HostReport& report, int, char** arguments) {
    using namespace tests;
    owner = getpid();
    trace_path = std::string(arguments[1]) + ".trace";
    std::atexit([] { trace("an exit handler"); });

    const TempFolder folder;
    write_file(folder / "plain", "echo hi\n");
    EngineFixture host;
    const nr::Command commands[] = {
        nr::Command("/no/such/program"), nr::Command(folder / "plain"), nr::Command("true").cwd("/no/such/directory"),
        nr::Command("true").in(nr::Stdio::file("/no/such/file")), nr::Command("true").cpus({1000})};
    for (std::size_t round = 0; round < scaled(1000, 20); ++round) {
      for (const nr::Command& command : commands) {
        HOST_CHECK(!nr::blocking::get(host->spawn(command), verb_deadline()));
      }
    }
    HOST_CHECK(processes_of_this_program() == 1);
    HOST_CHECK(file_text(trace_path).empty());
  });
}
