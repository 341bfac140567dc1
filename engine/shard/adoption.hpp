#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <sys/types.h>
#include <vector>

#include <netrunner/adopted.hpp>

#include "engine/os/unique_fd.hpp"
#include "engine/reactor/reactor.hpp"
#include "engine/ring/poll.hpp"
#include "engine/shard/verb_queue.hpp"

namespace netrunner::shard {
class Shard;
}

namespace netrunner::detail {

/// A process that was started elsewhere, in the host: its end, the signals to it, its ladder. It isn't the shepherd's,
/// and is let alone when the host dies.
/// Made in the caller's thread; then owner: one shard, and thread: its own.
class Adoption {
 public:
  Adoption(os::UniqueFd pidfd, pid_t pid);
  ~Adoption();

  /// The shard has it.
  void begin(shard::Shard& shard, reactor::Reactor& reactor, shard::VerbQueue& verbs);
  void handle(Verb& verb);
  /// True: it waited here, and is idle now.
  bool withdraw(Verb& verb) noexcept { return end_verbs_.remove(verb); }
  void stop(const KillLadder& ladder);
  /// The engine closes: who waits is told, the process is let alone.
  void close();
  /// The handle was dropped.
  void release();

  [[nodiscard]] shard::Shard& shard() const noexcept { return *shard_; }
  [[nodiscard]] pid_t pid() const noexcept { return end_.pid; }
  [[nodiscard]] bool may_go() const noexcept { return released_ && poll_.idle(); }

 private:
  void watch();
  void look();
  void seek_status();
  void finish();
  void climb();
  int send(int signal);
  void let_alone();
  [[nodiscard]] std::int64_t kill_ns(const std::vector<Rung>& rungs, std::size_t next, std::int64_t due_ns) const;

  os::UniqueFd pidfd_;
  shard::Shard* shard_ = nullptr;
  reactor::Reactor* reactor_ = nullptr;
  shard::VerbQueue* verbs_ = nullptr;
  ring::Poll poll_;
  reactor::Timer rung_, seek_;
  std::vector<Rung> rungs_;
  std::size_t next_rung_ = 0;
  std::int64_t rung_due_ns_ = 0, seek_until_ns_ = 0, seek_pause_ns_ = 0;
  AdoptedEnd end_;
  bool stopping_ = false, ended_ = false, closed_ = false, released_ = false;
  shard::VerbList end_verbs_;
};

}  // namespace netrunner::detail
