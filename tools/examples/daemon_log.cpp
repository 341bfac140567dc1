/// A daemon that waits for a path, is ready when a script says so, writes to a rotated file, and is stopped well.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <netrunner/netrunner.hpp>
#include <string>

namespace nr = netrunner;
using namespace netrunner::literals;
using namespace std::chrono_literals;

int main() {
  std::string folder = std::filesystem::temp_directory_path() / "netrunner-daemon-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) return 1;
  auto engine = nr::Engine::open();
  if (!engine) return std::fprintf(stderr, "%s\n", engine.error().message().c_str()), 1;

  const auto server = nr::Command::shell("trap 'echo goodbye; exit' TERM; for n in $(seq 1000); do echo line $n; done; "
                                         ": >serving; while :; do sleep 0.05; done").cwd(folder);
  nr::DaemonOptions options;
  options.wait_for = {{.path = folder + "/configured"}};  // Nothing starts before that.
  options.wait_for_timeout = 30s;
  options.ready = nr::Ready::command(nr::Command("test", "-e", "serving").cwd(folder));
  options.output = nr::DaemonOutput::file(folder + "/log", {.bytes_max = 4_KiB, .files = 3}).prefix("server: ");
  const auto daemon = nr::Daemon::start(*engine, server, options);
  if (!daemon) return std::fprintf(stderr, "%s\n", daemon.error().message().c_str()), 1;
  std::ofstream(folder + "/configured").put('\n');
  if (const auto ready = nr::blocking::ready(*daemon, nr::Deadline::after(30s)); !ready) {
    return std::fprintf(stderr, "%s\n", ready.error().message().c_str()), 1;
  }
  daemon->stop();
  const auto ended = nr::blocking::ended(*daemon);

  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with("log")) continue;
    std::printf("%s: %llu bytes\n", name.c_str(), static_cast<unsigned long long>(entry.file_size()));
    ++files;
  }
  std::ifstream log(folder + "/log");
  const std::string text(std::istreambuf_iterator<char>(log), {});
  std::filesystem::remove_all(folder);
  return ended && files == 4 && text.ends_with("server: goodbye\n") ? 0 : 1;  // The log and three before it.
}
