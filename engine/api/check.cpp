#include "engine/api/check.hpp"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/shard/terminal_modes.hpp"
#include "engine/wire/limits.hpp"

namespace netrunner::detail {
namespace {

constexpr int extra_number_max = 255;

std::unexpected<Error> invalid(std::string subject, std::string advice) {
  return std::unexpected(
      Error{ErrorCode::invalid_argument, Stage::validate, EINVAL, std::move(subject), std::move(advice)});
}

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

Result<void> check_text(std::string_view text, std::string field) {
  if (!has_nul(text)) return {};
  return invalid(std::move(field), "it has a NUL byte at offset " + std::to_string(text.find('\0')) +
                                       ", which no string of execve(2) can have");
}

Result<void> check_texts(const Command::Spec& spec) {
  if (spec.program.empty()) return invalid("program", "it is empty");
  NR_TRY_VOID(check_text(spec.program, "program"));
  if (spec.arg0) NR_TRY_VOID(check_text(*spec.arg0, "argv[0]"));
  for (std::size_t i = 0; i < spec.arguments.size(); ++i) {
    NR_TRY_VOID(check_text(spec.arguments[i], "argv[" + std::to_string(i + 1) + "]"));
  }
  if (spec.cwd && spec.cwd->empty()) return invalid("cwd", "it is empty");
  if (spec.cwd) NR_TRY_VOID(check_text(*spec.cwd, "cwd"));
  return {};
}

Result<void> check_environment(const Command::Spec& spec) {
  for (std::size_t i = 0; i < spec.environment.size(); ++i) {
    const auto& [name, value] = spec.environment[i];
    const std::string field = "environment[" + std::to_string(i) + "]";
    if (name.empty()) return invalid(field, "the variable's name is empty");
    NR_TRY_VOID(check_text(name, field + " name"));
    if (name.find('=') != std::string::npos) return invalid((field + " name ") += name, "a name can't have '='");
    if (value) NR_TRY_VOID(check_text(*value, "environment variable " + name));
  }
  return {};
}

Result<void> check_stdio(const Stdio& stdio, const std::string& field) {
  if (stdio.kind() == Stdio::Kind::descriptor && stdio.fd() < 0) {
    return invalid(field, "descriptor " + std::to_string(stdio.fd()) + " can't be open");
  }
  const bool is_carried = stdio.kind() == Stdio::Kind::pipe || stdio.kind() == Stdio::Kind::bytes;
  if (stdio.transport() == Transport::socket && !is_carried) {
    return invalid(field, "only what goes between host and command can go over a socket: Stdio::pipe() or bytes()");
  }
  if (stdio.kind() != Stdio::Kind::file) return {};
  if (stdio.text().empty()) return invalid(field, "the file's path is empty");
  return check_text(stdio.text(), field + " path");
}

Result<void> check_streams(const Command::Spec& spec) {
  using Kind = Stdio::Kind;
  NR_TRY_VOID(check_stdio(spec.in, "stdin"));
  if (spec.in.kind() == Kind::merge) return invalid("stdin", "only stdout and stderr can be merged");
  const auto merges = [](const std::optional<Stdio>& stdio) { return stdio && stdio->kind() == Kind::merge; };
  if (merges(spec.out) && merges(spec.err)) {
    return invalid("stdout and stderr", "each is merged into the other: one must lead somewhere");
  }
  for (const auto& [stdio, field] : {std::pair{&spec.out, "stdout"}, std::pair{&spec.err, "stderr"}}) {
    if (!*stdio) continue;
    NR_TRY_VOID(check_stdio(**stdio, field));
    if ((*stdio)->kind() == Kind::bytes) return invalid(field, "known bytes are for stdin");
  }
  std::vector<int> numbers;
  for (const ExtraDescriptor& extra : spec.extras) {
    const std::string field = "extra descriptor " + std::to_string(extra.number);
    if (extra.number < 3 || extra.number > extra_number_max) return invalid(field, "3 to 255");
    if (std::ranges::find(numbers, extra.number) != numbers.end()) return invalid(field, "it is named twice");
    numbers.push_back(extra.number);
    const Kind kind = extra.stdio.kind();
    if (kind == Kind::merge || kind == Kind::bytes || kind == Kind::terminal) {
      return invalid(field, "pipe, null, file or descriptor");
    }
    NR_TRY_VOID(check_stdio(extra.stdio, field));
  }
  return {};
}

Result<void> check_terminal(const Command::Spec& spec) {
  if (!spec.has_terminal()) return {};
  const Terminal& terminal = spec.terminal;
  if (terminal.size.rows == 0 || terminal.size.columns == 0) {
    return invalid("terminal size", "at least one row and one column: programs divide by them");
  }
  for (const auto& [mode, value] : terminal.modes.settings()) {
    if (shard::is_known(mode)) continue;
    return invalid("terminal mode " + std::to_string(static_cast<int>(mode)), "no mode of RFC 4254 that Linux has");
  }
  if (terminal.controlling && spec.grouping == Grouping::join) {
    return invalid("terminal", "a controlling terminal needs a session of its own, which can't join a group; join "
                               "none, or say Terminal::controlling = false");
  }
  return {};
}

Result<void> check_counts(const Command::Spec& spec) {
  constexpr auto unchanged = static_cast<uid_t>(-1);
  if (spec.identity.uid == unchanged || spec.identity.gid == unchanged) {
    return invalid("identity", "-1 is no id: setresuid(2) would leave the host's");
  }
  if (spec.identity.groups && std::ranges::count(*spec.identity.groups, unchanged) > 0) {
    return invalid("identity.groups", "-1 is no id");
  }
  if (spec.resource_limits.size() > wire::resource_limits_max) return invalid("resource_limits", "32 at most");
  if (spec.identity.groups && spec.identity.groups->size() > wire::groups_max) return invalid("groups", "1024 at most");
  for (const int cpu : spec.cpus) {
    if (cpu < 0 || cpu >= static_cast<int>(wire::cpus_max)) return invalid("cpu " + std::to_string(cpu), "0 to 1023");
  }
  if (spec.nice && (*spec.nice < -20 || *spec.nice > 19)) {
    return invalid("nice " + std::to_string(*spec.nice), "-20 to 19, see nice(2)");
  }
  if (spec.umask && (*spec.umask & ~mode_t{0777}) != 0) return invalid("umask", "permission bits alone: at most 0777");
  if (spec.idle_limit.count() < 0 || spec.deadline.count() < 0) return invalid("deadline or idle_limit", "negative");
  for (const int code : spec.success_codes) {
    if (code < 0 || code > 255) return invalid("success code " + std::to_string(code), "exit codes are 0 to 255");
  }
  const auto& capabilities = spec.capabilities;
  if (capabilities && (capabilities->ambient.bits() & ~capabilities->bounding.bits()) != 0) {
    return invalid("ambient capabilities " + capabilities->ambient.text(),
                   "one of them isn't in the bounding set " + capabilities->bounding.text());
  }
  if (spec.grouping == Grouping::join && spec.join_group <= 1) {
    return invalid("group " + std::to_string(spec.join_group), "a process group of another command, above 1");
  }
  for (const ResourceLimit& limit : spec.resource_limits) {
    if (limit.soft > limit.hard) {
      return invalid(std::string(resource_name(limit.resource)), "the soft limit is above the hard one");
    }
  }
  return {};
}

}  // namespace

Result<void> check_user(const Command::Spec& spec, const EngineOptions& options) {
  if (!options.refuse_root && options.allowed_users.empty()) return {};
  const uid_t user = spec.identity.uid.value_or(::geteuid());
  const auto refused = [&](std::string why) {
    return std::unexpected(Error{ErrorCode::permission_denied, Stage::uid, EPERM, std::to_string(user),
                                 std::move(why) + "; Command::user or identity names another"});
  };
  if (options.refuse_root && user == 0) return refused("EngineOptions::refuse_root");
  const auto& allowed = options.allowed_users;
  if (!allowed.empty() && std::ranges::count(allowed, user) == 0) return refused("not in EngineOptions::allowed_users");
  return {};
}

Result<void> check(const Command::Spec& spec) {
  NR_TRY_VOID(check_texts(spec));
  NR_TRY_VOID(check_environment(spec));
  NR_TRY_VOID(check_streams(spec));
  NR_TRY_VOID(check_terminal(spec));
  NR_TRY_VOID(check(spec.limits));
  NR_TRY_VOID(check(spec.ladder));
  return check_counts(spec);
}

Result<void> check(const KillLadder& ladder) {
  std::size_t commands = 0;
  for (std::size_t i = 0; i < ladder.rungs().size(); ++i) {
    const Rung& rung = ladder.rungs()[i];
    if (rung.command.empty()) continue;
    const std::string field = "ladder rung " + std::to_string(i + 1);
    if (++commands > KillLadder::commands_max) return invalid(field, "4 commands at most");
    if (rung.command.front().empty()) return invalid(field + " program", "it is empty");
    if (rung.pause.count() <= 0) return invalid(field, "a command needs a pause, which bounds it");
    for (std::size_t word = 0; word < rung.command.size(); ++word) {
      NR_TRY_VOID(check_text(rung.command[word], field + " argv[" + std::to_string(word) + "]"));
    }
  }
  return {};
}

Result<void> check(const Limits& limits) {
  constexpr double cpu_quota_min = 0.01;
  constexpr std::uint32_t weight_max = 10000;
  constexpr int set_member_max = 8191;
  if (limits.memory_max == 0U) return invalid("memory_max", "0 leaves no room for any process");
  if (limits.pids_max == 0U) return invalid("pids_max", "0 leaves no room for the command itself");
  if (limits.cpu_quota && !(*limits.cpu_quota >= cpu_quota_min)) {
    return invalid("cpu_quota " + std::to_string(*limits.cpu_quota), "in CPUs, 0.01 or more; infinity: no quota");
  }
  for (const auto& [weight, name] : {std::pair{limits.cpu_weight, "cpu_weight"}, {limits.io_weight, "io_weight"}}) {
    if (weight && (*weight < 1 || *weight > weight_max)) return invalid(name, "1 to 10000, 100 is usual");
  }
  const std::pair cpus{&limits.cpuset_cpus, "cpuset_cpus"}, nodes{&limits.cpuset_mems, "cpuset_mems"};
  for (const auto& [set, name] : {cpus, nodes}) {
    for (const int member : *set) {
      if (member < 0 || member > set_member_max) return invalid(name, std::to_string(member) + " is out of range");
    }
  }
  if (limits.cpu_time && limits.cpu_time->count() <= 0) return invalid("cpu_time", "more than 0");
  return {};
}

}  // namespace netrunner::detail
