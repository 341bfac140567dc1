#include "tests/support/openmetrics.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <utility>

namespace tests {
namespace {

bool is_name(std::string_view text) {
  const auto first = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':'; };
  if (text.empty() || !first(text.front())) return false;
  return std::ranges::all_of(text, [&](char c) { return first(c) || (c >= '0' && c <= '9'); });
}

std::optional<double> number(std::string_view text) {
  if (text == "+Inf") return std::numeric_limits<double>::infinity();
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Suffixes that samples of a type have.
const std::map<std::string, std::set<std::string>, std::less<>> suffixes = {
    {"gauge", {""}},
    {"counter", {"_total", "_created"}},
    {"histogram", {"_bucket", "_count", "_sum", "_created"}},
    {"info", {"_info"}},
};

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  Metrics parse() {
    while (!ended_ && metrics_.fault.empty()) {
      ++line_;
      const std::size_t end = rest_.find('\n');
      if (end == std::string_view::npos) return fault("the text ends without # EOF and a newline");
      const std::string_view line = rest_.substr(0, end);
      rest_.remove_prefix(end + 1);
      line.starts_with('#') ? comment(line) : sample(line);
    }
    if (!rest_.empty()) (void)fault("something follows # EOF");
    for (const MetricFamily& family : metrics_.families) check(family);
    return metrics_;
  }

 private:
  Metrics& fault(std::string_view what) {
    if (metrics_.fault.empty()) metrics_.fault = "line " + std::to_string(line_) + ": " + std::string(what);
    return metrics_;
  }

  void comment(std::string_view line) {
    if (line == "# EOF") {
      ended_ = true;
      return;
    }
    const std::string_view keyword = line.substr(0, 7);
    if (keyword != "# TYPE " && keyword != "# UNIT " && keyword != "# HELP ") return (void)fault("an unknown comment");
    const std::string_view body = line.substr(7);
    const std::size_t space = body.find(' ');
    if (space == std::string_view::npos) return (void)fault("metadata without a value");
    const std::string name(body.substr(0, space)), value(body.substr(space + 1));
    if (!is_name(name)) return (void)fault("not a name: " + name);
    MetricFamily& family = family_of(name);
    if (!family.samples.empty()) return (void)fault("metadata after samples of " + name);
    std::string& field = keyword == "# TYPE " ? family.type : keyword == "# UNIT " ? family.unit : family.help;
    if (!field.empty()) return (void)fault("said twice of " + name);
    field = value;
    if (keyword == "# TYPE " && !suffixes.contains(value)) (void)fault("an unknown type: " + value);
    if (keyword == "# UNIT " && !name.ends_with("_" + value)) (void)fault(name + " does not end with its unit");
  }

  /// The present one, or a new one, which must not have been there before.
  MetricFamily& family_of(const std::string& name) {
    if (!metrics_.families.empty() && metrics_.families.back().name == name) return metrics_.families.back();
    if (metrics_.family(name) != nullptr) (void)fault(name + " is interrupted by another family");
    metrics_.families.push_back({name, {}, {}, {}, {}});
    return metrics_.families.back();
  }

  void sample(std::string_view line) {
    MetricSample sample;
    const std::size_t brace = line.find('{');
    if (brace == std::string_view::npos) return (void)fault("a sample without labels");
    sample.name = line.substr(0, brace);
    line.remove_prefix(brace + 1);
    if (!labels(line, sample.labels)) return;
    const auto value = number(line);
    if (!value || std::isnan(*value)) return (void)fault("not a value: " + std::string(line));
    sample.value = *value;
    if (metrics_.families.empty()) return (void)fault("a sample before its family");
    MetricFamily& family = metrics_.families.back();
    const auto allowed = suffixes.find(family.type);
    if (!sample.name.starts_with(family.name) || allowed == suffixes.end() ||
        !allowed->second.contains(sample.name.substr(family.name.size()))) {
      return (void)fault(sample.name + " is no sample of the " + family.type + " " + family.name);
    }
    if (!seen_.emplace(sample.name, sample.labels).second) return (void)fault("the same sample twice");
    family.samples.push_back(std::move(sample));
  }

  /// `name="value",...} ` is taken off the line.
  bool labels(std::string_view& line, std::map<std::string, std::string>& labels) {
    for (;;) {
      const std::size_t equals = line.find("=\"");
      if (equals == std::string_view::npos || !is_name(line.substr(0, equals))) return fault("a broken label"), false;
      const std::string name(line.substr(0, equals));
      line.remove_prefix(equals + 2);
      std::string value;
      while (!line.empty() && line.front() != '"') {
        if (line.front() == '\\') {
          if (line.size() < 2 || std::string_view("\\\"n").find(line[1]) == std::string_view::npos) {
            return fault("a broken escape"), false;
          }
          value += line[1] == 'n' ? '\n' : line[1];
          line.remove_prefix(2);
        } else {
          value += line.front();
          line.remove_prefix(1);
        }
      }
      if (!labels.emplace(name, value).second) return fault("a label twice: " + name), false;
      if (line.starts_with("\",")) {
        line.remove_prefix(2);
      } else if (line.starts_with("\"} ")) {
        line.remove_prefix(3);
        return true;
      } else {
        return fault("labels without an end"), false;
      }
    }
  }

  void check(const MetricFamily& family) {
    if (family.type.empty() || family.help.empty()) (void)fault(family.name + " has no TYPE or no HELP");
    for (const MetricSample& sample : family.samples) {
      const bool counts = family.type == "counter" || family.type == "histogram";
      if (counts && sample.value < 0) (void)fault(sample.name + " is negative");
      if (family.type == "info" && sample.value != 1) (void)fault(sample.name + " is not 1");
    }
    if (family.type == "histogram") check_buckets(family);
  }

  /// Per set of the other labels: bounds rise, counts don't fall, the last bound is +Inf and has the count.
  void check_buckets(const MetricFamily& family) {
    struct Last {
      double bound = -1, count = -1;
    };
    std::map<std::map<std::string, std::string>, Last> last;
    for (const MetricSample& sample : family.samples) {
      std::map<std::string, std::string> others = sample.labels;
      if (sample.name.ends_with("_bucket")) {
        const auto bound = number(others["le"]);
        others.erase("le");
        Last& before = last[others];
        if (!bound || *bound <= before.bound || sample.value < before.count) (void)fault(family.name + ": buckets");
        before = {bound.value_or(0), sample.value};
      } else if (sample.name.ends_with("_count")) {
        const Last& total = last[others];
        const bool same = std::isinf(total.bound) && total.count == sample.value;
        if (!same) (void)fault(family.name + ": +Inf and count differ");
      }
    }
  }

  std::string_view rest_;
  Metrics metrics_;
  std::set<std::pair<std::string, std::map<std::string, std::string>>> seen_;
  std::size_t line_ = 0;
  bool ended_ = false;
};

}  // namespace

const MetricFamily* Metrics::family(std::string_view name) const {
  const auto found = std::ranges::find(families, name, &MetricFamily::name);
  return found == families.end() ? nullptr : &*found;
}

double Metrics::sum(std::string_view name, std::string_view label, std::string_view value) const {
  double sum = -1;
  for (const MetricFamily& family : families) {
    for (const MetricSample& sample : family.samples) {
      if (sample.name != name) continue;
      const auto has = sample.labels.find(std::string(label));
      if (!label.empty() && (has == sample.labels.end() || has->second != value)) continue;
      sum = std::max(sum, 0.0) + sample.value;
    }
  }
  return sum;
}

Metrics parse_openmetrics(std::string_view text) { return Parser(text).parse(); }

}  // namespace tests
