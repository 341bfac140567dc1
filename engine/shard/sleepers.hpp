#pragma once

#include <memory>
#include <unordered_map>

#include "engine/reactor/reactor.hpp"
#include "engine/shard/verb_queue.hpp"

namespace netrunner::shard {

/// Verbs that wait for a point in time. Owner: one shard. Thread: its own.
class Sleepers {
 public:
  Sleepers(reactor::Reactor& reactor, VerbQueue& verbs) noexcept : reactor_(reactor), verbs_(verbs) {}
  ~Sleepers() { NR_ASSERT(all_.empty()); }

  /// Done at Verb::until_ns; INT64_MAX: never.
  void add(Verb& verb);
  /// True: it slept here, and is idle now.
  bool withdraw(Verb& verb) noexcept;
  /// All of them fail: the engine closes.
  void close();

 private:
  struct Sleeper {
    Sleeper(Sleepers& all, Verb& sleeping) noexcept;
    reactor::Timer timer;
    Sleepers& sleepers;
    Verb& verb;
  };

  reactor::Reactor& reactor_;
  VerbQueue& verbs_;
  std::unordered_map<const Verb*, std::unique_ptr<Sleeper>> all_;
};

}  // namespace netrunner::shard
