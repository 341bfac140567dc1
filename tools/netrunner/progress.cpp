#include "tools/netrunner/progress.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/netrunner/messages.hpp"

namespace netrunner::tool {
namespace {

constexpr const char* erase_line = "\r\x1b[K";

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  if (whole >= 3600) return std::to_string(whole / 3600) + "h" + std::to_string(whole / 60 % 60) + "m";
  if (whole >= 60) return std::to_string(whole / 60) + "m" + std::to_string(whole % 60) + "s";
  return std::to_string(whole) + "s";
}

std::size_t terminal_columns() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2) return 80;
  return size.ws_col;
}

}  // namespace

Progress::Progress(bool wanted) : on_(wanted && ::isatty(STDERR_FILENO) == 1) {}

std::string Progress::text(const Figures& figures, double elapsed_s) {
  const double rate = elapsed_s > 0 ? static_cast<double>(figures.done) / elapsed_s : 0;
  std::string text = std::to_string(figures.done) + "/" + (figures.total ? std::to_string(*figures.total) : "?") +
                     " done, " + std::to_string(figures.running) + " running, " + std::to_string(figures.failed) +
                     " failed";
  std::array<char, 64> shown;
  std::snprintf(shown.data(), shown.size(), ", %.*f/s", rate < 10 ? 1 : 0, rate);
  text += shown.data();
  if (figures.total && figures.done > 0 && figures.done < *figures.total) {
    text += ", ETA " + duration_text(static_cast<double>(*figures.total - figures.done) / rate);
  }
  return text;
}

void Progress::draw(const Figures& figures) {
  const Clock::time_point now = Clock::now();
  if (!on_ || (drawn_ && now - drawn_at_ < interval)) return;
  std::string line = text(figures, std::chrono::duration<double>(now - started_).count());
  line.resize(std::min(line.size(), terminal_columns() - 1));  // A line that wraps can't be erased.
  print_error(erase_line + line);
  drawn_ = true;
  drawn_at_ = now;
}

void Progress::clear() {
  if (drawn_) print_error(erase_line);
  drawn_ = false;
}

}  // namespace netrunner::tool
