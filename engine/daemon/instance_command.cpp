#include "engine/daemon/instance_command.hpp"

#include <optional>
#include <utility>

#include "engine/daemon/text.hpp"

namespace netrunner::daemon {
namespace {

/// Where a stream leads that the command itself says nothing about.
Stdio output_stdio(const DaemonOptions& options) {
  const bool must_see = options.ready.kind() == Ready::Kind::line;
  if (!must_see && options.output.kind() == DaemonOutput::Kind::inherit) return Stdio::inherit();
  if (!must_see && options.output.kind() == DaemonOutput::Kind::discard) return Stdio::null();
  return Stdio::pipe();
}

}  // namespace

Command prepared(const Command& command, const DaemonOptions& options) {
  Command result = command.stragglers(Stragglers::stop);
  if (!command.spec().out) result = result.out(output_stdio(options));
  if (!command.spec().err) result = result.err(output_stdio(options));
  // Those of our own supervisor, if we have one: a daemon in our keeping must not speak in our name.
  for (const char* ours : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) result = result.unset_env(ours);
  return result;
}

KillLadder numbered(const KillLadder& ladder, std::uint32_t instance, std::uint32_t instances) {
  if (instances == 1) return ladder;
  std::vector<Rung> rungs = ladder.rungs();
  for (Rung& rung : rungs) {
    for (std::string& word : rung.command) word = with_number(word, instance);
  }
  return KillLadder::of(std::move(rungs));
}

Command numbered(const Command& command, std::uint32_t instance, std::uint32_t instances) {
  const std::string number = std::to_string(instance);
  if (instances == 1) return command.env("NETRUNNER_INSTANCE", number);
  Command::Spec spec = command.spec();
  for (std::string& argument : spec.arguments) argument = with_number(argument, instance);
  for (Command::EnvironmentChange& change : spec.environment) {
    if (change.value) change.value = with_number(*change.value, instance);
  }
  if (spec.cwd) spec.cwd = with_number(*spec.cwd, instance);
  spec.ladder = numbered(spec.ladder, instance, instances);
  return Command::from_spec(std::move(spec)).env("NETRUNNER_INSTANCE", number);
}

std::vector<Stream> streams_to_us(const Command& command) {
  std::vector<Stream> streams;
  const auto is_pipe = [](const std::optional<Stdio>& stdio) { return stdio && stdio->kind() == Stdio::Kind::pipe; };
  if (is_pipe(command.spec().out)) streams.push_back(Stream::out);
  if (is_pipe(command.spec().err)) streams.push_back(Stream::err);
  return streams;
}

}  // namespace netrunner::daemon
