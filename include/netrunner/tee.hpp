#pragma once
/// One output stream to several receivers at once: the slowest sets the pace, and nothing piles up for the others.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <netrunner/error.hpp>
#include <netrunner/process.hpp>
#include <netrunner/stdio.hpp>
#include <netrunner/task.hpp>

namespace netrunner {

/// A receiver: done when it has dealt with these bytes, which live until then; none: the end, said once. An error: it
/// wants no more. It may go on in any thread.
using Sink = std::function<Task<Result<void>>(std::span<const std::byte> bytes)>;

/// The stdin of another command, of any shard; closed at the end. The Process must outlive the tee.
[[nodiscard]] Sink sink_into(Process& command, Stream stream = Stream::in);
/// Appends; grows without bound.
[[nodiscard]] Sink sink_into(std::string& text);

/// How a tee ended.
struct Teed {
  std::uint64_t bytes = 0;            ///< Read from the stream.
  std::vector<Result<void>> sinks;    ///< Of each: whether it took everything, or why it left.
};

/// Reads `stream` to its end and gives each chunk to all sinks at once; the next is read when every one has dealt with
/// it. A sink that fails gets no more, the others go on; when none is left the stream is closed, and the command gets
/// SIGPIPE when it writes on. Fails where the stream can't be read. The Process must outlive the task.
[[nodiscard]] Task<Result<Teed>> tee(Process& process, std::vector<Sink> sinks, Stream stream = Stream::out);

}  // namespace netrunner
