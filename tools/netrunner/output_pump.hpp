#pragma once
/// Carries one output stream of a command to a descriptor of ours.

#include <string>
#include <thread>
#include <utility>

#include <netrunner/process.hpp>

namespace netrunner::tool {

/// Owner: a subcommand, which joins it before the Process goes. A thread of its own: our descriptor may be shared with
/// others, so it can't be made non-blocking, and a write that blocks may hold up this stream only. The chunk in its
/// hands is the stream's credit: a reader that is slow slows the command, and nothing piles up.
class OutputPump {
 public:
  /// `prefix`: in front of each line, which is then written in one piece; empty: bytes are carried as they come.
  OutputPump(Process& process, Stream stream, int fd, std::string prefix = {})
      : prefix_(std::move(prefix)), thread_([this, &process, stream, fd] { move_all(process, stream, fd); }) {}

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
  int failed_ = 0;
  std::jthread thread_;  // Last: it uses what is above.
};

}  // namespace netrunner::tool
