#pragma once

#include <cstdint>

#include <netrunner/log.hpp>
#include <netrunner/stats.hpp>

#include "engine/flow/shared_flow.hpp"
#include "engine/reactor/reactor.hpp"
#include "engine/shard/event_queue.hpp"
#include "engine/shard/verb_queue.hpp"
#include "engine/shepherd_link/link.hpp"

namespace netrunner::shard {

class Shard;

/// What a command's Child needs of its shard. Owner: the Shard.
struct Rooms {
  Shard& shard;
  detail::Core* core;
  reactor::Reactor& reactor;
  flow::SharedFlow& flow;
  shepherd_link::Link& link;
  VerbQueue& verbs;
  ShardStats& stats;
  EventQueue& events;
  const Logger& logger;
};

}  // namespace netrunner::shard
