/// The engine's figures as OpenMetrics text, version 1.0.0 (prometheus/OpenMetrics, the specification).

#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include <netrunner/stats.hpp>

namespace netrunner {
namespace {

constexpr double ns_per_s = 1e9;

/// A figure of a shard. Its name ends with its unit, where it has one.
struct Figure {
  std::string_view name, unit, help;
  std::uint64_t ShardStats::* value;
};

constexpr std::array<Figure, 10> gauges = {{
    {"commands_running", "", "Commands that run, or whose end is being dealt with.", &ShardStats::running},
    {"commands_quarantined", "", "Commands that can't be killed.", &ShardStats::quarantined},
    {"buffered_bytes", "bytes", "Bytes of all streams in the host.", &ShardStats::buffered_bytes},
    {"buffered_peak_bytes", "bytes", "The most of them there ever were.", &ShardStats::buffered_bytes_peak},
    {"budget_bytes", "bytes", "The bound of buffered_bytes.", &ShardStats::budget_bytes},
    {"pool_bytes", "bytes", "Memory of the chunk pool.", &ShardStats::pool_bytes},
    {"pool_chunks_out", "", "Buffers of the pool that hold bytes.", &ShardStats::chunks_out},
    {"streams_parked", "", "Streams that wait for a buffer or for budget.", &ShardStats::parked},
    {"ring_in_flight", "", "Operations that the kernel has.", &ShardStats::ring_in_flight},
    {"groups_left", "", "cgroups that could not be removed yet.", nullptr},
}};

constexpr std::array<Figure, 14> counters = {{
    {"commands_started", "", "Commands whose exec succeeded.", &ShardStats::started},
    {"start_failures", "", "Commands that did not start.", &ShardStats::start_failures},
    {"shepherds_lost", "", "Helper processes that died and were replaced.", &ShardStats::shepherds_lost},
    {"read_bytes", "bytes", "Bytes read from commands.", &ShardStats::read_bytes},
    {"reads", "", "Reads that moved bytes.", &ShardStats::reads},
    {"written_bytes", "bytes", "Bytes written to commands.", &ShardStats::written_bytes},
    {"writes", "", "Writes that moved bytes.", &ShardStats::writes},
    {"stalls", "", "Times that a stream stood still for want of credit or room.", &ShardStats::stalls},
    {"stalled_seconds", "seconds", "For how long, of those that have gone on.", &ShardStats::stalled_ns},
    {"turns", "", "Turns of the shard's loop.", &ShardStats::turns},
    {"completions", "", "Completions of io_uring operations.", &ShardStats::completions},
    {"ring_overflows", "", "Completions that did not fit the ring at once.", &ShardStats::ring_overflows},
    {"no_buffer_completions", "", "Reads that found no buffer.", &ShardStats::no_buffer_completions},
    {"events", "", "Events told to callbacks.", &ShardStats::events},
}};

struct Latency {
  std::string_view name, help;
  Histogram ShardStats::* value;
};
constexpr std::array<Latency, 2> latencies = {{
    {"spawn_latency_seconds", "From the request to exec.", &ShardStats::spawn_latency},
    {"stop_latency_seconds", "From the order to end until nothing was left.", &ShardStats::stop_latency},
}};

/// The text, family by family.
class Exposition {
 public:
  explicit Exposition(const EngineStats& stats) : stats_(stats) {}

  [[nodiscard]] std::string text() {
    info();
    for (const Figure& gauge : gauges) add(gauge, "gauge", "");
    for (const Figure& counter : counters) add(counter, "counter", "_total");
    ends();
    for (const Latency& latency : latencies) add(latency);
    return std::move(text_) + "# EOF\n";
  }

 private:
  void family(std::string_view name, std::string_view type, std::string_view unit, std::string_view help) {
    name_ = "netrunner_" + std::string(name);
    text_ += "# TYPE " + name_ + " " + std::string(type) + "\n";
    if (!unit.empty()) text_ += "# UNIT " + name_ + " " + std::string(unit) + "\n";
    text_ += "# HELP " + name_ + " " + std::string(help) + "\n";
  }

  static std::string label(std::string_view name, std::string_view value) {
    return std::string(name) + "=\"" + std::string(value) + "\"";
  }
  static std::string label(const ShardStats& shard) { return label("shard", std::to_string(shard.shard)); }

  void sample(std::string_view suffix, const std::string& labels, const std::string& value) {
    text_ += name_ + std::string(suffix) + "{" + labels + "} " + value + "\n";
  }

  static std::string seconds(std::uint64_t ns) {
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), static_cast<double>(ns) / ns_per_s);
    return {digits.data(), end.ptr};
  }

  void info() {
    family("shard", "info", "", "How a shard starts and contains its commands.");
    for (const ShardStats& shard : stats_.shards) {
      sample("_info",
             label(shard) + "," + label("containment", name_of(shard.containment)) + "," +
                 label("spawn_path", name_of(shard.spawn_path)),
             "1");
    }
  }

  void add(const Figure& figure, std::string_view type, std::string_view suffix) {
    family(figure.name, type, figure.unit, figure.help);
    for (const ShardStats& shard : stats_.shards) {
      const std::uint64_t value = figure.value == nullptr ? shard.groups_left : shard.*figure.value;
      sample(suffix, label(shard), figure.unit == "seconds" ? seconds(value) : std::to_string(value));
    }
  }

  void ends() {
    family("commands_ended", "counter", "", "Commands that have ended, by the reason why.");
    for (const ShardStats& shard : stats_.shards) {
      for (std::size_t i = 0; i < shard.ended_by_reason.size(); ++i) {
        sample("_total", label(shard) + "," + label("reason", name_of(static_cast<EndReason>(i))),
               std::to_string(shard.ended_by_reason[i]));
      }
    }
  }

  /// A bucket per doubling: four times as coarse as what is kept.
  void add(const Latency& latency) {
    family(latency.name, "histogram", "seconds", latency.help);
    for (const ShardStats& shard : stats_.shards) {
      const Histogram& histogram = shard.*latency.value;
      std::uint64_t below = 0;
      for (std::size_t i = 0; i + 1 < Histogram::buckets; ++i) {
        below += histogram.counts()[i];
        if (i % Histogram::per_octave != 0) continue;
        sample("_bucket", label(shard) + "," + label("le", seconds(Histogram::bound_ns(i))), std::to_string(below));
      }
      sample("_bucket", label(shard) + "," + label("le", "+Inf"), std::to_string(histogram.count()));
      sample("_count", label(shard), std::to_string(histogram.count()));
      sample("_sum", label(shard), seconds(histogram.sum_ns()));
    }
  }

  const EngineStats& stats_;
  std::string name_, text_;
};

}  // namespace

std::string to_openmetrics(const EngineStats& stats) { return Exposition(stats).text(); }

}  // namespace netrunner
