#include "engine/daemon/line_pattern.hpp"

namespace netrunner::daemon {

Result<std::shared_ptr<const LinePattern>> LinePattern::compile(const std::string& text) {
  regex_t compiled{};
  const int failed = ::regcomp(&compiled, text.c_str(), REG_EXTENDED | REG_NEWLINE);
  if (failed == 0) return std::shared_ptr<const LinePattern>(new LinePattern(compiled));
  char why[128];
  (void)::regerror(failed, &compiled, why, sizeof why);
  return std::unexpected(Error{ErrorCode::invalid_argument, Stage::validate, 0,
                               "DaemonOptions::ready, line pattern \"" + text + "\"",
                               std::string(why) + "; write an extended regular expression, see regex(7)"});
}

bool LinePattern::matches(std::string_view line) const noexcept {
  regmatch_t range{};
  range.rm_so = 0;
  range.rm_eo = static_cast<regoff_t>(line.size());
  // REG_STARTEND: the line needs no NUL at its end, and may hold some.
  const char* const begin = line.data();  // NOLINT(bugprone-suspicious-stringview-data-usage)
  return ::regexec(&compiled_, begin, 1, &range, REG_STARTEND) == 0;
}

}  // namespace netrunner::daemon
