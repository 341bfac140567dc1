#pragma once
/// What `netrunner WORD` can be. A new one is a file that defines `WORD_subcommand`, and its word in the list below.

#include <string>
#include <string_view>
#include <vector>

namespace netrunner::tool {

struct Subcommand {
  std::string_view name;
  std::string_view summary;  ///< One line of `netrunner --help`.
  std::string_view help;     ///< All of `netrunner NAME --help`: one screen.
  /// Gets the words after the name; returns the exit status of the program.
  int (*run)(const Subcommand& self, std::vector<std::string> words);
};

#define NR_SUBCOMMANDS(listed) \
  listed(run)                  \
  listed(each)                 \
  listed(pipeline)             \
  listed(doctor)               \
  listed(stress)               \
  listed(version)

#define NR_DECLARE_SUBCOMMAND(name) extern const Subcommand name##_subcommand;
NR_SUBCOMMANDS(NR_DECLARE_SUBCOMMAND)
#undef NR_DECLARE_SUBCOMMAND

}  // namespace netrunner::tool
