#include "engine/reactor/reactor.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <span>

#include <netrunner/deadline.hpp>

#include "engine/os/descriptor.hpp"
#include "engine/reactor/limits.hpp"

namespace netrunner::reactor {
namespace {

pid_t this_thread() {
  static thread_local const pid_t id = ::gettid();
  return id;
}

void drain(int fd) {
  std::uint64_t count = 0;
  (void)!::read(fd, &count, sizeof count);
}

}  // namespace

Result<std::unique_ptr<Reactor>> Reactor::open(Loop loop) {
  NR_TRY(ring, ring::Ring::open());
  NR_TRY(mailbox, Mailbox::open());
  std::unique_ptr<Reactor> reactor(new Reactor(std::move(ring), std::move(mailbox)));
  if (loop == Loop::foreign) NR_TRY_VOID(reactor->open_foreign());
  reactor->listen();  // Last: from here on it must be closed in order.
  return reactor;
}

Reactor::Reactor(std::unique_ptr<ring::Ring> ring, Mailbox mailbox)
    : ring_(std::move(ring)),
      mailbox_(std::move(mailbox)),
      wake_(this,
            [](void* owner, ring::Completion) {
              auto& reactor = *static_cast<Reactor*>(owner);
              if (reactor.listening_) reactor.listen();
            }),
      alarm_(this, [](void*, ring::Completion) {}),
      thread_(this_thread()),
      now_ns_(Deadline::now_ns()) {}

Reactor::~Reactor() { NR_ASSERT(wake_.idle() && alarm_.idle()); }

void Reactor::listen() {
  wake_.arm(*ring_, mailbox_.wake_fd(), std::as_writable_bytes(std::span(&wake_count_, 1)));
}

void Reactor::stop_listening() {
  listening_ = false;
  ring_->cancel(wake_);
  ring_->cancel(alarm_);
}

/// One alarm in the ring serves the waits of many turns: a limit of its own costs each wait two readings of the clock
/// and a timer of the kernel's (0.3 us). It may go off too early, when its deadline has moved: a turn for nothing.
bool Reactor::alarm_wakes_by(std::int64_t until_ns) {
  if (!alarm_.idle() && alarm_ns_ <= until_ns) return true;
  if (until_ns - now_ns_ < alarm_ahead_min_ns || until_ns == INT64_MAX || !listening_ || foreign_) return false;
  if (!alarm_.idle()) {
    ring_->cancel(alarm_);  // Armed anew in the next turn.
    return false;
  }
  alarm_ns_ = until_ns;
  alarm_.arm(*ring_, until_ns);
  return true;
}

bool Reactor::on_thread() const noexcept { return this_thread() == thread_; }

void Reactor::turn(std::int64_t wait_until_ns) {
  ++turns_;
  if (ring_event_) drain(ring_event_.get());
  std::int64_t until = std::min(wait_until_ns, timers_.next_ns());
  if (unopened_ != nullptr || !mailbox_.may_sleep()) until = 0;
  ring_->wait(alarm_wakes_by(until) ? INT64_MAX : until);
  mailbox_.awake();
  now_ns_ = Deadline::now_ns();  // What comes now has come now, not before the wait.
  completions_of_turn_ = ring_->run_completions();
  if (unopened_ == nullptr) unopened_ = mailbox_.take();
  open_letters(letters_per_turn_max);
  timers_.fire_due(now_ns_);
}

void Reactor::open_letters(std::size_t count_max) {
  for (; unopened_ != nullptr && count_max > 0; --count_max) {
    Letter& opened = *unopened_;
    unopened_ = opened.next;  // Before: what it does may take others out.
    opened.open(opened);
  }
}

void Reactor::take_out(Letter& letter) noexcept {
  Letter** at = &unopened_;
  while (*at != nullptr && *at != &letter) at = &(*at)->next;
  if (*at == nullptr && !mailbox_.is_closed()) {
    *at = mailbox_.take();
    while (*at != nullptr && *at != &letter) at = &(*at)->next;
  }
  if (*at != nullptr) *at = letter.next;
}

void Reactor::close_mailbox() {
  open_letters(SIZE_MAX);
  unopened_ = mailbox_.close();
  open_letters(SIZE_MAX);
}

Result<void> Reactor::open_foreign() {
  ring_event_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  foreign_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!ring_event_ || !timer_ || !foreign_) return std::unexpected(system_error("eventfd, timerfd or epoll"));
  for (os::UniqueFd* fd : {&ring_event_, &timer_, &foreign_}) {
    NR_TRY(moved, os::moved_above_stdio(std::move(*fd)));
    *fd = std::move(moved);
  }
  for (const int fd : {ring_event_.get(), timer_.get()}) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    if (::epoll_ctl(foreign_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
      return std::unexpected(system_error("epoll_ctl"));
    }
  }
  return ring_->announce_on(ring_event_.get());
}

void Reactor::announce(bool busy) {
  if (!foreign_) return;
  // Letters that came meanwhile wrote the eventfd only if the mailbox was asleep: leave it asleep between turns.
  if (!mailbox_.may_sleep() || unopened_ != nullptr || ring_->has_work() || busy) {
    const std::uint64_t one = 1;
    (void)!::write(ring_event_.get(), &one, sizeof one);
  }
  ring_->submit();
  const std::int64_t next = timers_.next_ns();
  if (next == announced_ns_) return;
  announced_ns_ = next;
  itimerspec when{};
  if (next != INT64_MAX) {
    const std::int64_t at = std::max<std::int64_t>(next, 1);  // Zero would disarm it.
    when.it_value = {at / 1'000'000'000, at % 1'000'000'000};
  }
  (void)::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

}  // namespace netrunner::reactor
