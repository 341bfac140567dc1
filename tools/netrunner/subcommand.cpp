#include "tools/netrunner/subcommand.hpp"

#include <utility>

#include "tools/netrunner/exit_code.hpp"
#include "tools/netrunner/messages.hpp"
#include "tools/netrunner/options.hpp"

namespace netrunner::tool {

int refuse(const Subcommand& self, std::string_view why) {
  const std::string name = "netrunner " + std::string(self.name);
  print_error(name + ": " + std::string(why) + " (" + name + " --help)\n");
  return own_failure;
}

std::expected<std::vector<std::string>, int> read_words(const Subcommand& self, Options& options,
                                                        std::vector<std::string> words) {
  auto parsed = options.parse(std::move(words));
  if (!parsed) return std::unexpected(refuse(self, parsed.error()));
  if (!parsed->help) return std::move(parsed->command);
  return std::unexpected(print("netrunner " + std::string(self.name), self.help) ? 0 : own_failure);
}

}  // namespace netrunner::tool
