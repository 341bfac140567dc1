#pragma once
/// What `netrunner WORD` can be. A new one is a file that defines `WORD_subcommand`, and its word in the list below.

#include <expected>
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

class Options;

/// Says on stderr why the subcommand can't do it, and where its help is. Returns the exit status.
int refuse(const Subcommand& self, std::string_view why);
/// The words after the options; else the exit status, when the help was printed or a refusal.
[[nodiscard]] std::expected<std::vector<std::string>, int> read_words(const Subcommand& self, Options& options,
                                                                      std::vector<std::string> words);

#define NR_SUBCOMMANDS(listed) \
  listed(run)                  \
  listed(each)                 \
  listed(pipeline)             \
  listed(daemon)               \
  listed(doctor)               \
  listed(stress)               \
  listed(version)

#define NR_DECLARE_SUBCOMMAND(name) extern const Subcommand name##_subcommand;
NR_SUBCOMMANDS(NR_DECLARE_SUBCOMMAND)
#undef NR_DECLARE_SUBCOMMAND

}  // namespace netrunner::tool
