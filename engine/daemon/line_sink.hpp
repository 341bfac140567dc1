#pragma once
/// Where lines end up.

#include <memory>

#include <netrunner/daemon.hpp>

namespace netrunner::daemon {

/// Owner and thread: the output. Every call may block, and holds up that thread alone.
class LineSink {
 public:
  LineSink() = default;
  LineSink(const LineSink&) = delete;
  LineSink& operator=(const LineSink&) = delete;
  virtual ~LineSink() = default;
  virtual void put(const DaemonLine& line) = 0;
  virtual void flush() {}
  virtual void reopen() {}
  virtual void add_to(LogStats& /*stats*/) const {}
};

[[nodiscard]] Result<std::unique_ptr<LineSink>> make_sink(const DaemonOptions& options);

}  // namespace netrunner::daemon
