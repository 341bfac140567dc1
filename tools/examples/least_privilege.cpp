/// A command that may do one thing of root's and nothing else, in an engine that starts nobody as root; and a program
/// whose 1 is no failure.

#include <cstdio>
#include <linux/capability.h>
#include <netrunner/netrunner.hpp>
#include <unistd.h>

namespace nr = netrunner;

int main() {
  nr::EngineOptions options;
  options.refuse_root = true;
  auto engine = nr::Engine::open(options);
  if (!engine) return std::fprintf(stderr, "%s\n", engine.error().message().c_str()), 1;

  nr::Command grep = nr::Command("grep", "CapEff", "/proc/self/status").success_codes({0, 1});  // 1: nothing found.
  if (::geteuid() == 0) {
    const auto refused = engine->run(grep);
    if (refused) return 1;
    std::printf("%s\n", refused.error().message().c_str());
    const nr::Identity nobody{.uid = 65534, .gid = 65534, .groups = {}};
    grep = grep.identity(nobody).capabilities({CAP_NET_BIND_SERVICE}).no_new_privs();
  }
  const auto found = engine->run(grep);
  if (!found) return std::fprintf(stderr, "%s\n", found.error().message().c_str()), 1;
  std::printf("%s", found->out.text().c_str());

  const auto nothing = engine->run(grep.arg("/dev/null").arg("-x"));
  if (!nothing || !nothing->success()) return 1;
  std::printf("grep %s, and that is success\n", nr::to_string(nothing->ended.status).c_str());
}
