#pragma once
/// What <netrunner/netrunner.h> hands out and how its values become ours. Only the engine/api/c_*.cpp include it.

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include <netrunner/command.hpp>
#include <netrunner/deadline.hpp>
#include <netrunner/engine.hpp>
#include <netrunner/netrunner.h>
#include <netrunner/process.hpp>

struct nr_engine {
  netrunner::Engine engine;
};

/// `wrong` is the first setter's complaint: it becomes the error of the start.
struct nr_command {
  netrunner::Command command;
  std::optional<netrunner::Error> wrong;
};

struct nr_process {
  netrunner::Process process;
};

namespace netrunner::c {

[[nodiscard]] inline Deadline deadline_of(std::int64_t timeout_ns) noexcept {
  return timeout_ns < 0 ? Deadline::never() : Deadline::after(Nanoseconds(timeout_ns));
}

[[nodiscard]] inline WindowSize window_of(const nr_window_size& size) noexcept {
  return {size.rows, size.columns, size.x_pixels, size.y_pixels};
}

[[nodiscard]] inline Error invalid(std::string subject, std::string advice) {
  return {ErrorCode::invalid_argument, Stage::validate, EINVAL, std::move(subject), std::move(advice)};
}

/// Fills *error where the caller wants it.
nr_code fail(const Error& failure, nr_error* error);
/// What is left of a result whose value nobody wants.
template <class T>
[[nodiscard]] nr_code code_of(const Result<T>& result, nr_error* error) {
  return result ? NR_OK : fail(result.error(), error);
}

/// Orders `ladder` as text, or without one whatever `running` has as its own.
template <class Running>
[[nodiscard]] nr_code stop(const Running& running, const char* ladder, nr_error* error) {
  if (ladder == nullptr) {
    running.stop();
    return NR_OK;
  }
  const auto rungs = KillLadder::parse(ladder);
  if (!rungs) return fail(rungs.error(), error);
  running.stop(*rungs);
  return NR_OK;
}

[[nodiscard]] nr_exit_status status_of(const ExitStatus& status) noexcept;
[[nodiscard]] nr_ended ended_of(const Ended& ended) noexcept;
[[nodiscard]] nr_timeline timeline_of(const Timeline& timeline) noexcept;
[[nodiscard]] nr_usage usage_of(const Usage& usage) noexcept;

/// The event as C has it, to a callback of C.
void give_event(const Event& event, void (*tell)(void* data, const nr_event* event), void* data);

/// Ours into the caller's, as far as the caller's reaches; its size stays.
template <class Struct>
void give(const Struct& ours, Struct* theirs) noexcept {
  static_assert(std::is_trivially_copyable_v<Struct>);
  if (theirs == nullptr || theirs->size <= sizeof theirs->size) return;
  const std::size_t end = std::min(theirs->size, sizeof(Struct));
  std::memcpy(reinterpret_cast<char*>(theirs) + sizeof theirs->size,
              reinterpret_cast<const char*>(&ours) + sizeof ours.size, end - sizeof ours.size);
}

/// The caller's into ours. What a later version asks for and we don't know must be zero (as clone3(2) has it): an
/// option is never silently ignored.
template <class Struct>
[[nodiscard]] Result<Struct> take(const Struct* theirs, const Struct& defaults, const char* name) {
  static_assert(std::is_trivially_copyable_v<Struct>);
  Struct ours = defaults;
  if (theirs == nullptr) return ours;
  if (theirs->size == 0) return std::unexpected(invalid(std::string(name) + ".size", "initialize it with its _INIT"));
  std::memcpy(&ours, theirs, std::min(theirs->size, sizeof(Struct)));
  const char* bytes = reinterpret_cast<const char*>(theirs);
  for (std::size_t i = sizeof(Struct); i < theirs->size; ++i) {
    if (bytes[i] != 0) return std::unexpected(invalid(name, "it asks for what a later version of the library offers"));
  }
  return ours;
}

}  // namespace netrunner::c
