#pragma once
/// A strict reader of OpenMetrics text, version 1.0.0: what the specification demands of an exposition.

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tests {

struct MetricSample {
  std::string name;  ///< With its suffix.
  std::map<std::string, std::string> labels;
  double value = 0;
};

struct MetricFamily {
  std::string name, type, unit, help;
  std::vector<MetricSample> samples;
};

struct Metrics {
  std::vector<MetricFamily> families;
  std::string fault;  ///< The first one, with its line; empty: the text is right.

  [[nodiscard]] const MetricFamily* family(std::string_view name) const;
  /// The sum over all samples of this name (with suffix) that have this label; -1: there is none.
  [[nodiscard]] double sum(std::string_view sample, std::string_view label = {}, std::string_view value = {}) const;
};

[[nodiscard]] Metrics parse_openmetrics(std::string_view text);

}  // namespace tests
