#include "shepherd/ladder.hpp"

#include <signal.h>

#include <algorithm>

namespace netrunner::shepherd {
namespace {

constexpr auto everything = static_cast<std::uint32_t>(wire::WireTarget::everything);
constexpr auto command = static_cast<std::uint32_t>(wire::WireTarget::command);
constexpr std::int64_t pause_us_max = (std::int64_t{1} << 55) - 1;

bool is_valid(const wire::WireRung& rung) {
  if (rung.target == command) {
    return rung.signal >= 0 && rung.signal < static_cast<std::int32_t>(2 * wire::stop_commands_max);
  }
  return rung.signal > 0 && rung.signal < NSIG && rung.target <= everything;
}

PackedRung packed(const wire::WireRung& rung) {
  const std::int64_t pause_us = std::clamp<std::int64_t>(rung.pause_ns / 1000, 0, pause_us_max);
  return static_cast<std::uint64_t>(rung.signal) | std::uint64_t{rung.target} << 7 |
         static_cast<std::uint64_t>(pause_us) << 9;
}

std::int32_t signal_of(PackedRung rung) { return static_cast<std::int32_t>(rung & 127U); }
std::uint32_t target_of(PackedRung rung) { return static_cast<std::uint32_t>(rung >> 7 & 3U); }
bool is_kill(PackedRung rung) { return signal_of(rung) == SIGKILL && target_of(rung) != command; }
std::int64_t pause_ns_of(PackedRung rung) {
  const auto pause_us = static_cast<std::int64_t>(rung >> 9);
  return pause_us > never / 1000 ? never : pause_us * 1000;
}

}  // namespace

Ladder Ladder::of(std::span<const wire::WireRung> rungs) noexcept {
  Ladder ladder;
  for (const wire::WireRung& rung : rungs.first(std::min(rungs.size(), wire::rungs_max - 1))) {
    if (!is_valid(rung)) continue;
    if (rung.signal == SIGKILL && rung.target == everything) break;
    ladder.rungs_[ladder.count_++] = packed(rung);
  }
  ladder.rungs_[ladder.count_++] = packed({SIGKILL, everything, 0});
  return ladder;
}

void Ladder::begin(std::int64_t now) noexcept {
  under_way_ = true;
  next_ = 0;
  due_ns_ = now;
}

wire::WireRung Ladder::climb(std::int64_t now) noexcept {
  NR_ASSERT(under_way_ && !finished());
  const PackedRung rung = rungs_[next_++];
  due_ns_ = later(now, pause_ns_of(rung));
  return {signal_of(rung), target_of(rung), pause_ns_of(rung)};
}

void Ladder::pause_from(std::int64_t sent_ns, const wire::WireRung& rung) noexcept {
  due_ns_ = later(sent_ns, rung.pause_ns);
}

std::int64_t Ladder::kill_ns(std::int64_t now) const noexcept {
  std::int64_t at = under_way_ ? due_ns_ : now;
  if (finished()) return 0;
  for (std::uint8_t i = next_; !is_kill(rungs_[i]); ++i) at = later(at, pause_ns_of(rungs_[i]));
  return at;
}

bool replaces(const Ladder& wanted, const Ladder& current, std::int64_t now) noexcept {
  return !current.under_way() || wanted.kill_ns(now) < current.kill_ns(now);
}

bool needs_continue(int signal) noexcept {
  switch (signal) {
    case SIGKILL: case SIGSTOP: case SIGTSTP: case SIGTTIN: case SIGTTOU: case SIGCONT:
    case SIGCHLD: case SIGURG: case SIGWINCH:
      return false;
    default: return true;
  }
}

}  // namespace netrunner::shepherd
