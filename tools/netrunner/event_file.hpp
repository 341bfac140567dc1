#pragma once
/// Events into a file, a JSON object per line, without holding up the shards that tell them.

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include <netrunner/event.hpp>

#include "tools/netrunner/event_json.hpp"
#include "tools/netrunner/options.hpp"

namespace netrunner::tool {

/// Owner: a subcommand; it must outlive the engine that tells it. A thread of its own writes: a slow file or a full
/// FIFO holds nothing up. What doesn't fit the queue is left out, and a line says how many events that were.
class EventFile {
 public:
  EventFile() = default;
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;
  ~EventFile();

  [[nodiscard]] Checked<void> open(const std::string& path);
  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
  /// For EngineOptions::on_event; empty where no file is open.
  [[nodiscard]] OnEvent callback();
  /// Writes the rest; blocks meanwhile. An error: the file isn't complete.
  [[nodiscard]] Checked<void> close();

 private:
  static constexpr std::size_t queue_bytes_max = 16U * 1024 * 1024;

  void put(std::string line);
  void write_all_lines();

  int fd_ = -1;
  std::string path_;
  Clocks start_;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::string queue_;
  std::uint64_t left_out_ = 0;
  int failed_ = 0;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace netrunner::tool
