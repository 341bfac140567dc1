#pragma once
/// The line that tells that an instance is ready.

#include <memory>
#include <regex.h>
#include <string>
#include <string_view>

#include <netrunner/error.hpp>

namespace netrunner::daemon {

/// A POSIX extended regular expression, see regex(3). Immutable: any thread may match.
class LinePattern {
 public:
  [[nodiscard]] static Result<std::shared_ptr<const LinePattern>> compile(const std::string& text);
  LinePattern(const LinePattern&) = delete;
  LinePattern& operator=(const LinePattern&) = delete;
  ~LinePattern() { ::regfree(&compiled_); }
  [[nodiscard]] bool matches(std::string_view line) const noexcept;

 private:
  explicit LinePattern(const regex_t& compiled) noexcept : compiled_(compiled) {}
  regex_t compiled_;
};

}  // namespace netrunner::daemon
