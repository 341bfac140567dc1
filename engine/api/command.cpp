#include <netrunner/command.hpp>

#include <grp.h>
#include <pwd.h>

#include <charconv>
#include <utility>

namespace netrunner {

template <class Change>
Command Command::with(Change change) const {
  Command changed = *this;
  changed.body_ = std::make_shared<Spec>(*body_);
  change(*changed.body_);
  return changed;
}

Command Command::from_argv(std::vector<std::string> argv) {
  Command command(argv.empty() ? std::string() : std::move(argv.front()));
  if (argv.size() > 1) {
    command.body_->arguments.assign(std::make_move_iterator(argv.begin() + 1), std::make_move_iterator(argv.end()));
  }
  return command;
}

Command Command::from_spec(Spec spec) {
  Command command{std::string()};
  *command.body_ = std::move(spec);
  return command;
}

Command Command::shell(std::string script, std::string shell) {
  Command command(std::move(shell));
  command.body_->arguments = {"-c", std::move(script)};
  return command;
}

Command Command::arg(std::string argument) const {
  return with([&](Spec& spec) { spec.arguments.push_back(std::move(argument)); });
}
Command Command::args(std::vector<std::string> arguments) const {
  return with([&](Spec& spec) {
    spec.arguments.insert(spec.arguments.end(), std::make_move_iterator(arguments.begin()),
                          std::make_move_iterator(arguments.end()));
  });
}
Command Command::arg0(std::string name) const {
  return with([&](Spec& spec) { spec.arg0 = std::move(name); });
}
Command Command::env(std::string name, std::string value) const {
  return with([&](Spec& spec) { spec.environment.push_back({std::move(name), std::move(value)}); });
}
Command Command::unset_env(std::string name) const {
  return with([&](Spec& spec) { spec.environment.push_back({std::move(name), std::nullopt}); });
}
Command Command::clear_env() const {
  return with([](Spec& spec) {
    spec.clear_environment = true;
    spec.environment.clear();
  });
}
Command Command::cwd(std::string path) const {
  return with([&](Spec& spec) { spec.cwd = std::move(path); });
}
Command Command::in(Stdio stdio) const {
  return with([&](Spec& spec) { spec.in = std::move(stdio); });
}
Command Command::out(Stdio stdio) const {
  return with([&](Spec& spec) { spec.out = std::move(stdio); });
}
Command Command::err(Stdio stdio) const {
  return with([&](Spec& spec) { spec.err = std::move(stdio); });
}
Command Command::input(std::string bytes) const { return in(Stdio::bytes(std::move(bytes))); }
Command Command::extra(ExtraDescriptor descriptor) const {
  return with([&](Spec& spec) { spec.extras.push_back(std::move(descriptor)); });
}
Command Command::terminal(Terminal terminal) const {
  return with([&](Spec& spec) {
    spec.terminal = std::move(terminal);
    if (spec.has_terminal()) return;
    spec.in = Stdio::terminal();
    spec.out = spec.err = Stdio::terminal();
  });
}
Command Command::deadline(Nanoseconds after) const {
  return with([&](Spec& spec) { spec.deadline = after; });
}
Command Command::idle_limit(Nanoseconds silence) const {
  return with([&](Spec& spec) { spec.idle_limit = silence; });
}
Command Command::drain(Drain drain) const {
  return with([&](Spec& spec) { spec.drain = drain; });
}
Command Command::ladder(KillLadder ladder) const {
  return with([&](Spec& spec) { spec.ladder = std::move(ladder); });
}
Command Command::stragglers(Stragglers policy) const {
  return with([&](Spec& spec) { spec.stragglers = policy; });
}
Command Command::output_limit(std::uint64_t bytes, AtLimit policy) const {
  return with([&](Spec& spec) {
    spec.output_limit = bytes;
    spec.at_limit = policy;
  });
}
Command Command::budget(std::uint64_t bytes) const {
  return with([&](Spec& spec) { spec.budget_bytes = bytes; });
}
Command Command::grouping(Grouping grouping, pid_t join_group) const {
  return with([&](Spec& spec) {
    spec.grouping = grouping;
    spec.join_group = join_group;
  });
}
Command Command::umask(mode_t mask) const {
  return with([&](Spec& spec) { spec.umask = mask; });
}
Command Command::nice(int value) const {
  return with([&](Spec& spec) { spec.nice = value; });
}
Command Command::resource_limit(ResourceLimit limit) const {
  return with([&](Spec& spec) { spec.resource_limits.push_back(limit); });
}
Command Command::limits(Limits limits, LimitPolicy policy) const {
  return with([&](Spec& spec) {
    spec.limits = std::move(limits);
    spec.limit_policy = policy;
  });
}
Command Command::identity(Identity identity) const {
  return with([&](Spec& spec) { spec.identity = std::move(identity); });
}
Command Command::capabilities(CapabilitySet keep) const { return capabilities({.bounding = keep, .ambient = keep}); }
Command Command::capabilities(Capabilities capabilities) const {
  return with([&](Spec& spec) { spec.capabilities = capabilities; });
}
Command Command::no_new_privs() const {
  return with([](Spec& spec) { spec.no_new_privs = true; });
}
Command Command::oom_score_adj(int value) const {
  return with([&](Spec& spec) { spec.oom_score_adj = value; });
}
Command Command::cpus(std::vector<int> cpus) const {
  return with([&](Spec& spec) { spec.cpus = std::move(cpus); });
}
Command Command::shell_fallback() const {
  return with([](Spec& spec) { spec.shell_fallback = true; });
}
Command Command::success_codes(std::vector<int> codes) const {
  return with([&](Spec& spec) { spec.success_codes = std::move(codes); });
}
Command Command::keep_order() const {
  return with([](Spec& spec) { spec.keep_order = true; });
}
Command Command::on_event(OnEvent callback) const {
  return with([&](Spec& spec) { spec.on_event = std::move(callback); });
}

namespace {

std::optional<std::uint32_t> number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

constexpr std::size_t lookup_bytes = 64 * 1024;

/// An entry of passwd(5) by name or number, with the memory that its strings lie in.
struct User {
  passwd entry{};
  std::string memory = std::string(lookup_bytes, '\0');
  bool found = false;
  explicit User(std::string_view name) {
    passwd* answer = nullptr;
    const auto id = number(name);
    if (id) {
      ::getpwuid_r(*id, &entry, memory.data(), memory.size(), &answer);
    } else {
      ::getpwnam_r(std::string(name).c_str(), &entry, memory.data(), memory.size(), &answer);
    }
    found = answer != nullptr;
  }
};

Result<gid_t> group_id(std::string_view name) {
  if (const auto id = number(name)) return *id;
  group entry{};
  group* answer = nullptr;
  std::string memory(lookup_bytes, '\0');
  ::getgrnam_r(std::string(name).c_str(), &entry, memory.data(), memory.size(), &answer);
  if (answer != nullptr) return entry.gr_gid;
  return std::unexpected(
      Error{ErrorCode::not_found, Stage::gid, 0, "group " + std::string(name), "no such group in group(5)"});
}

std::vector<gid_t> groups_of(const passwd& user, gid_t gid) {
  std::vector<gid_t> groups(64);
  int count = static_cast<int>(groups.size());
  while (::getgrouplist(user.pw_name, gid, groups.data(), &count) < 0) groups.resize(static_cast<std::size_t>(count));
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

}  // namespace

Result<Command> Command::user(std::string_view user_and_group) const {
  const std::size_t colon = user_and_group.find(':');
  const std::string_view name = user_and_group.substr(0, colon);
  const User user(name);
  const auto id = number(name);
  if (!user.found && !id) {
    return std::unexpected(
        Error{ErrorCode::not_found, Stage::uid, 0, "user " + std::string(name), "no such user in passwd(5)"});
  }
  Identity identity;
  identity.uid = user.found ? user.entry.pw_uid : *id;
  identity.gid = user.found ? user.entry.pw_gid : *id;
  if (colon != std::string_view::npos) {
    NR_TRY(gid, group_id(user_and_group.substr(colon + 1)));
    identity.gid = gid;
  }
  if (user.found) identity.groups = groups_of(user.entry, *identity.gid);
  return this->identity(std::move(identity));
}

}  // namespace netrunner
