#pragma once

#include <cstdint>

#include "engine/reactor/reactor.hpp"
#include "engine/shepherd_link/link.hpp"

namespace netrunner::shard {

/// A second shepherd beside an engine's only one, without commands of its own: whichever of the two is left when host
/// and the other have died kills what those have left. Started a moment after the first, which it does not delay.
/// Owner: the shard. Thread: its own.
class Spare final : private shepherd_link::LinkOwner {
 public:
  class Owner {
   public:
    virtual void spare_is_ready() = 0;

   protected:
    ~Owner() = default;
  };
  static constexpr std::uint32_t number = 1000;  ///< Above every shard's.

  Spare(reactor::Reactor& reactor, Owner& owner, const shepherd_link::LaunchOptions& launch, Containment level);
  ~Spare() { reactor_.timers().disarm(start_); }

  void start_soon();
  [[nodiscard]] shepherd_link::Link& link() noexcept { return link_; }
  [[nodiscard]] bool ready() const noexcept { return ready_; }
  void shut_down();

 private:
  void shepherd_ready() override;
  void shepherd_lost() override { ready_ = false; }
  void no_shepherd(const Error&) override {}
  [[nodiscard]] os::UniqueFd new_group() override { return {}; }
  [[nodiscard]] bool has_commands() const override { return false; }
  void started(const wire::StartedFixed&, os::UniqueFd) override {}
  void start_failed(const wire::StartFailedFixed&, std::string_view, std::string_view) override {}
  void exited(const wire::ExitedFixed&) override {}
  void signal_sent(const wire::SignalSentFixed&) override {}
  void stop_command(const wire::StopCommandFixed&) override {}
  void settled(const wire::SettledFixed&) override {}
  void limit_met(wire::ChildId) override {}
  void leftovers(std::uint32_t) override {}

  reactor::Reactor& reactor_;
  Owner& owner_;
  shepherd_link::Link link_;
  reactor::Timer start_;
  bool ready_ = false;
};

}  // namespace netrunner::shard
