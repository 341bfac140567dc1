#include "engine/shard/spare.hpp"

namespace netrunner::shard {
namespace {

constexpr std::int64_t start_pause_ns = 20'000'000;

}  // namespace

Spare::Spare(reactor::Reactor& reactor, Owner& owner, const shepherd_link::LaunchOptions& launch, Containment level)
    : reactor_(reactor),
      owner_(owner),
      link_(reactor, *this, launch, {number, level}),
      start_(this, [](void* self) { (void)static_cast<Spare*>(self)->link_.start(); }) {}

void Spare::start_soon() { reactor_.timers().arm(start_, reactor_.now_ns() + start_pause_ns); }

void Spare::shut_down() {
  reactor_.timers().disarm(start_);
  link_.shut_down();
}

void Spare::shepherd_ready() {
  ready_ = true;
  owner_.spare_is_ready();
}

}  // namespace netrunner::shard
