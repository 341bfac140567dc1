#pragma once
/// One stream of a command in the hands of another owner than its Process: `process.take(Stream::out)`.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <netrunner/awaitable.hpp>
#include <netrunner/chunk.hpp>
#include <netrunner/stdio.hpp>

namespace netrunner {

namespace detail {

/// What Reader and Writer share: a stream's name and the right to it. Dropped: the stream is closed by its shard.
class TakenStream {
 public:
  TakenStream(Core* core, Child* child, Stream stream, Direction direction) noexcept
      : core_(core), child_(child), stream_(stream), direction_(direction) {}
  TakenStream(TakenStream&& other) noexcept
      : core_(other.core_),
        child_(std::exchange(other.child_, nullptr)),
        stream_(other.stream_),
        direction_(other.direction_) {}
  TakenStream& operator=(TakenStream&& other) noexcept {
    TakenStream taken(std::move(other));
    std::swap(core_, taken.core_);
    std::swap(child_, taken.child_);
    std::swap(stream_, taken.stream_);
    return *this;
  }
  ~TakenStream();

  [[nodiscard]] explicit operator bool() const noexcept { return child_ != nullptr; }
  [[nodiscard]] Stream stream() const noexcept { return stream_; }
  /// For the engine: nothing is closed when it is dropped.
  void release() noexcept { child_ = nullptr; }

 protected:
  Core* core_;
  Child* child_;
  Stream stream_;

 private:
  Direction direction_;
};

}  // namespace detail

/// The only reader of an output stream of a command. Move-only; may be used and dropped in any thread, one verb at a
/// time. Outlives its Process: when that is dropped the command is stopped, and what it wrote until then is read here.
/// Outlives its Engine safely. Dropped: close().
class Reader : public detail::TakenStream {
 public:
  Reader(detail::Core* core, detail::Child* child, Stream stream) noexcept
      : TakenStream(core, child, stream, Direction::from_command) {}
  /// As Process::read.
  [[nodiscard]] Awaitable<std::optional<Chunk>> read(std::size_t bytes_max = SIZE_MAX);
  /// As Process::close_output: no more is wanted, the command gets SIGPIPE when it writes on.
  [[nodiscard]] Awaitable<void> close();
};

/// The only writer of an input stream of a command. As Reader in all else. Dropped: end of input, after what is queued.
class Writer : public detail::TakenStream {
 public:
  Writer(detail::Core* core, detail::Child* child, Stream stream) noexcept
      : TakenStream(core, child, stream, Direction::to_command) {}
  /// As Process::write.
  [[nodiscard]] Awaitable<void> write(std::span<const std::byte> bytes);
  [[nodiscard]] Awaitable<void> write(std::string_view text) { return write(std::as_bytes(std::span(text))); }
  /// As Process::close_input.
  [[nodiscard]] Awaitable<void> close();
};

}  // namespace netrunner
