#include "tools/netrunner/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <iterator>
#include <numeric>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>

#include "tools/netrunner/engine_log.hpp"
#include "tools/netrunner/error_words.hpp"

namespace netrunner::tool {

struct Options::Split {
  bool help = false;
  std::vector<std::string> options;
  std::vector<std::string> command;
};

Options::Options() : app_(std::make_unique<CLI::App>()) { app_->set_help_flag(); }
Options::~Options() = default;

void Options::flag(const std::string& names, bool& set) { app_->add_flag(names, set); }

void Options::value(const std::string& names, Setter setter) {
  Value& value = values_.emplace_back(Value{names.substr(names.rfind(',') + 1), nullptr, {}, 0, std::move(setter)});
  value.option = app_->add_option(names, value.texts)->allow_extra_args(false);
}

namespace {

/// How many letters must be changed to make one word of another.
std::size_t distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= from.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({replaced, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row.back();
}

}  // namespace

std::string Options::unknown(const std::string& name) const {
  constexpr std::size_t long_enough = 7, abbreviation_min = 4;  // "--cupset", "--me".
  std::string nearest;
  std::size_t nearest_distance = name.size() < long_enough ? 2 : 3;  // One letter is wrong in a short word, or two.
  for (const CLI::Option* option : static_cast<const CLI::App&>(*app_).get_options()) {
    for (const std::string& known : option->get_lnames()) {
      const bool abbreviated = name.size() >= abbreviation_min && ("--" + known).starts_with(name);
      const std::size_t wrong = abbreviated ? 0 : distance(name, "--" + known);
      if (name.starts_with("--") && wrong < nearest_distance) {
        nearest = "--" + known;
        nearest_distance = wrong;
      }
    }
  }
  return name + ": no such option." + (nearest.empty() ? "" : " Did you mean " + nearest + "?");
}

/// Whether the word after this option is its value; an error where it is no option at all.
Checked<bool> Options::takes_next(const std::string& word) const {
  if (word.starts_with("--")) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const CLI::Option* option = app_->get_option_no_throw(name);
    if (option == nullptr) return std::unexpected(unknown(name));
    return equals == std::string::npos && option->get_items_expected_max() > 0;
  }
  for (std::size_t at = 1; at < word.size(); ++at) {
    const std::string name = {'-', word[at]};
    const CLI::Option* option = app_->get_option_no_throw(name);
    if (option == nullptr) return std::unexpected(unknown(name));
    if (option->get_items_expected_max() > 0) return at + 1 == word.size();
  }
  return false;
}

Checked<Options::Split> Options::split(std::vector<std::string>& words) const {
  Split split;
  for (auto word = words.begin(); word != words.end(); ++word) {
    if (*word == "--help" || *word == "-h") {
      split.help = true;
      return split;
    }
    const bool is_option = word->size() > 1 && word->front() == '-';
    if (!is_option || *word == "--") {
      split.command.assign(std::make_move_iterator(*word == "--" ? word + 1 : word),
                           std::make_move_iterator(words.end()));
      return split;
    }
    const auto takes = takes_next(*word);
    if (!takes) return std::unexpected(takes.error());
    split.options.push_back(*word);
    if (!*takes) continue;
    if (word + 1 == words.end()) return std::unexpected(*word + " needs a value after it.");
    ++word;
    if (word->empty()) return std::unexpected(split.options.back() + ": the value is empty; leave the option out.");
    // In one word with its option, a value may begin with '-'.
    split.options.back() += (split.options.back().starts_with("--") ? "=" : "") + *word;
  }
  return split;
}

Checked<Options::Parsed> Options::parse(std::vector<std::string> words) {
  bool verbose = false;
  flag("--verbose", verbose);
  auto split = this->split(words);
  if (!split) return std::unexpected(std::move(split).error());
  if (split->help) return Parsed{.help = true, .command = {}};
  std::ranges::reverse(split->options);  // CLI11 takes its words from the back.
  try {
    app_->parse(std::move(split->options));
  } catch (const CLI::ParseError& error) {
    return std::unexpected(std::string(error.what()));
  }
  if (verbose) be_verbose();
  // As on the command line, where a later --unset-env takes back an --env, as with env(1).
  for (const CLI::Option* option : app_->parse_order()) {
    const auto value = std::ranges::find(values_, option, &Value::option);
    if (value == values_.end() || value->set == value->texts.size()) continue;
    if (auto set = value->setter(value->texts[value->set++]); !set) {
      return std::unexpected(value->name + ": " + set.error());
    }
  }
  return Parsed{.help = false, .command = std::move(split->command)};
}

bool Options::given(const std::string& option) const { return app_->count(option) > 0; }

Checked<void> Options::need(const std::vector<std::string>& options, const std::string& other) const {
  for (const std::string& option : options) {
    if (given(option) && !given(other)) return std::unexpected(option + ": it means nothing without " + other + ".");
  }
  return {};
}

Checked<void> Options::exclude(const std::vector<std::string>& options, const std::string& other,
                               const std::string& why) const {
  for (const std::string& option : options) {
    if (given(option) && given(other)) {
      return std::unexpected(option + ": beside " + other + " " + why + "; leave one of them out.");
    }
  }
  return {};
}

Checked<void> Options::distinct(const std::vector<std::string>& options) const {
  std::vector<const Value*> files;
  for (const Value& value : values_) {
    if (value.texts.empty() || value.texts.back() == "-" || std::ranges::count(options, value.name) == 0) continue;
    const auto same = std::ranges::find_if(files, [&](const Value* other) {
      return std::filesystem::path(other->texts.back()).lexically_normal() ==
             std::filesystem::path(value.texts.back()).lexically_normal();
    });
    if (same != files.end()) {
      return std::unexpected(value.name + ": " + value.texts.back() + " is the file of " + (*same)->name +
                             " already; name another.");
    }
    files.push_back(&value);
  }
  return {};
}

Options::Setter into(Nanoseconds& duration) {
  return [&duration](const std::string& text) -> Checked<void> {
    const Result<Nanoseconds> parsed = parse_duration(text);
    if (!parsed) return std::unexpected(words_of(parsed.error()));
    duration = *parsed;
    return {};
  };
}

Options::Setter into_limit(Nanoseconds& duration) {
  return [&duration](const std::string& text) -> Checked<void> {
    if (auto set = into(duration)(text); !set) return set;
    if (duration > Nanoseconds{0}) return {};
    return std::unexpected("'" + text + "' would end it before it has begun; for no limit leave the option out.");
  };
}

Options::Setter into(std::uint64_t& bytes) {
  return [&bytes](const std::string& text) -> Checked<void> {
    const Result<std::uint64_t> parsed = parse_bytes(text);
    if (!parsed) return std::unexpected(words_of(parsed.error()));
    bytes = *parsed;
    return {};
  };
}

Options::Setter into(std::string& value) {
  return [&value](const std::string& text) -> Checked<void> {
    value = text;
    return {};
  };
}

Options::Setter into(KillLadder& ladder) {
  return [&ladder](const std::string& text) -> Checked<void> {
    const Result<KillLadder> parsed = KillLadder::parse(text);
    if (!parsed) return std::unexpected(words_of(parsed.error()));
    ladder = *parsed;
    return {};
  };
}

Options::Setter into(Containment& containment) {
  return [&containment](const std::string& text) -> Checked<void> {
    constexpr std::array<std::pair<std::string_view, Containment>, 5> names = {
        {{"auto", Containment::automatic},
         {"cgroup", Containment::cgroup},
         {"subreaper", Containment::subreaper},
         {"pid-namespace", Containment::pid_namespace},
         {"process-group", Containment::process_group}}};
    const auto* found = std::ranges::find(names, std::string_view(text), &decltype(names)::value_type::first);
    if (found == names.end()) {
      return std::unexpected("'" + text + "' is none of auto, cgroup, subreaper, pid-namespace, process-group.");
    }
    containment = found->second;
    return {};
  };
}

Checked<std::int64_t> whole_number(const std::string& text, std::int64_t min, std::int64_t max, int base) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number, base);
  if (error == std::errc{} && stopped == end && number >= min && number <= max) return number;
  const auto shown = [base](std::int64_t value) {
    char digits[32];
    const auto written = std::to_chars(digits, digits + sizeof digits, value, base);
    return std::string(digits, written.ptr);
  };
  return std::unexpected("'" + text + "' is not " + (base == 8 ? "an octal" : "a whole") + " number from " +
                         shown(min) + " to " + shown(max) + ".");
}

Checked<std::vector<std::int64_t>> whole_numbers(const std::string& text, std::int64_t min, std::int64_t max) {
  std::vector<std::int64_t> numbers;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const auto number = whole_number(text.substr(at, comma - at), min, max);
    if (!number) return std::unexpected(number.error());
    numbers.push_back(*number);
    at = comma + 1;
  }
  return numbers;
}

std::vector<std::vector<std::string>> split_at_colons(std::vector<std::string> words) {
  std::vector<std::vector<std::string>> parts(1);
  for (std::string& word : words) {
    if (word == ":::") {
      parts.emplace_back();
    } else {
      parts.back().push_back(std::move(word));
    }
  }
  return parts;
}

}  // namespace netrunner::tool
