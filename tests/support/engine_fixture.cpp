#include "tests/support/engine_fixture.hpp"

#include "tests/support/scale.hpp"

namespace tests {

nr::Deadline verb_deadline() { return nr::Deadline::after(patience(60s)); }

std::optional<nr::Chunk> Running::read(nr::Stream stream, std::size_t bytes_max) {
  return value_of(nr::blocking::get(process_.read(stream, bytes_max), verb_deadline()));
}

std::string Running::read_text(nr::Stream stream) {
  const std::optional<nr::Chunk> chunk = read(stream);
  return chunk ? std::string(chunk->text()) : std::string();
}

std::string Running::read_exactly(std::size_t bytes, nr::Stream stream) {
  std::string text;
  while (text.size() < bytes) {
    const std::optional<nr::Chunk> chunk = read(stream, bytes - text.size());
    if (!chunk) break;
    text += chunk->text();
  }
  return text;
}

std::string Running::read_all(nr::Stream stream) {
  std::string text;
  while (const std::optional<nr::Chunk> chunk = read(stream)) text += chunk->text();
  return text;
}

void Running::write(std::string_view text, nr::Stream stream) {
  value_of(nr::blocking::get(process_.write(text, stream), verb_deadline()));
}
void Running::close_input(nr::Stream stream) {
  value_of(nr::blocking::get(process_.close_input(stream), verb_deadline()));
}
void Running::close_output(nr::Stream stream) {
  value_of(nr::blocking::get(process_.close_output(stream), verb_deadline()));
}
nr::ExitStatus Running::exited() { return value_of(nr::blocking::get(process_.exited(), verb_deadline())); }
void Running::drained() { value_of(nr::blocking::get(process_.drained(), verb_deadline())); }
nr::Ended Running::wait() { return value_of(nr::blocking::get(process_.wait(), verb_deadline())); }
nr::ProcessStats Running::stats() { return value_of(nr::blocking::get(process_.stats(), verb_deadline())); }

nr::StreamStats Running::stream_stats(nr::Stream stream) {
  for (const nr::StreamStats& figures : stats().streams) {
    if (figures.stream == stream) return figures;
  }
  return {.stream = stream};
}

namespace {

std::optional<nr::Stdio> carried(const std::optional<nr::Stdio>& stdio, nr::Transport transport) {
  const bool is_carried =
      stdio && (stdio->kind() == nr::Stdio::Kind::pipe || stdio->kind() == nr::Stdio::Kind::bytes);
  return is_carried ? nr::Stdio(*stdio).transport(transport) : stdio;
}

/// `err`: where it leads if the command doesn't say so.
nr::Command carried(nr::Command command, const nr::Stdio& err, nr::Transport transport) {
  if (transport == nr::Transport::pipe) return command;
  const nr::Command::Spec& spec = command.spec();
  const nr::Stdio in = *carried(spec.in, transport);
  const nr::Stdio out = *carried(spec.out.value_or(nr::Stdio::pipe()), transport);
  return command.in(in).out(out).err(*carried(spec.err.value_or(err), transport));
}

}  // namespace

Running EngineFixture::spawn(const nr::Command& command) {
  const nr::Command over = carried(command, nr::Stdio::inherit(), transport);
  return Running(value_of(nr::blocking::get(engine_.spawn(over), verb_deadline())));
}
nr::Completed EngineFixture::run(const nr::Command& command, nr::CaptureLimits limits) {
  return value_of(engine_.run(carried(command, nr::Stdio::pipe(), transport), limits));
}
nr::PipelineCompleted EngineFixture::run(const nr::Pipeline& pipeline, nr::CaptureLimits limits) {
  return value_of(engine_.run(pipeline, limits));
}
nr::ShardStats EngineFixture::shard_stats(std::size_t shard) { return get(engine_.stats()).shards.at(shard); }

int exit_code(const nr::ExitStatus& status) {
  const auto* exited = std::get_if<nr::Exited>(&status);
  return exited == nullptr ? -1 : exited->code;
}
int exit_code(const nr::Ended& ended) { return exit_code(ended.status); }
int end_signal(const nr::ExitStatus& status) {
  const auto* signaled = std::get_if<nr::Signaled>(&status);
  return signaled == nullptr ? 0 : signaled->signal;
}
int end_signal(const nr::Ended& ended) { return end_signal(ended.status); }

}  // namespace tests
