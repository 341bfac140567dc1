#include "engine/api/plan.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "engine/api/check.hpp"
#include "engine/api/core.hpp"
#include "engine/api/plan_parts.hpp"
#include "engine/os/descriptor.hpp"
#include "engine/os/memfd.hpp"
#include "engine/wire/spawn_body.hpp"
#include "engine/wire/wire_rungs.hpp"

namespace netrunner::detail {
namespace {

using Kind = Stdio::Kind;

int open_flags(Stdio::FileMode mode) {
  switch (mode) {
    case Stdio::FileMode::read: return O_RDONLY;
    case Stdio::FileMode::truncate: return O_WRONLY | O_CREAT | O_TRUNC;
    case Stdio::FileMode::append: return O_WRONLY | O_CREAT | O_APPEND;
    case Stdio::FileMode::read_write: return O_RDWR | O_CREAT;
  }
  return O_RDONLY;
}

/// Turns the command's stdio into actions and what is attached to them.
class StdioPlanner {
 public:
  StdioPlanner(const Core& core, SpawnPlan& plan, wire::SpawnRequest& request)
      : core_(core), plan_(plan), request_(request) {}

  [[nodiscard]] Result<void> plan() {
    const Command::Spec& spec = plan_.command.spec();
    const Stdio out = spec.out.value_or(Stdio::pipe());
    const Stdio err = spec.err.value_or(Stdio::inherit());
    NR_TRY_VOID(add(0, Direction::to_command, spec.in));
    // What is merged into comes first: a copy needs its source.
    if (out.kind() == Kind::merge) {
      NR_TRY_VOID(add(2, Direction::from_command, err));
      same_as(1, 2);
    } else {
      NR_TRY_VOID(add(1, Direction::from_command, out));
      err.kind() == Kind::merge ? same_as(2, 1) : void();
      if (err.kind() != Kind::merge) NR_TRY_VOID(add(2, Direction::from_command, err));
    }
    for (const ExtraDescriptor& extra : spec.extras) NR_TRY_VOID(add(extra.number, extra.direction, extra.stdio));
    return {};
  }

 private:
  void same_as(int number, int other) {
    request_.actions.push_back({number, wire::ActionKind::same_as, other, {}, 0, 0});
  }

  void attach(int number, SpawnPlan::Attached what, os::UniqueFd descriptor, const Stdio& stdio) {
    request_.actions.push_back({number, wire::ActionKind::attached, 0, {}, 0, 0});
    // The engine's own size is that of pipes.
    const std::uint32_t pipe_bytes = stdio.transport() == Transport::pipe ? core_.options().pipe_bytes : 0;
    plan_.attachments.push_back({what, static_cast<Stream>(number), std::move(descriptor), window_of(stdio),
                                 stdio.pipe_bytes() != 0 ? stdio.pipe_bytes() : pipe_bytes,
                                 stdio.chunk_bytes() != 0 ? stdio.chunk_bytes() : UINT32_MAX, stdio.transport(), 0});
  }

  [[nodiscard]] std::uint64_t window_of(const Stdio& stdio) const {
    return stdio.window_bytes() != 0 ? stdio.window_bytes() : core_.options().window_bytes;
  }

  Result<void> add(int number, Direction direction, const Stdio& stdio) {
    switch (stdio.kind()) {
      case Kind::null: request_.actions.push_back({number, wire::ActionKind::null, 0, {}, 0, 0}); return {};
      case Kind::closed: request_.actions.push_back({number, wire::ActionKind::closed, 0, {}, 0, 0}); return {};
      case Kind::file:
        request_.actions.push_back({number, wire::ActionKind::open_file, 0, stdio.text(),
                                    static_cast<std::uint32_t>(open_flags(stdio.file_mode())), stdio.permissions()});
        return {};
      case Kind::inherit: return inherit(number);
      case Kind::descriptor: return duplicate(number, stdio);
      case Kind::terminal: terminal(number, stdio); return {};
      case Kind::bytes: attach(number, SpawnPlan::Attached::known_input, {}, stdio); return {};
      case Kind::pipe:
        attach(number,
               direction == Direction::to_command ? SpawnPlan::Attached::input_pipe : SpawnPlan::Attached::output_pipe,
               {}, stdio);
        return {};
      case Kind::merge: break;
    }
    return std::unexpected(Error{ErrorCode::invalid_argument, Stage::validate, EINVAL,
                                 "descriptor " + std::to_string(number), "it can't be merged"});
  }

  /// All that say so share one.
  void terminal(int number, const Stdio& stdio) {
    if (terminal_) return same_as(number, *terminal_);
    terminal_ = number;
    attach(number, SpawnPlan::Attached::terminal, {}, stdio);
    const Command::Spec& spec = plan_.command.spec();
    SpawnPlan::Attachment& both_ways = plan_.attachments.back();
    both_ways.queue_bytes = window_of(spec.in);
    both_ways.window_bytes = window_of(spec.on_terminal(Stream::out) ? *spec.out : spec.err.value_or(spec.in));
    if (!spec.terminal.controlling) return;
    request_.terminal = static_cast<std::uint32_t>(number);
    request_.flags |= wire::own_session | wire::controlling_terminal;
  }

  Result<void> inherit(int number) {
    // Closed then, it may be anything that was opened since: never the host's stdio.
    const bool standard = number > 2 || core_.had_standard(number);
    auto copy = standard ? os::duplicate_above_stdio(number)
                         : Result<os::UniqueFd>(std::unexpected(system_error("closed", Stage::stdio, EBADF)));
    if (copy) {
      attach(number, SpawnPlan::Attached::descriptor, std::move(*copy), Stdio::inherit());
    } else {
      request_.actions.push_back({number, wire::ActionKind::null, 0, {}, 0, 0});
    }
    return {};
  }

  Result<void> duplicate(int number, const Stdio& stdio) {
    if (os::is_ring(stdio.fd())) {
      return std::unexpected(Error{ErrorCode::invalid_argument, Stage::stdio, EINVAL,
                                   "descriptor " + std::to_string(stdio.fd()),
                                   "an io_uring can't be handed to another process, see unix(7)"});
    }
    auto copy = os::duplicate_above_stdio(stdio.fd());
    if (!copy) {
      Error error = std::move(copy).error();
      error.stage = Stage::stdio;
      if (error.sys_errno == EBADF) error.code = ErrorCode::invalid_argument;
      error.advice = "it must be open when the command is started";
      return std::unexpected(std::move(error));
    }
    attach(number, SpawnPlan::Attached::descriptor, std::move(*copy), stdio);
    return {};
  }

  const Core& core_;
  SpawnPlan& plan_;
  wire::SpawnRequest& request_;
  std::optional<int> terminal_;  ///< The first stream that leads to it.
};

void add_start(wire::SpawnRequest& request, const Command::Spec& spec) {
  request.program = spec.program;
  request.rungs = wire::wire_rungs(spec.ladder, 0);
  if (spec.grouping == Grouping::own_session) request.flags |= wire::own_session;
  if (spec.grouping == Grouping::join) {
    request.flags |= wire::join_group;
    request.join_group = spec.join_group;
  }
  if (spec.program.find('/') == std::string::npos) request.flags |= wire::search_path;
  if (spec.shell_fallback) request.flags |= wire::shell_fallback;
}

Result<void> add_limits(Core& core, SpawnPlan& plan, wire::SpawnRequest& request) {
  const Command::Spec& spec = plan.command.spec();
  NR_TRY(places, core.limit_places());
  NR_TRY(planned, containment::plan_limits(spec.limits, spec.limit_policy, *places));
  for (const auto& write : planned.writes) request.leaf_writes.push_back({write.hierarchy, write.file, write.value});
  request.hierarchies = planned.hierarchies;
  request.cpu_time_ns = planned.cpu_time_ns;
  if (spec.limit_policy == LimitPolicy::best_effort) request.flags |= wire::limits_best_effort;
  plan.limits = std::make_unique<containment::LimitPlan>(std::move(planned));
  plan.limit_places = places;
  return {};
}

/// A stream is sure of a byte of its own, or one of which nothing comes could keep the last one from another for ever.
Result<void> check_budget(const SpawnPlan& plan) {
  const auto is_output = [](const SpawnPlan::Attachment& attachment) {
    return attachment.what == SpawnPlan::Attached::output_pipe || attachment.what == SpawnPlan::Attached::terminal;
  };
  const auto outputs = static_cast<std::uint64_t>(std::ranges::count_if(plan.attachments, is_output));
  if (plan.budget_bytes >= outputs) return {};
  return std::unexpected(Error{ErrorCode::invalid_argument, Stage::validate, EINVAL,
                               "budget of " + std::to_string(plan.budget_bytes) + " bytes",
                               "the command has " + std::to_string(outputs) + " outputs that share it: " +
                                   std::to_string(outputs) + " bytes at least"});
}

/// One message takes them all to the shepherd.
Result<void> check_descriptors(const SpawnPlan& plan) {
  std::size_t possible = wire::frame_descriptors_max;
  for (const os::UniqueFd* other : {&plan.body_memfd, &plan.stop_commands, &plan.cwd}) possible -= *other ? 1 : 0;
  if (plan.attachments.size() <= possible) return {};
  return std::unexpected(Error{ErrorCode::invalid_argument, Stage::validate, EINVAL,
                               std::to_string(plan.attachments.size()) + " pipes and descriptors",
                               std::to_string(possible) + " at most go with this command; Stdio::file(), null() and "
                                                          "closed() don't count"});
}

}  // namespace

Result<std::unique_ptr<LimitOrder>> plan_limit_order(Core& core, const Limits& limits, LimitPolicy policy) {
  NR_TRY_VOID(check(limits));
  NR_TRY(places, core.limit_places());
  NR_TRY(planned, containment::plan_limits(limits, policy, *places));
  return std::make_unique<LimitOrder>(LimitOrder{std::move(planned), policy});
}

Result<std::unique_ptr<SpawnPlan>> plan_spawn(Core& core, const Command& command, std::stop_token stop) {
  const Command::Spec& spec = command.spec();
  NR_TRY_VOID(check(spec));
  NR_TRY_VOID(check_user(spec, core.options()));
  auto plan = std::make_unique<SpawnPlan>(command);
  plan->queued_ns = Deadline::now_ns();
  plan->stop = std::move(stop);
  plan->budget_bytes = spec.budget_bytes != 0 ? spec.budget_bytes : core.options().command_budget_bytes;

  wire::SpawnRequest request;
  add_start(request, spec);
  add_settings(request, spec);
  if (!spec.limits.empty()) NR_TRY_VOID(add_limits(core, *plan, request));
  NR_TRY_VOID(StdioPlanner(core, *plan, request).plan());
  NR_TRY_VOID(check_budget(*plan));
  request.arguments.reserve(spec.arguments.size() + 1);
  request.arguments.emplace_back(spec.arg0 ? *spec.arg0 : spec.program);
  request.arguments.insert(request.arguments.end(), spec.arguments.begin(), spec.arguments.end());
  Environment environment = environment_of(spec);
  request.environment = std::move(environment.variables);
  if (core.directory_changed()) {
    os::UniqueFd here(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!here) return std::unexpected(system_error("the host's current directory", Stage::cwd));
    NR_TRY(moved, os::moved_above_stdio(std::move(here)));
    plan->cwd = std::move(moved);
    request.flags |= wire::cwd_attached;
  }

  if (has_commands(spec.ladder)) {
    NR_TRY(commands, plan_stop_commands(core, spec, spec.ladder));
    plan->stop_commands = std::move(commands);
    request.flags |= wire::has_stop_commands;
  }
  wire::SpawnBody body = wire::SpawnBody::build({}, request);
  if (!body.fits_treaty()) {
    return std::unexpected(Error{ErrorCode::argument_list_too_long, Stage::validate, E2BIG,
                                 "arguments and environment together",
                                 "16 MiB at most; pass them on stdin or in a file"});
  }
  plan->fixed = body.fixed;
  if (body.fits_inline()) {
    plan->body = std::move(body.bytes);
  } else {
    NR_TRY(memfd, os::sealed_memfd("netrunner-spawn", body.bytes, os::MemfdUse::data));
    plan->body_memfd = std::move(memfd);
    plan->fixed.flags |= wire::body_in_memfd;
  }
  NR_TRY_VOID(check_descriptors(*plan));
  return plan;
}

}  // namespace netrunner::detail
