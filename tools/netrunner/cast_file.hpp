#pragma once
/// `--record`: a terminal session as asciicast v2 (https://docs.asciinema.org/manual/asciicast/v2/), a line per event.

#include <chrono>
#include <cstddef>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <netrunner/terminal.hpp>

#include "tools/netrunner/options.hpp"

namespace netrunner::tool {

/// Owner: a run. Any thread. Each event is written when it happens, so what a killed run leaves is a whole recording of
/// what was shown until then.
class CastFile {
 public:
  CastFile() = default;
  ~CastFile();
  CastFile(const CastFile&) = delete;
  CastFile& operator=(const CastFile&) = delete;

  /// Makes the file and writes its head. Time begins now.
  [[nodiscard]] Checked<void> open(const std::string& path, const WindowSize& size,
                                   const std::vector<std::string>& argv);
  void output(std::span<const std::byte> bytes);
  void resize(const WindowSize& size);
  /// The errno of the write that failed, or 0. Nothing is written after one.
  [[nodiscard]] int close();

 private:
  void event(std::string_view kind, const std::string& text);
  void put(const std::string& line);

  std::mutex mutex_;
  int fd_ = -1;
  int failed_ = 0;
  std::chrono::steady_clock::time_point begun_;
  std::string unfinished_;  ///< The first bytes of a character whose rest comes with the next output.
};

}  // namespace netrunner::tool
