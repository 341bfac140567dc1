#pragma once

namespace netrunner::detail {

/// One message to a shard's thread. Intrusive: whoever posts it owns its memory, so that posting allocates nothing.
/// It is the shard's from the post until `open` ran, once, on the shard's thread.
struct Letter {
  Letter* next = nullptr;
  void (*open)(Letter& letter) noexcept = nullptr;
};

}  // namespace netrunner::detail
