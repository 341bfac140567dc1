#pragma once
/// Carries one output stream of a command to a descriptor of ours.

#include <string>
#include <thread>
#include <utility>

#include <netrunner/process.hpp>

#include "tools/netrunner/cast_file.hpp"

namespace netrunner::tool {

/// Owner: a subcommand, which joins it before the Process goes. A thread of its own: our descriptor may be shared with
/// others, so it can't be made non-blocking, and a write that blocks may hold up this stream only. The chunk in its
/// hands is the stream's credit: a reader that is slow slows the command, and nothing piles up.
class OutputPump {
 public:
  struct Options {
    std::string prefix;          ///< Before each line, which is then written in one piece; empty: bytes as they come.
    CastFile* record = nullptr;  ///< Gets the same bytes.
  };
  OutputPump(Process& process, Stream stream, int fd, Options options)
      : prefix_(std::move(options.prefix)),
        record_(options.record),
        thread_([this, &process, stream, fd] { move_all(process, stream, fd); }) {}
  OutputPump(Process& process, Stream stream, int fd) : OutputPump(process, stream, fd, Options{}) {}

  /// Blocks until the stream has ended and all of it is written. 0, or the errno of the write that failed: the
  /// command's output is closed then, so that its next write tells it.
  [[nodiscard]] int join() {
    thread_.join();
    return failed_;
  }

 private:
  void move_all(Process& process, Stream stream, int fd);
  void move_bytes(Process& process, Stream stream, int fd);
  void move_lines(Process& process, Stream stream, int fd);

  std::string prefix_;
  CastFile* record_;
  int failed_ = 0;
  std::jthread thread_;  // Last: it uses what is above.
};

}  // namespace netrunner::tool
