/// The `netrunner` command: finds the subcommand and runs it.

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <exception>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <vector>

#include "tools/netrunner/engine_log.hpp"
#include "tools/netrunner/exit_code.hpp"
#include "tools/netrunner/messages.hpp"
#include "tools/netrunner/subcommand.hpp"

namespace netrunner::tool {
namespace {

#define NR_ADDRESS(name) &name##_subcommand,
constexpr std::array subcommands = {NR_SUBCOMMANDS(NR_ADDRESS)};
#undef NR_ADDRESS

std::string usage() {
  std::string text = "Usage: netrunner SUBCOMMAND [options] -- COMMAND [ARG...]\n"
                     "Runs commands and leaves nothing of them running.\n\n";
  for (const Subcommand* subcommand : subcommands) {
    text += "  " + std::string(subcommand->name);
    text.append(12 - std::min<std::size_t>(subcommand->name.size(), 11), ' ');
    text += std::string(subcommand->summary) + "\n";
  }
  return text + "\nnetrunner SUBCOMMAND --help tells its options. --verbose (before it or among them), or\n"
                "NETRUNNER_LOG=debug|info|warning|error: what the engine does, on stderr.\n";
}

/// A program that is started with 0, 1 or 2 closed would find its own sockets there and hand them to the command. What
/// is written to 1 or 2 stays an error (EBADF), ours and the command's: it would be lost without a word.
void fill_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0 && errno == EBADF) (void)::open("/dev/null", O_RDONLY);
  }
}

int dispatch(std::vector<std::string> words) {
  if (words.empty()) {
    print_error(usage());
    return own_failure;
  }
  const auto command = std::ranges::find_if(words, [](const std::string& word) { return word != "--verbose"; });
  if (command != words.begin()) be_verbose();
  words.erase(words.begin(), command);
  if (words.empty()) words.emplace_back("--help");
  const std::string name = words.front();
  words.erase(words.begin());
  if (name == "help" && !words.empty()) return dispatch({words.front(), "--help"});
  if (name == "--help" || name == "-h" || name == "help") {
    return print("netrunner", usage()) ? 0 : own_failure;
  }
  const auto found = std::ranges::find_if(subcommands, [&](const Subcommand* subcommand) {
    return subcommand->name == name || (name == "--version" && subcommand->name == "version");
  });
  if (found != subcommands.end()) return (*found)->run(**found, std::move(words));
  print_error("netrunner: '" + name + "' is no subcommand. To run a command: netrunner run -- COMMAND; "
              "netrunner --help lists the others.\n");
  return own_failure;
}

}  // namespace
}  // namespace netrunner::tool

int main(int argc, char** argv) {
  namespace tool = netrunner::tool;
  tool::fill_standard_descriptors();
  // A reader that went away is an error of write(2) here; the commands get the default disposition back.
  (void)std::signal(SIGPIPE, SIG_IGN);
  try {
    return tool::dispatch({argv + 1, argv + std::max(argc, 1)});
  } catch (const std::exception& error) {  // Out of memory, or a library below that throws.
    tool::print_error(std::string("netrunner: ") + error.what() + "\n");
    return tool::own_failure;
  }
}
