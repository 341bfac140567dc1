#include "engine/reactor/mailbox.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <thread>

#include "engine/os/descriptor.hpp"

namespace netrunner::reactor {

namespace {

constexpr std::chrono::microseconds poster_pause{20};

}  // namespace

Letter Mailbox::closed_mark;

Result<Mailbox> Mailbox::open() {
  os::UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd) return std::unexpected(system_error("eventfd"));
  NR_TRY(wake, os::moved_above_stdio(std::move(fd)));
  return Mailbox(std::move(wake));
}

bool Mailbox::push(Letter& letter) noexcept {
  Letter* head = head_.load(std::memory_order_relaxed);
  if (head == &closed_mark) return false;  // Not counted: close() need not wait for those who come after it.
  posters_.fetch_add(1, std::memory_order_relaxed);  // Seen by whoever sees the letter.
  const bool taken = swap_in(letter, head);
  // From here on the letter may be gone, and with it what keeps the engine: close() waits for its posters.
  if (taken && sleeping_.load(std::memory_order_seq_cst) && sleeping_.exchange(false)) {
    const std::uint64_t one = 1;
    (void)!::write(wake_.get(), &one, sizeof one);
  }
  posters_.fetch_sub(1, std::memory_order_release);  // Nothing of this is touched any more.
  return taken;
}

bool Mailbox::swap_in(Letter& letter, Letter* head) noexcept {
  do {
    if (head == &closed_mark) return false;
    letter.next = head;
  } while (!head_.compare_exchange_weak(head, &letter, std::memory_order_seq_cst, std::memory_order_relaxed));
  return true;
}

Letter* Mailbox::take() noexcept {
  if (head_.load(std::memory_order_relaxed) == nullptr) return nullptr;
  return in_order(head_.exchange(nullptr, std::memory_order_acquire));
}

bool Mailbox::may_sleep() noexcept {
  sleeping_.store(true, std::memory_order_seq_cst);
  if (head_.load(std::memory_order_seq_cst) == nullptr) return true;
  awake();
  return false;
}

Letter* Mailbox::close() noexcept {
  Letter* const last = in_order(head_.exchange(&closed_mark, std::memory_order_acq_rel));
  // A handful of instructions of theirs, unless the scheduler holds one up: it may have a lower priority than this.
  while (posters_.load(std::memory_order_acquire) != 0) std::this_thread::sleep_for(poster_pause);
  return last;
}

Letter* Mailbox::in_order(Letter* newest) noexcept {
  if (newest == &closed_mark) return nullptr;
  Letter* oldest = nullptr;
  while (newest != nullptr) {
    Letter* older = newest->next;
    newest->next = oldest;
    oldest = newest;
    newest = older;
  }
  return oldest;
}

}  // namespace netrunner::reactor
