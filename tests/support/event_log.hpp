#pragma once
/// Events kept as they are told: copies of what lives during the callback only.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include <netrunner/event.hpp>

namespace tests {

namespace nr = netrunner;

struct KeptEvent {
  nr::Event event;      ///< Its views and pointers are gone.
  std::string program;  ///< What the view showed.
  std::string message;  ///< Of the error.
  nr::Ended ended;      ///< gone only.
};

/// Thread-safe: every shard tells it.
class EventLog {
 public:
  [[nodiscard]] nr::OnEvent callback() {
    return [this](const nr::Event& event) {
      KeptEvent kept{event, std::string(event.program), {}, {}};
      if (event.error != nullptr) kept.message = event.error->message();
      if (event.ended != nullptr) kept.ended = *event.ended;
      kept.event.program = {};
      kept.event.error = nullptr;
      kept.event.ended = nullptr;
      const std::lock_guard guard(mutex_);
      events_.push_back(std::move(kept));
    };
  }
  [[nodiscard]] std::vector<KeptEvent> all() const {
    const std::lock_guard guard(mutex_);
    return events_;
  }
  /// Those of one command, in order.
  [[nodiscard]] std::vector<KeptEvent> of(std::uint64_t command) const {
    std::vector<KeptEvent> found = all();
    std::erase_if(found, [&](const KeptEvent& kept) { return kept.event.command != command; });
    return found;
  }
  [[nodiscard]] std::size_t count(nr::EventKind kind) const {
    const std::lock_guard guard(mutex_);
    return static_cast<std::size_t>(
        std::ranges::count_if(events_, [&](const KeptEvent& kept) { return kept.event.kind == kind; }));
  }

 private:
  mutable std::mutex mutex_;
  std::vector<KeptEvent> events_;
};

/// "queued spawned exec output exited drained gone"; neighbours of one kind are said once.
[[nodiscard]] inline std::string kinds_of(const std::vector<KeptEvent>& events) {
  std::string kinds;
  const KeptEvent* before = nullptr;
  for (const KeptEvent& kept : events) {
    if (before == nullptr || before->event.kind != kept.event.kind) {
      kinds += (kinds.empty() ? "" : " ") + std::string(nr::name_of(kept.event.kind));
    }
    before = &kept;
  }
  return kinds;
}

/// The first of this kind; a test that has none fails on its values.
[[nodiscard]] inline KeptEvent first_of(const std::vector<KeptEvent>& events, nr::EventKind kind) {
  const auto found = std::ranges::find_if(events, [&](const KeptEvent& kept) { return kept.event.kind == kind; });
  return found == events.end() ? KeptEvent{} : *found;
}

}  // namespace tests
