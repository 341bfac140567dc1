#pragma once
/// The options of a subcommand, and the words of the command that follow them.

#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <netrunner/command.hpp>
#include <netrunner/deadline.hpp>
#include <netrunner/exit_status.hpp>

namespace CLI {
class App;
class Option;
}

namespace netrunner::tool {

/// A value, or one line for people: what was wrong, on what, what to do.
template <class T>
using Checked = std::expected<T, std::string>;

/// Owner: a subcommand, while it reads its words.
class Options {
 public:
  using Setter = std::function<Checked<void>(const std::string& text)>;

  Options();
  ~Options();
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  void flag(const std::string& names, bool& set);
  /// `setter` runs once for each time that the option was given, in that order.
  void value(const std::string& names, Setter setter);

  struct Parsed {
    bool help = false;
    std::vector<std::string> command;  ///< What follows `--`, or the first word that is no option.
  };
  [[nodiscard]] Checked<Parsed> parse(std::vector<std::string> words);

  // Of what was parsed: an option that would do nothing is an error, whoever wrote it meant something by it.
  [[nodiscard]] bool given(const std::string& option) const;
  /// Each of `options` means nothing without `other`.
  [[nodiscard]] Checked<void> need(const std::vector<std::string>& options, const std::string& other) const;
  /// Each of `options` means nothing beside `other`; `why` goes on where "it" is one of them.
  [[nodiscard]] Checked<void> exclude(const std::vector<std::string>& options, const std::string& other,
                                      const std::string& why) const;
  /// No two of `options` name the same file, where one would overwrite the other. "-" may be shared.
  [[nodiscard]] Checked<void> distinct(const std::vector<std::string>& options) const;

 private:
  struct Value {
    std::string name;
    const CLI::Option* option;
    std::vector<std::string> texts;
    std::size_t set;  ///< So many of them were handed to the setter.
    Setter setter;
  };
  struct Split;

  [[nodiscard]] Checked<Split> split(std::vector<std::string>& words) const;
  [[nodiscard]] Checked<bool> takes_next(const std::string& word) const;
  [[nodiscard]] std::string unknown(const std::string& name) const;

  std::unique_ptr<CLI::App> app_;
  std::deque<Value> values_;  // A deque: the parser keeps references.
};

// Setters for what options hold. Each error names the text and what would be right.
[[nodiscard]] Options::Setter into(Nanoseconds& duration);
/// The same, above 0: a limit that would end everything before it begins was meant to be none.
[[nodiscard]] Options::Setter into_limit(Nanoseconds& duration);
[[nodiscard]] Options::Setter into(std::uint64_t& bytes);
[[nodiscard]] Options::Setter into(std::string& text);
[[nodiscard]] Options::Setter into(KillLadder& ladder);
[[nodiscard]] Options::Setter into(Containment& containment);
/// A whole number within [min, max]; `what` names it in the error.
[[nodiscard]] Checked<std::int64_t> whole_number(const std::string& text, std::int64_t min, std::int64_t max,
                                                 int base = 10);
/// Some of them, separated by commas.
[[nodiscard]] Checked<std::vector<std::int64_t>> whole_numbers(const std::string& text, std::int64_t min,
                                                               std::int64_t max);

/// Splits at each `:::`.
[[nodiscard]] std::vector<std::vector<std::string>> split_at_colons(std::vector<std::string> words);

}  // namespace netrunner::tool
