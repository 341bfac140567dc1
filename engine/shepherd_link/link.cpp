#include "engine/shepherd_link/link.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include <netrunner/deadline.hpp>

#include "engine/os/pidfd.hpp"
#include "engine/os/process_status.hpp"

namespace netrunner::shepherd_link {
namespace {

// A shepherd that dies before it was ready is started again after a pause that doubles: never in a tight loop.
constexpr std::int64_t retry_pause_min_ns = 10'000'000;
constexpr std::int64_t retry_pause_max_ns = 1'000'000'000;
constexpr std::int64_t ping_pause_ns = 1'000'000'000;
// One that is stopped can't answer. Whatever else keeps it from answering, it may be alive: starved of a processor on
// an overloaded machine, or asleep in the exec of a vforking start. All its commands end with it: it gets more time.
constexpr std::int64_t answer_stopped_max_ns = 3'000'000'000;
constexpr std::int64_t answer_max_ns = 30'000'000'000;

bool is_stopped(pid_t pid) {
  const char state = os::status_of(pid).state;
  return state == 'T' || state == 't';
}

template <class Fixed>
Fixed fixed_of(const wire::Message& message) {
  return message.as<Fixed>();
}

constexpr wire::WireContainment on_wire(Containment level) { return static_cast<wire::WireContainment>(level); }
static_assert(on_wire(Containment::process_group) == wire::WireContainment::process_group);
static_assert(on_wire(Containment::cgroup) == wire::WireContainment::cgroup);
static_assert(on_wire(Containment::subreaper) == wire::WireContainment::subreaper);
static_assert(on_wire(Containment::pid_namespace) == wire::WireContainment::pid_namespace);

std::string_view text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

Link::Link(reactor::Reactor& reactor, LinkOwner& owner, LaunchOptions options, Place place)
    : reactor_(reactor),
      owner_(owner),
      options_(std::move(options)),
      place_(place),
      end_(this, [](void*, ring::Completion) {}),
      retry_(this, [](void* self) { static_cast<Link*>(self)->replace(); }),
      watch_(this, [](void* self) { static_cast<Link*>(self)->watch(); }),
      retry_pause_ns_(retry_pause_min_ns) {}

Link::~Link() { NR_ASSERT(is_down()); }

Result<void> Link::start() {
  auto launched = launch(options_);
  if (!launched) {
    failure_ = launched.error();
    return std::unexpected(std::move(launched).error());
  }
  pidfd_ = std::move(launched->pidfd);
  const wire::Channel::Handler handler{
      this,
      [](void* self, const wire::Message& said, std::span<os::UniqueFd> descriptors) {
        static_cast<Link*>(self)->message(said, descriptors);
      },
      [](void* self, int) { static_cast<Link*>(self)->closed(); }};
  channel_ = std::make_unique<wire::Channel>(reactor_.ring(), std::move(launched->socket), handler);
  lost_ = ready_ = silent_ = left_nobody_ = false;
  channel_->arm();
  send_place();
  return {};
}

void Link::send_place() {
  std::array<os::UniqueFd, 2> descriptors;
  std::size_t count = 0;
  wire::ContainFixed contain{on_wire(place_.level), place_.number, 0, 0};
  if (auto self = os::open_pidfd(::getpid())) {  // Refused: end of file alone tells of our end.
    descriptors[count++] = std::move(*self);
    contain.has_host = 1;
  }
  if (os::UniqueFd group = owner_.new_group()) {
    descriptors[count++] = std::move(group);
    contain.has_group = 1;
  }
  channel_->post(wire::MessageType::contain, contain, {}, std::span(descriptors).first(count));
  channel_->flush();
}

wire::SiblingFixed Link::as_sibling() const noexcept { return {place_.number, on_wire(contained_), mark_}; }

void Link::introduce(const wire::SiblingFixed& sibling, os::UniqueFd pidfd, os::UniqueFd group) {
  if (!up()) return;
  std::array<os::UniqueFd, 2> descriptors{std::move(pidfd), std::move(group)};
  const std::size_t count = descriptors[1] ? 2 : 1;
  channel_->post(wire::MessageType::sibling, sibling, {}, std::span(descriptors).first(count));
}

void Link::message(const wire::Message& said, std::span<os::UniqueFd> descriptors) {
  switch (said.type) {
    case wire::MessageType::ready: {
      const auto ready = fixed_of<wire::ReadyFixed>(said);
      // As init of a PID namespace it knows itself by another number.
      pid_ = options_.pid_namespace ? os::pid_of(pidfd_.get()) : ready.pid;
      spawn_path_ = static_cast<SpawnPath>(ready.spawn_path != 0);
      return;
    }
    case wire::MessageType::contained: {
      const auto contained = fixed_of<wire::ContainedFixed>(said);
      contained_ = static_cast<Containment>(contained.level);
      containment_errno_ = contained.sys_errno;
      mark_ = contained.mark;
      ready_ = true;
      retry_pause_ns_ = retry_pause_min_ns;
      return owner_.shepherd_ready();
    }
    case wire::MessageType::started:
      return owner_.started(fixed_of<wire::StartedFixed>(said),
                            descriptors.empty() ? os::UniqueFd() : std::move(descriptors.front()));
    case wire::MessageType::start_failed: {
      const auto failed = fixed_of<wire::StartFailedFixed>(said);
      const std::string_view body = text(said.body);
      return owner_.start_failed(failed, body.substr(0, failed.path_bytes),
                                 body.substr(std::min<std::size_t>(failed.path_bytes, body.size())));
    }
    case wire::MessageType::pong: asked_ns_ = 0; return;
    case wire::MessageType::exited: return owner_.exited(fixed_of<wire::ExitedFixed>(said));
    case wire::MessageType::signal_sent: return owner_.signal_sent(fixed_of<wire::SignalSentFixed>(said));
    case wire::MessageType::stop_command: return owner_.stop_command(fixed_of<wire::StopCommandFixed>(said));
    case wire::MessageType::settled: return owner_.settled(fixed_of<wire::SettledFixed>(said));
    case wire::MessageType::limit_met: return owner_.limit_met(fixed_of<wire::LimitMetFixed>(said).id);
    case wire::MessageType::gone: left_nobody_ = true; return;
    case wire::MessageType::leftovers: return owner_.leftovers(fixed_of<wire::LeftoversFixed>(said).count);
    default: return;
  }
}

void Link::stay_watchful() {
  if (up() && !watch_.armed()) reactor_.timers().arm(watch_, reactor_.now_ns() + ping_pause_ns);
}

void Link::watch() {
  if (!up() || !owner_.has_commands()) {
    asked_ns_ = 0;
    return;
  }
  const std::int64_t now = reactor_.now_ns();
  // Killed, it is end of file on the socket: the rest goes the way of every lost shepherd.
  const std::int64_t silent_for = asked_ns_ != 0 ? now - asked_ns_ : 0;
  if (silent_for > answer_max_ns || (silent_for > answer_stopped_max_ns && is_stopped(pid_))) {
    silent_ = true;
    kill_shepherd();
  }
  if (asked_ns_ == 0 && !ping_waits_) {
    ping_waits_ = true;
    channel_->post(wire::MessageType::ping, wire::PingFixed{static_cast<std::uint64_t>(now)});
  }
  reactor_.timers().arm(watch_, now + ping_pause_ns);
}

void Link::closed() {
  bury();
  asked_ns_ = 0;
  ping_waits_ = false;
  reactor_.timers().disarm(watch_);
  if (shutting_down_) return;
  ++lost_count_;
  lost_ = true;
  // Perhaps it is alive and only its socket is broken: nothing of it may go on beside its successor.
  if (pidfd_) (void)os::signal_pidfd(pidfd_.get(), SIGKILL);
  pidfd_.reset();
  owner_.shepherd_lost();
  if (ready_) {
    replace();
  } else {
    if (failure_.subject.empty()) {
      failure_ = Error{ErrorCode::shepherd_unavailable, Stage::treaty, 0, "the shepherd ended before it was ready",
                       "run it under strace, or see whether io_uring is allowed for it"};
    }
    owner_.no_shepherd(failure_);
    reactor_.timers().arm(retry_, reactor_.now_ns() + retry_pause_ns_);
    retry_pause_ns_ = std::min(2 * retry_pause_ns_, retry_pause_max_ns);
  }
}

void Link::replace() {
  if (shutting_down_) return;
  if (start()) return;
  owner_.no_shepherd(failure_);
  reactor_.timers().arm(retry_, reactor_.now_ns() + retry_pause_ns_);
  retry_pause_ns_ = std::min(2 * retry_pause_ns_, retry_pause_max_ns);
}

/// The channel may be in the middle of its own callback: it goes when it is idle.
void Link::bury() {
  if (channel_ == nullptr) return;
  channel_->close();
  buried_.push_back(std::move(channel_));
}

void Link::spawn(const wire::SpawnFixed& fixed, std::span<const std::byte> body,
                 std::vector<os::UniqueFd> descriptors) {
  if (!up()) return;
  channel_->post(wire::MessageType::spawn, fixed, body, descriptors);
  stay_watchful();
}

void Link::signal(wire::ChildId id, std::uint32_t request, int signal, Target target) {
  if (!up()) return;
  channel_->post(wire::MessageType::signal,
                 wire::SignalFixed{id, request, signal, static_cast<std::uint32_t>(target), 0});
}

void Link::stop(wire::ChildId id, const std::vector<wire::WireRung>& rungs, os::UniqueFd commands) {
  if (!up()) return;
  const auto sent = std::span(rungs).first(std::min(rungs.size(), wire::rungs_max));
  std::array<os::UniqueFd, 1> attached{std::move(commands)};
  channel_->post(wire::MessageType::stop, wire::StopFixed{id, static_cast<std::uint32_t>(sent.size()), 0},
                 std::as_bytes(sent), std::span(attached).first(attached[0] ? 1 : 0));
}

void Link::settle(wire::ChildId id, wire::SettlePolicy policy) {
  if (up()) channel_->post(wire::MessageType::settle, wire::SettleFixed{id, policy, 0});
}

void Link::give_limit_groups(std::uint32_t hierarchies, std::span<os::UniqueFd> directories) {
  if (!up()) return;
  channel_->post(wire::MessageType::limit_groups, wire::LimitGroupsFixed{hierarchies, 0}, {}, directories);
}

void Link::set_cpu_time(wire::ChildId id, std::int64_t limit_ns) {
  if (up()) channel_->post(wire::MessageType::cpu_time, wire::CpuTimeFixed{id, limit_ns});
}

void Link::flush() {
  if (up()) channel_->flush();
  // From here on, and not from when it was due: a turn in which the host computes for long is no silence.
  if (std::exchange(ping_waits_, false)) asked_ns_ = Deadline::now_ns();
  std::erase_if(buried_, [](const auto& channel) { return channel->idle(); });
}

void Link::shut_down() {
  shutting_down_ = true;
  reactor_.timers().disarm(retry_);
  reactor_.timers().disarm(watch_);
  if (pidfd_ && end_.idle()) end_.arm(reactor_.ring(), pidfd_.get(), POLLIN);
  if (!up()) return;
  channel_->post(wire::MessageType::shutdown);
  channel_->flush();
}

bool Link::is_down() const noexcept {
  return end_.idle() && channel_ == nullptr && buried_.empty() && (!pidfd_ || os::has_ended(pidfd_.get()));
}

void Link::desert() noexcept {
  if (channel_ != nullptr) (void)::shutdown(channel_->descriptor(), SHUT_RDWR);
}

void Link::kill_shepherd() {
  if (pidfd_) (void)os::signal_pidfd(pidfd_.get(), SIGKILL);
}

bool Link::shepherd_is_stopped() const { return pidfd_ && is_stopped(pid_); }

}  // namespace netrunner::shepherd_link
