/// The process of <netrunner/netrunner.h>: each verb started, and awaited by the calling thread.

#include <netrunner/blocking.hpp>

#include "engine/api/c_bridge.hpp"

namespace netrunner::c {
namespace {

static_assert(NR_EVERYTHING == static_cast<int>(Target::everything));

[[nodiscard]] Process& process_of(nr_process* handle) {
  NR_ASSERT(handle != nullptr);
  return handle->process;
}

/// A caller's struct without its size would stay empty: said before anything is waited for.
template <class Struct>
[[nodiscard]] bool sized(const Struct* theirs) {
  return theirs == nullptr || theirs->size != 0;
}

}  // namespace
}  // namespace netrunner::c

namespace c = netrunner::c;
using netrunner::Stream;

extern "C" {

nr_code nr_spawn(nr_engine* engine, const nr_command* command, nr_process** process, nr_error* error) {
  NR_ASSERT(engine != nullptr && command != nullptr && process != nullptr);
  *process = nullptr;
  if (command->wrong) return c::fail(*command->wrong, error);
  auto started = netrunner::blocking::spawn(engine->engine, command->command);
  if (!started) return c::fail(started.error(), error);
  *process = new nr_process{*std::move(started)};
  return NR_OK;
}

pid_t nr_process_pid(const nr_process* process) {
  NR_ASSERT(process != nullptr);
  return process->process.pid();
}

uint64_t nr_process_id(const nr_process* process) {
  NR_ASSERT(process != nullptr);
  return process->process.id();
}

nr_code nr_process_read(nr_process* process, int stream, void* buffer, size_t bytes_max, int64_t timeout_ns,
                        size_t* bytes_read, nr_error* error) {
  NR_ASSERT(bytes_read != nullptr);
  *bytes_read = 0;
  // No bytes mean the end of output, so they can't be asked for.
  if (bytes_max == 0) return c::fail(c::invalid("bytes_max 0", "1 or more"), error);
  auto verb = c::process_of(process).read(static_cast<Stream>(stream), bytes_max);
  const auto chunk = netrunner::blocking::get(std::move(verb), c::deadline_of(timeout_ns));
  if (!chunk) return c::fail(chunk.error(), error);
  if (!*chunk) return NR_OK;
  NR_ASSERT((*chunk)->size() <= bytes_max);
  std::memcpy(buffer, (*chunk)->bytes().data(), (*chunk)->size());
  *bytes_read = (*chunk)->size();
  return NR_OK;
}

nr_code nr_process_read_any(nr_process* process, int* stream, void* buffer, size_t bytes_max, int64_t timeout_ns,
                            size_t* bytes_read, nr_error* error) {
  NR_ASSERT(bytes_read != nullptr && stream != nullptr);
  *bytes_read = 0;
  if (bytes_max == 0) return c::fail(c::invalid("bytes_max 0", "1 or more"), error);
  auto verb = c::process_of(process).read_any(bytes_max);
  const auto read = netrunner::blocking::get(std::move(verb), c::deadline_of(timeout_ns));
  if (!read) return c::fail(read.error(), error);
  if (!*read) return NR_OK;
  const netrunner::StreamChunk& piece = **read;
  NR_ASSERT(piece.chunk.size() <= bytes_max);
  std::memcpy(buffer, piece.chunk.bytes().data(), piece.chunk.size());
  *stream = static_cast<int>(piece.stream);
  *bytes_read = piece.chunk.size();
  return NR_OK;
}

nr_code nr_process_write(nr_process* process, int stream, const void* bytes, size_t count, int64_t timeout_ns,
                         size_t* bytes_accepted, nr_error* error) {
  const std::span<const std::byte> input(static_cast<const std::byte*>(bytes), count);
  auto verb = c::process_of(process).write(input, static_cast<Stream>(stream));
  netrunner::blocking::detail::block_on(verb, c::deadline_of(timeout_ns));
  if (bytes_accepted != nullptr) *bytes_accepted = count - verb.input.size();
  return c::code_of(verb.await_resume(), error);
}

nr_code nr_process_close_input(nr_process* process, int stream, int64_t timeout_ns, nr_error* error) {
  auto verb = c::process_of(process).close_input(static_cast<Stream>(stream));
  return c::code_of(netrunner::blocking::get(std::move(verb), c::deadline_of(timeout_ns)), error);
}

nr_code nr_process_close_output(nr_process* process, int stream, int64_t timeout_ns, nr_error* error) {
  auto verb = c::process_of(process).close_output(static_cast<Stream>(stream));
  return c::code_of(netrunner::blocking::get(std::move(verb), c::deadline_of(timeout_ns)), error);
}

nr_code nr_process_signal(nr_process* process, int signal, nr_target target, int64_t timeout_ns, nr_error* error) {
  if (target < NR_LEADER || target > NR_EVERYTHING) {
    return c::fail(c::invalid("nr_target " + std::to_string(target), "not one of its enumeration"), error);
  }
  auto verb = c::process_of(process).signal(signal, static_cast<netrunner::Target>(target));
  return c::code_of(netrunner::blocking::get(std::move(verb), c::deadline_of(timeout_ns)), error);
}

nr_code nr_process_resize(nr_process* process, nr_window_size size, int64_t timeout_ns, nr_error* error) {
  auto verb = c::process_of(process).resize(c::window_of(size));
  return c::code_of(netrunner::blocking::get(std::move(verb), c::deadline_of(timeout_ns)), error);
}

nr_code nr_process_terminal_mode(nr_process* process, uint8_t mode, int64_t timeout_ns, uint32_t* value,
                                 nr_error* error) {
  NR_ASSERT(value != nullptr);
  const auto modes = netrunner::blocking::get(c::process_of(process).terminal_modes(), c::deadline_of(timeout_ns));
  if (!modes) return c::fail(modes.error(), error);
  const auto found = modes->value(static_cast<netrunner::TerminalMode>(mode));
  if (!found) return c::fail(c::invalid("terminal mode " + std::to_string(mode), "Linux has no such mode"), error);
  *value = *found;
  return NR_OK;
}

nr_code nr_process_set_terminal_mode(nr_process* process, uint8_t mode, uint32_t value, int64_t timeout_ns,
                                     nr_error* error) {
  auto changes = netrunner::TerminalModes().set(static_cast<netrunner::TerminalMode>(mode), value);
  auto verb = c::process_of(process).set_terminal_modes(std::move(changes));
  const auto modes = netrunner::blocking::get(std::move(verb), c::deadline_of(timeout_ns));
  return c::code_of(modes, error);
}

nr_code nr_process_stop(nr_process* process, const char* ladder, nr_error* error) {
  return c::stop(c::process_of(process), ladder, error);
}

void nr_process_kill(nr_process* process) { c::process_of(process).kill(); }

nr_code nr_process_exited(nr_process* process, int64_t timeout_ns, nr_exit_status* status, nr_error* error) {
  const auto exited = netrunner::blocking::get(c::process_of(process).exited(), c::deadline_of(timeout_ns));
  if (!exited) return c::fail(exited.error(), error);
  if (status != nullptr) *status = c::status_of(*exited);
  return NR_OK;
}

nr_code nr_process_drained(nr_process* process, int64_t timeout_ns, nr_error* error) {
  return c::code_of(netrunner::blocking::get(c::process_of(process).drained(), c::deadline_of(timeout_ns)), error);
}

nr_code nr_process_wait(nr_process* process, int64_t timeout_ns, nr_ended* ended, nr_error* error) {
  if (!c::sized(ended)) return c::fail(c::invalid("nr_ended.size", "initialize it with NR_ENDED_INIT"), error);
  const auto result = netrunner::blocking::wait(c::process_of(process), c::deadline_of(timeout_ns));
  if (!result) return c::fail(result.error(), error);
  c::give(c::ended_of(*result), ended);
  return NR_OK;
}

void nr_process_detach(nr_process* process) {
  std::move(c::process_of(process)).detach();
  delete process;
}

void nr_process_free(nr_process* process) { delete process; }

}  // extern "C"
