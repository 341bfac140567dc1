#pragma once
/// Where the standard streams of a command lead: the decision of `netrunner run`.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <netrunner/command.hpp>

#include "tools/netrunner/options.hpp"

namespace netrunner::tool {

/// Owner: the subcommand. Inherited streams cost nothing and stay a terminal; pipes let the engine see, count, bound
/// and drain what is written. So pipes are made only for what needs them.
class StdioPlan {
 public:
  void declare(Options& options);
  /// These lead to a terminal; stdin not, where --stdin says something else.
  void lead_to_terminal(std::vector<Stream> streams);
  [[nodiscard]] bool types() const noexcept { return on_terminal(Stream::in); }
  void needs_pipes() noexcept { needs_pipes_ = true; }  ///< Something else does: a report that counts bytes.
  /// Each line gets something before it.
  void prefixes() noexcept { prefixes_ = needs_pipes_ = true; }
  [[nodiscard]] Checked<void> check() const;

  [[nodiscard]] bool pipes() const noexcept {
    return mode_ == Mode::pipe || mode_ == Mode::socket || (mode_ == Mode::automatic && needs_pipes_);
  }
  [[nodiscard]] bool has_sockets() const noexcept { return mode_ == Mode::socket; }
  /// The streams whose bytes come to us: none, or stdout, and stderr where it isn't merged. Of a terminal the first
  /// that names it, so that stdin may be one.
  [[nodiscard]] std::vector<Stream> streams_to_us() const;
  /// Of those, the one that is the terminal; none.
  [[nodiscard]] std::optional<Stream> terminal_stream() const;
  [[nodiscard]] Command apply(const Command& command) const;

 private:
  enum class Mode : std::uint8_t { automatic, pipe, socket, inherit };

  void declare_drain(Options& options);
  [[nodiscard]] bool on_terminal(Stream stream) const noexcept;
  [[nodiscard]] Stdio output(Stream stream) const;

  Mode mode_ = Mode::automatic;
  bool needs_pipes_ = false;
  bool merge_ = false, truncate_ = false, limited_ = false, in_given_ = false, prefixes_ = false;
  bool drain_given_ = false, drain_max_given_ = false;
  std::vector<Stream> terminal_;
  std::string in_ = "inherit";
  std::uint64_t output_limit_ = UINT64_MAX;
  Nanoseconds idle_ = Nanoseconds::max();
  Drain drain_;
};

}  // namespace netrunner::tool
