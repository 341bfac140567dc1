#pragma once
/// The live line of `netrunner each` on a terminal.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace netrunner::tool {

/// Owner and thread: the printer's. Draws at most ten times a second; on what is no terminal it draws nothing.
class Progress {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds interval{100};

  struct Figures {
    std::uint64_t done = 0, running = 0, failed = 0;
    std::optional<std::uint64_t> total;
  };

  explicit Progress(bool wanted);
  [[nodiscard]] bool is_on() const noexcept { return on_; }
  void draw(const Figures& figures);
  /// Before anything else is written to the terminal.
  void clear();

  [[nodiscard]] static std::string text(const Figures& figures, double elapsed_s);

 private:
  const bool on_;
  bool drawn_ = false;
  const Clock::time_point started_ = Clock::now();
  Clock::time_point drawn_at_{};
};

}  // namespace netrunner::tool
