/// `netrunner version`.

#include <string>

#include "tools/netrunner/exit_code.hpp"
#include "tools/netrunner/messages.hpp"
#include "tools/netrunner/subcommand.hpp"

namespace netrunner::tool {
namespace {

int run_version(const Subcommand& self, std::vector<std::string> words) {
  constexpr std::string_view who = "netrunner version";
  if (words.empty()) return print(who, "netrunner " NETRUNNER_VERSION "\n") ? 0 : own_failure;
  if (words.front() == "--help" || words.front() == "-h") return print(who, self.help) ? 0 : own_failure;
  print_error("netrunner version: '" + words.front() + "' was not expected; it takes no arguments.\n");
  return own_failure;
}

}  // namespace

const Subcommand version_subcommand = {
    "version", "prints the version", "Usage: netrunner version\nPrints the version.\n", run_version};

}  // namespace netrunner::tool
