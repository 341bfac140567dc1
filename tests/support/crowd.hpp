#pragma once
/// Many coroutines at once, so many in flight:
///   crowd(host.engine(), 10'000, 256, [&](std::size_t n) -> nr::Task<void> {...}).

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>

#include <netrunner/netrunner.hpp>

namespace tests {

namespace detail {

struct CrowdState {
  std::size_t count;
  std::function<netrunner::Task<void>(std::size_t)> body;
  std::atomic<std::size_t> next{0}, working;
  netrunner::blocking::detail::Signal done;
};

inline netrunner::Task<void> crowd_worker(CrowdState& state) {
  for (std::size_t n; (n = state.next.fetch_add(1)) < state.count;) co_await state.body(n);
}

inline netrunner::detail::Detached crowd_start(CrowdState& state) {
  {
    netrunner::Task<void> worker = crowd_worker(state);
    co_await worker;
  }
  if (state.working.fetch_sub(1) == 1) state.done.set();
}

}  // namespace detail

/// Runs body(0) ... body(count - 1), `in_flight` at a time, and returns when all are over. Bodies go on in the
/// threads of the shards: what they touch together must be atomic.
inline void crowd(netrunner::Engine& engine, std::size_t count, std::size_t in_flight,
                  std::function<netrunner::Task<void>(std::size_t)> body) {
  const std::size_t workers = std::min(count, in_flight);
  if (workers == 0) return;
  detail::CrowdState state{.count = count, .body = std::move(body), .working = workers, .done = {}};
  for (std::size_t worker = 0; worker < workers; ++worker) detail::crowd_start(state);
  netrunner::blocking::detail::block_until(engine.core(), state.done);
}

}  // namespace tests
