#pragma once
/// The thread that keeps the instances of one Daemon running.

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include <netrunner/daemon.hpp>

#include "engine/daemon/board.hpp"
#include "engine/daemon/descriptor.hpp"
#include "engine/daemon/instance.hpp"
#include "engine/daemon/output.hpp"
#include "engine/daemon/run.hpp"

namespace netrunner::detail {

/// Owners: the Daemon, its thread, and each run that is followed; it ends when all of them have let go. What is decided
/// is decided in its thread; everything else posts to it.
class Supervisor final : public std::enable_shared_from_this<Supervisor>,
                         public daemon::RunListener,
                         public daemon::InstanceHost {
 public:
  [[nodiscard]] static Result<std::shared_ptr<Supervisor>> open(Engine& engine, const Command& command,
                                                               DaemonOptions options);

  // Any thread; none of them waits.
  void order_stop(std::optional<KillLadder> ladder);
  void order_restart(std::optional<std::uint32_t> instance);
  void reopen_log() { output_->reopen(); }
  /// The Daemon has gone: everything is stopped, the engine is not touched again.
  void drop();
  [[nodiscard]] DaemonStatus status() const;
  [[nodiscard]] daemon::Board& board() noexcept { return board_; }
  /// To a thread of the engine's, also when the Daemon or the Engine has gone.
  [[nodiscard]] Awaitable<void> hop() const noexcept { return hold_.hop(0); }

 private:
  Supervisor(Engine& engine, const Command& command, DaemonOptions options);
  [[nodiscard]] Result<void> start();
  void post(std::function<void()> letter);

  void spawned(std::shared_ptr<daemon::Run> run) override;
  void start_failed(std::shared_ptr<daemon::Run> run, Error error) override;
  void ended(std::shared_ptr<daemon::Run> run, Ended ended) override;
  void probed(std::uint32_t instance, std::uint64_t run, bool succeeded) override;

  // In its thread.
  void keep_running();
  void wait_for_something();
  void open_letters();
  void spawn(std::shared_ptr<daemon::Run> run, const Command& command) override;
  void probe(const daemon::Run& run, const Command& command, std::stop_token taken_back) override;
  void changed(const InstanceStatus& status, std::shared_ptr<daemon::Run> running) override;
  void count_open(int more);
  [[nodiscard]] bool is_done() const;

  const Command command_;
  const DaemonOptions options_;
  daemon::Board board_;
  std::shared_ptr<daemon::Output> output_;
  daemon::Descriptor wake_;

  const CoreHold hold_;
  std::mutex engine_mutex_;
  Engine* engine_;  ///< Null: it may have gone. Guarded by engine_mutex_.

  std::mutex letters_mutex_;
  std::vector<std::function<void()>> letters_;  ///< Guarded by letters_mutex_.

  // Its thread's own.
  std::vector<std::unique_ptr<daemon::Instance>> instances_;
  std::vector<pollfd> watched_;
  int open_ = 0;  ///< Streams that are not written to their end, and changes that were not told yet.
  bool dropped_ = false;
};

}  // namespace netrunner::detail
