#include "engine/reactor/mailbox.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "engine/os/descriptor.hpp"

namespace netrunner::reactor {

Letter Mailbox::closed_mark;

Result<Mailbox> Mailbox::open() {
  os::UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd) return std::unexpected(system_error("eventfd"));
  NR_TRY(wake, os::moved_above_stdio(std::move(fd)));
  return Mailbox(std::move(wake));
}

bool Mailbox::push(Letter& letter) noexcept {
  Letter* head = head_.load(std::memory_order_relaxed);
  do {
    if (head == &closed_mark) return false;
    letter.next = head;
  } while (!head_.compare_exchange_weak(head, &letter, std::memory_order_seq_cst, std::memory_order_relaxed));
  // From here on the letter may be gone. The descriptor isn't: the engine outlives its posters.
  if (sleeping_.load(std::memory_order_seq_cst) && sleeping_.exchange(false)) {
    const std::uint64_t one = 1;
    (void)!::write(wake_.get(), &one, sizeof one);
  }
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

Letter* Mailbox::close() noexcept { return in_order(head_.exchange(&closed_mark, std::memory_order_acq_rel)); }

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
