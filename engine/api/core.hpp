#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <netrunner/engine.hpp>

#include "engine/containment/cgroup_manager.hpp"
#include "engine/containment/limit_places.hpp"
#include "engine/reactor/ticket.hpp"
#include "engine/shard/shard.hpp"

namespace netrunner::detail {

/// A page that a fork(2) wipes: the child of a fork finds it empty and uses no ring of its parent's.
/// madvise(2) MADV_WIPEONFORK, Linux 4.14.
class ForkGuard {
 public:
  ForkGuard();
  ForkGuard(const ForkGuard&) = delete;
  ForkGuard& operator=(const ForkGuard&) = delete;
  ~ForkGuard();
  [[nodiscard]] bool in_forked_child() const noexcept { return page_ != nullptr && *page_ == 0; }

 private:
  std::uint32_t* page_;
};

/// What an Engine, its processes and its chunks refer to. Lives until the last of them has gone.
class Core final : private shard::Neighbours {
 public:
  [[nodiscard]] static Result<Core*> open(const EngineOptions& options);

  [[nodiscard]] shard::Shard& shard(std::uint32_t index) noexcept { return *shards_[index]; }
  [[nodiscard]] std::uint32_t shards() const noexcept { return static_cast<std::uint32_t>(shards_.size()); }
  [[nodiscard]] const EngineOptions& options() const noexcept { return options_; }
  /// Where the next command goes.
  [[nodiscard]] std::uint32_t place() noexcept;
  /// The shard whose thread this is, else where the next command would go.
  [[nodiscard]] std::uint32_t shard_here() noexcept;
  /// The host's current directory is another than when the engine was opened.
  [[nodiscard]] bool directory_changed() const noexcept;
  [[nodiscard]] bool in_forked_child() const noexcept { return fork_guard_.in_forked_child(); }
  [[nodiscard]] bool foreign() const noexcept { return options_.threads == Threads::foreign; }
  /// The host had this one of 0, 1 and 2 when the engine was opened.
  [[nodiscard]] bool had_standard(int number) const noexcept { return had_standard_[static_cast<std::size_t>(number)]; }
  /// This thread turns one of the shards.
  [[nodiscard]] bool on_shard_thread() const noexcept;

  /// Where limits can be had; found out when first asked for. Any thread.
  [[nodiscard]] Result<containment::LimitPlaces*> limit_places();

  void deliver(shard::Shard& shard, Letter& letter);
  /// One turn of the foreign loop; a coroutine that it resumes may end the Engine.
  void turn(std::int64_t wait_until_ns);
  CloseReport close();
  /// The Engine goes, in whatever thread.
  void end();
  /// The Engine has gone.
  void abandon();
  /// It isn't deleted before it is let go as often. Any thread.
  void hold();
  void let_go();

 private:
  explicit Core(const EngineOptions& options);
  ~Core();
  [[nodiscard]] Result<void> start_shards();
  [[nodiscard]] std::optional<Error> why_not_close_here() const;
  void order_close();
  void end_elsewhere();
  [[nodiscard]] shard::Shard::Options shard_options(std::uint32_t index) const;
  void delete_if_forgotten();
  [[nodiscard]] Result<void> choose_containment();
  void shepherd_is_ready(shard::Shard& shard) override;
  void introduce_all();

  EngineOptions options_;
  ForkGuard fork_guard_;
  shepherd_link::LaunchOptions launch_;
  std::unique_ptr<containment::CgroupManager> cgroups_;
  std::mutex limit_mutex_;  ///< Guards the next one.
  std::unique_ptr<containment::LimitPlaces> limit_places_;
  Containment level_ = Containment::process_group;
  std::string containment_note_;
  std::uint32_t number_;  ///< Among the engines of this process.
  std::mutex meeting_;    ///< Guards all_open_ and what is read of shards_ while it is false.
  bool all_open_ = false;
  std::array<bool, 3> had_standard_{};
  std::uint64_t directory_device_ = 0, directory_inode_ = 0;
  std::vector<std::unique_ptr<shard::Shard>> shards_;
  std::vector<std::thread> threads_;
  // Under shard::after_close().
  CloseReport report_;
  std::uint32_t holds_ = 0;
  bool closing_ = false, closed_ = false, abandoned_ = false;
  reactor::Ticket next_;
};

}  // namespace netrunner::detail
