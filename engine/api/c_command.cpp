/// The command of <netrunner/netrunner.h>: a value that its setters replace, and the first complaint of a setter.

#include <string>
#include <vector>

#include "engine/api/c_bridge.hpp"

namespace netrunner::c {
namespace {

static_assert(NR_FILE_READ_WRITE == static_cast<int>(Stdio::FileMode::read_write));
static_assert(NR_FROM_COMMAND == static_cast<int>(Direction::from_command));
static_assert(NR_AT_LIMIT_TRUNCATE == static_cast<int>(AtLimit::truncate));
static_assert(NR_STRAGGLERS_LEAVE == static_cast<int>(Stragglers::leave));
static_assert(NR_JOIN_GROUP == static_cast<int>(Grouping::join));

void complain(nr_command& self, Error wrong) {
  if (!self.wrong) self.wrong = std::move(wrong);
}

/// An enumerator as ours; one that doesn't exist is complained of.
template <class Enum>
Enum checked(nr_command& self, int value, Enum last, const char* what) {
  if (value >= 0 && value <= static_cast<int>(last)) return static_cast<Enum>(value);
  complain(self, invalid(std::string(what) + " " + std::to_string(value), "not one of its enumeration"));
  return last;
}

Nanoseconds duration(nr_command& self, std::int64_t ns, const char* what) {
  if (ns == NR_FOREVER) return Nanoseconds::max();
  if (ns < 0) complain(self, invalid(std::string(what) + " " + std::to_string(ns) + " ns", "negative"));
  return Nanoseconds(ns);
}

void set_stdio(nr_command& self, int stream, Stdio stdio) {
  switch (stream) {
    case NR_IN: self.command = self.command.in(std::move(stdio)); return;
    case NR_OUT: self.command = self.command.out(std::move(stdio)); return;
    case NR_ERR: self.command = self.command.err(std::move(stdio)); return;
    default:
      complain(self, invalid("stream " + std::to_string(stream), "NR_IN, NR_OUT or NR_ERR; above: nr_command_extra"));
  }
}

Stdio stdio_of(nr_command& self, nr_stdio kind) {
  switch (kind) {
    case NR_STDIO_NULL: return Stdio::null();
    case NR_STDIO_PIPE: return Stdio::pipe();
    case NR_STDIO_INHERIT: return Stdio::inherit();
    case NR_STDIO_MERGE: return Stdio::merge();
    case NR_STDIO_CLOSED: return Stdio::closed();
    case NR_STDIO_TERMINAL: return Stdio::terminal();
  }
  complain(self, invalid("nr_stdio " + std::to_string(static_cast<int>(kind)), "not one of its enumeration"));
  return Stdio::null();
}

std::vector<std::string> strings(const char* const* list) {
  std::vector<std::string> result;
  for (; list != nullptr && *list != nullptr; ++list) result.emplace_back(*list);
  return result;
}

/// The terminal of the command changed, and the streams that lead to it left where they do.
template <class Change>
void change_terminal(nr_command* self, Change next) {
  NR_ASSERT(self != nullptr);
  netrunner::Terminal terminal = self->command.spec().terminal;
  next(terminal);
  self->command = self->command.terminal(std::move(terminal));
}

/// NULL is as good as empty: the start says what is missing.
std::string text(const char* given) { return given == nullptr ? std::string() : std::string(given); }

/// The setters below are one line each: `change` makes the next value.
template <class Change>
void change(nr_command* self, Change next) {
  NR_ASSERT(self != nullptr);
  self->command = next(static_cast<const Command&>(self->command));
}

}  // namespace
}  // namespace netrunner::c

namespace c = netrunner::c;
using netrunner::Command;
using netrunner::Stdio;

extern "C" {

nr_command* nr_command_new(const char* program) { return new nr_command{Command(c::text(program)), {}}; }
nr_command* nr_command_from_argv(const char* const* argv) {
  return new nr_command{Command::from_argv(c::strings(argv)), {}};
}
nr_command* nr_command_shell(const char* script) { return new nr_command{Command::shell(c::text(script)), {}}; }
nr_command* nr_command_copy(const nr_command* command) {
  NR_ASSERT(command != nullptr);
  return new nr_command(*command);
}
void nr_command_free(nr_command* command) { delete command; }

void nr_command_arg(nr_command* command, const char* argument) {
  c::change(command, [=](const Command& now) { return now.arg(c::text(argument)); });
}
void nr_command_args(nr_command* command, const char* const* arguments) {
  c::change(command, [=](const Command& now) { return now.args(c::strings(arguments)); });
}
void nr_command_arg0(nr_command* command, const char* name) {
  c::change(command, [=](const Command& now) { return now.arg0(c::text(name)); });
}

void nr_command_env(nr_command* command, const char* name, const char* value) {
  c::change(command, [=](const Command& now) { return now.env(c::text(name), c::text(value)); });
}
void nr_command_unset_env(nr_command* command, const char* name) {
  c::change(command, [=](const Command& now) { return now.unset_env(c::text(name)); });
}
void nr_command_clear_env(nr_command* command) {
  c::change(command, [](const Command& now) { return now.clear_env(); });
}
void nr_command_cwd(nr_command* command, const char* path) {
  c::change(command, [=](const Command& now) { return now.cwd(c::text(path)); });
}

void nr_command_stdio(nr_command* command, int stream, nr_stdio kind) {
  NR_ASSERT(command != nullptr);
  c::set_stdio(*command, stream, c::stdio_of(*command, kind));
}
void nr_command_pipe(nr_command* command, int stream, uint64_t window_bytes, uint32_t pipe_bytes) {
  NR_ASSERT(command != nullptr);
  c::set_stdio(*command, stream, Stdio::pipe().window(window_bytes).pipe_size(pipe_bytes));
}
void nr_command_transport(nr_command* command, int stream, nr_transport transport) {
  NR_ASSERT(command != nullptr);
  const auto carrier = c::checked(*command, transport, netrunner::Transport::socket, "nr_transport");
  const Command::Spec& spec = command->command.spec();
  const std::optional<Stdio> present = stream == NR_IN ? spec.in : stream == NR_ERR ? spec.err : spec.out;
  const bool is_carried =
      present && (present->kind() == Stdio::Kind::pipe || present->kind() == Stdio::Kind::bytes);
  c::set_stdio(*command, stream, Stdio(is_carried ? *present : Stdio::pipe()).transport(carrier));
}
void nr_command_file(nr_command* command, int stream, const char* path, nr_file_mode mode, uint32_t permissions) {
  NR_ASSERT(command != nullptr);
  const auto how = c::checked(*command, mode, Stdio::FileMode::read_write, "nr_file_mode");
  c::set_stdio(*command, stream, Stdio::file(c::text(path), how, permissions));
}
void nr_command_descriptor(nr_command* command, int stream, int fd) {
  NR_ASSERT(command != nullptr);
  c::set_stdio(*command, stream, Stdio::descriptor(fd));
}
void nr_command_input(nr_command* command, const void* bytes, size_t count) {
  std::string input;
  if (count != 0) input.assign(static_cast<const char*>(bytes), count);
  c::change(command, [&](const Command& now) { return now.input(std::move(input)); });
}
void nr_command_extra(nr_command* command, int number, nr_direction direction, int fd) {
  NR_ASSERT(command != nullptr);
  const auto where = c::checked(*command, direction, netrunner::Direction::from_command, "nr_direction");
  const Stdio stdio = fd == -1 ? Stdio::pipe() : Stdio::descriptor(fd);
  c::change(command, [&](const Command& now) { return now.extra({number, where, stdio}); });
}

void nr_command_terminal(nr_command* command, const nr_window_size* size, bool controlling) {
  c::change_terminal(command, [=](netrunner::Terminal& terminal) {
    if (size != nullptr) terminal.size = c::window_of(*size);
    terminal.controlling = controlling;
  });
}
void nr_command_terminal_raw(nr_command* command) {
  c::change_terminal(command, [](netrunner::Terminal& terminal) {
    const netrunner::TerminalModes raw = netrunner::TerminalModes::raw();
    for (const auto& [mode, value] : raw.settings()) {
      terminal.modes = std::move(terminal.modes).set(mode, value);
    }
  });
}
void nr_command_terminal_mode(nr_command* command, uint8_t mode, uint32_t value) {
  c::change_terminal(command, [=](netrunner::Terminal& terminal) {
    terminal.modes = std::move(terminal.modes).set(static_cast<netrunner::TerminalMode>(mode), value);
  });
}

void nr_command_deadline(nr_command* command, int64_t after_ns) {
  c::change(command, [=](const Command& now) { return now.deadline(c::duration(*command, after_ns, "deadline")); });
}
void nr_command_idle_limit(nr_command* command, int64_t silence_ns) {
  c::change(command, [=](const Command& now) {
    return now.idle_limit(c::duration(*command, silence_ns, "idle_limit"));
  });
}
void nr_command_drain(nr_command* command, int64_t idle_ns, int64_t max_ns) {
  c::change(command, [=](const Command& now) {
    return now.drain({c::duration(*command, idle_ns, "drain idle"), c::duration(*command, max_ns, "drain max")});
  });
}
void nr_command_ladder(nr_command* command, const char* text) {
  NR_ASSERT(command != nullptr);
  auto ladder = netrunner::KillLadder::parse(c::text(text));
  if (!ladder) return c::complain(*command, std::move(ladder).error());
  c::change(command, [&](const Command& now) { return now.ladder(*std::move(ladder)); });
}
void nr_command_stragglers(nr_command* command, nr_stragglers policy) {
  NR_ASSERT(command != nullptr);
  const auto what = c::checked(*command, policy, netrunner::Stragglers::leave, "nr_stragglers");
  c::change(command, [=](const Command& now) { return now.stragglers(what); });
}
void nr_command_output_limit(nr_command* command, uint64_t bytes, nr_at_limit policy) {
  NR_ASSERT(command != nullptr);
  const auto what = c::checked(*command, policy, netrunner::AtLimit::truncate, "nr_at_limit");
  c::change(command, [=](const Command& now) { return now.output_limit(bytes, what); });
}
void nr_command_budget(nr_command* command, uint64_t bytes) {
  c::change(command, [=](const Command& now) { return now.budget(bytes); });
}
void nr_command_grouping(nr_command* command, nr_grouping grouping, pid_t join_group) {
  NR_ASSERT(command != nullptr);
  const auto where = c::checked(*command, grouping, netrunner::Grouping::join, "nr_grouping");
  c::change(command, [=](const Command& now) { return now.grouping(where, join_group); });
}
void nr_command_umask(nr_command* command, mode_t mask) {
  c::change(command, [=](const Command& now) { return now.umask(mask); });
}
void nr_command_nice(nr_command* command, int value) {
  c::change(command, [=](const Command& now) { return now.nice(value); });
}
void nr_command_resource_limit(nr_command* command, int resource, uint64_t soft, uint64_t hard) {
  c::change(command, [=](const Command& now) { return now.resource_limit({resource, soft, hard}); });
}
void nr_command_user(nr_command* command, const char* user_and_group) {
  NR_ASSERT(command != nullptr);
  auto changed = command->command.user(c::text(user_and_group));
  if (!changed) return c::complain(*command, std::move(changed).error());
  command->command = *std::move(changed);
}
void nr_command_identity(nr_command* command, uid_t uid, gid_t gid, const gid_t* groups, size_t count) {
  std::vector<gid_t> all;
  if (count != 0) all.assign(groups, groups + count);
  c::change(command, [&](const Command& now) { return now.identity({uid, gid, std::move(all)}); });
}
void nr_command_capabilities(nr_command* command, const char* keep) {
  NR_ASSERT(command != nullptr);
  const auto set = netrunner::CapabilitySet::parse(c::text(keep));
  if (!set) return c::complain(*command, set.error());
  c::change(command, [&](const Command& now) { return now.capabilities(*set); });
}
void nr_command_no_new_privs(nr_command* command) {
  c::change(command, [](const Command& now) { return now.no_new_privs(); });
}
void nr_command_oom_score_adj(nr_command* command, int value) {
  c::change(command, [=](const Command& now) { return now.oom_score_adj(value); });
}
void nr_command_cpus(nr_command* command, const int* cpus, size_t count) {
  std::vector<int> all;
  if (count != 0) all.assign(cpus, cpus + count);
  c::change(command, [&](const Command& now) { return now.cpus(std::move(all)); });
}
void nr_command_chunk(nr_command* command, int stream, uint32_t bytes) {
  NR_ASSERT(command != nullptr);
  const Command::Spec& spec = command->command.spec();
  const std::optional<Stdio>& present = stream == NR_ERR ? spec.err : spec.out;
  const bool is_pipe = present && present->kind() == Stdio::Kind::pipe;
  c::set_stdio(*command, stream, Stdio(is_pipe ? *present : Stdio::pipe()).chunk(bytes));
}
void nr_command_keep_order(nr_command* command) {
  c::change(command, [](const Command& now) { return now.keep_order(); });
}
void nr_command_shell_fallback(nr_command* command) {
  c::change(command, [](const Command& now) { return now.shell_fallback(); });
}
void nr_command_success_codes(nr_command* command, const int* codes, size_t count) {
  std::vector<int> all;
  if (count != 0) all.assign(codes, codes + count);
  c::change(command, [&](const Command& now) { return now.success_codes(std::move(all)); });
}

}  // extern "C"
