#pragma once

#include <cstdint>
#include <memory>
#include <sys/types.h>
#include <utility>
#include <vector>

#include <netrunner/exit_status.hpp>

#include "engine/os/pipe_holders.hpp"

namespace netrunner::shard {

class HolderSearch;

/// An output that others may still write to.
struct OpenPipe {
  Stream stream = Stream::out;
  std::uint64_t key = 0;  ///< As os::PipeHolders knows it.
};

/// What one command whose leader has ended asks: who holds its pipes? Owner: its Child, not longer than the search is
/// there. Thread: its shard's.
class HolderInquiry {
 public:
  HolderInquiry(HolderSearch& search, std::vector<OpenPipe> pipes, std::int64_t until_ns);
  HolderInquiry(const HolderInquiry&) = delete;
  HolderInquiry& operator=(const HolderInquiry&) = delete;
  ~HolderInquiry();

  /// It was answered, or has lasted long enough.
  [[nodiscard]] bool over(std::int64_t now_ns) const noexcept { return answered_ || now_ns >= until_ns_; }
  [[nodiscard]] const std::vector<PipeHolder>& found() const noexcept { return found_; }

 private:
  friend class HolderSearch;
  HolderSearch& search_;
  std::vector<OpenPipe> pipes_;
  std::vector<PipeHolder> found_;
  std::int64_t until_ns_;
  bool answered_ = false;
};

/// Names who holds the pipes of commands whose leaders have ended, in rounds: one look at each process answers all that
/// asked before the round began, so that it costs no more when many commands end together. What lives of them hangs
/// below the shepherd, beside the leaders of the others: that is looked at first. Whoever else got a descriptor is
/// looked for in all of /proc. A slice in each turn: no other command waits for it.
/// Owner: one shard. Thread: its own.
class HolderSearch {
 public:
  struct Scene {
    pid_t shepherd = 0;
    std::vector<pid_t> leaders;  ///< Of running commands, in any order.
  };
  /// To be asked in each turn whether it is over.
  [[nodiscard]] std::unique_ptr<HolderInquiry> ask(std::vector<OpenPipe> pipes, std::int64_t now_ns);
  /// Somebody waits for a round, and none is under way: begin() one.
  [[nodiscard]] bool is_wanted() const noexcept { return round_ == nullptr && !waiting_.empty(); }
  void begin(Scene scene);
  /// A slice of the round that is under way.
  void search_on();

 private:
  friend class HolderInquiry;
  struct Place {
    std::size_t inquiry = 0;
    Stream stream = Stream::out;
  };
  void withdraw(HolderInquiry& inquiry);
  void tell_found();

  std::vector<HolderInquiry*> waiting_;   ///< For the next round.
  std::vector<HolderInquiry*> answering_;  ///< Of this one; null: withdrawn, or answered.
  std::vector<Place> places_;             ///< Whose each pipe of the round is.
  std::unique_ptr<os::PipeHolders> round_;
  std::size_t told_ = 0;
};

}  // namespace netrunner::shard
