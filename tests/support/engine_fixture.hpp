#pragma once
/// An engine and its commands as a test sees them: every verb blocks, and what fails throws (googletest reports it).

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <netrunner/netrunner.hpp>

namespace tests {

namespace nr = netrunner;
using namespace netrunner::literals;
using namespace std::chrono_literals;
using netrunner::KiB, netrunner::MiB, netrunner::GiB;

/// The value, or an exception with the error's message.
template <class T>
T value_of(nr::Result<T> result) {
  if (!result) throw std::runtime_error("failed: " + result.error().message());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

/// A command that was started, with the verbs that tests use.
class Running {
 public:
  explicit Running(nr::Process process) : process_(std::move(process)) {}

  [[nodiscard]] nr::Process& process() { return process_; }
  [[nodiscard]] nr::Process take() { return std::move(process_); }
  [[nodiscard]] pid_t pid() const { return process_.pid(); }

  /// All of them give up after `patience(60 s)`, with an exception: a test must not hang.
  [[nodiscard]] std::optional<nr::Chunk> read(nr::Stream stream = nr::Stream::out,
                                              std::size_t bytes_max = SIZE_MAX);
  [[nodiscard]] std::string read_text(nr::Stream stream = nr::Stream::out);
  [[nodiscard]] std::string read_exactly(std::size_t bytes, nr::Stream stream = nr::Stream::out);
  [[nodiscard]] std::string read_all(nr::Stream stream = nr::Stream::out);
  void write(std::string_view text, nr::Stream stream = nr::Stream::in);
  void close_input(nr::Stream stream = nr::Stream::in);
  void close_output(nr::Stream stream = nr::Stream::out);
  nr::ExitStatus exited();
  void drained();
  nr::Ended wait();
  [[nodiscard]] nr::ProcessStats stats();
  /// The figures of one stream; all zero where it is no pipe.
  [[nodiscard]] nr::StreamStats stream_stats(nr::Stream stream = nr::Stream::out);
  [[nodiscard]] std::uint64_t held_bytes(nr::Stream stream = nr::Stream::out) {
    return stream_stats(stream).held_bytes;
  }

 private:
  nr::Process process_;
};

[[nodiscard]] inline nr::EngineOptions two_shards() {
  nr::EngineOptions options;
  options.shards = 2;
  return options;
}

/// An engine for one test. Two shards unless the test says otherwise.
class EngineFixture {
 public:
  /// What carries every stream between host and command that spawn() and run() start; see UsedTransport.
  static inline nr::Transport transport = nr::Transport::pipe;

  explicit EngineFixture(const nr::EngineOptions& options = two_shards())
      : engine_(value_of(nr::Engine::open(options))) {}

  [[nodiscard]] nr::Engine& engine() { return engine_; }
  [[nodiscard]] nr::Engine& operator*() { return engine_; }
  [[nodiscard]] nr::Engine* operator->() { return &engine_; }

  [[nodiscard]] Running spawn(const nr::Command& command);
  [[nodiscard]] nr::Completed run(const nr::Command& command, nr::CaptureLimits limits = {});
  [[nodiscard]] nr::PipelineCompleted run(const nr::Pipeline& pipeline, nr::CaptureLimits limits = {});
  [[nodiscard]] nr::ShardStats shard_stats(std::size_t shard = 0);
  /// Runs a task to its end, whatever kind of engine this is.
  template <class T>
  T get(nr::Task<T> task) {
    return nr::blocking::get(engine_, std::move(task));
  }

 private:
  nr::Engine engine_;
};

/// The code that it exited with; -1: it didn't exit by itself.
[[nodiscard]] int exit_code(const nr::ExitStatus& status);
[[nodiscard]] int exit_code(const nr::Ended& ended);
/// The signal that ended it; 0: none did.
[[nodiscard]] int end_signal(const nr::ExitStatus& status);
[[nodiscard]] int end_signal(const nr::Ended& ended);

/// For nr::blocking::get: past it the verb is withdrawn instead of hanging the test.
[[nodiscard]] nr::Deadline verb_deadline();

}  // namespace tests
