// Boost.Process v2 with Asio: asio pipes handed over by process_stdio, the end awaited by async_wait.
#include <algorithm>
#include <boost/asio.hpp>
#include <boost/process/v2.hpp>
#include <memory>
#include <string>
#include <vector>

#include "bench/peers/protocol.h"

namespace asio = boost::asio;
namespace process = boost::process::v2;
using boost::system::error_code;

static Job job;
static std::vector<double> latencies_us;
static std::size_t started = 0, ended = 0;
static asio::io_context loop;
static std::array<char, 65536> block;

struct Command : std::enable_shared_from_this<Command> {
  asio::writable_pipe in{loop};
  asio::readable_pipe out{loop}, err{loop};
  std::unique_ptr<process::process> running;
  std::array<char, 65536> output;
  std::array<char, 64> errors;
  double began_us = now_us();
  std::size_t to_read = 0, rounds = 0;
  int open = 3;

  void start();
  void read_output();
  void read_errors();
  void write(std::size_t left);
  void next_round();
  void part_ended();
};

static void start_one() {
  ++started;
  std::make_shared<Command>()->start();
}

void Command::start() {
  std::vector<std::string> arguments;
  for (char** word = job.child + 1; *word != nullptr; ++word) arguments.emplace_back(*word);
  running = std::make_unique<process::process>(loop, job.child[0], arguments, process::process_stdio{in, out, err});
  running->async_wait([self = shared_from_this()](error_code, int) { self->part_ended(); });
  if (is(&job, "spawn") || is(&job, "read")) in.close();
  read_output();
  read_errors();
}

void Command::part_ended() {
  if (--open > 0) return;
  ++ended;
  if (!is(&job, "spawn")) return;
  latencies_us.push_back(now_us() - began_us);
  if (started < job.count) start_one();
}

void Command::read_output() {
  out.async_read_some(asio::buffer(output), [self = shared_from_this()](error_code failed, std::size_t count) {
    if (failed) return self->part_ended();
    self->to_read -= count;
    if (is(&job, "round") && self->to_read == 0 && latencies_us.size() < job.count) {
      latencies_us.push_back(now_us() - self->began_us);
      ++self->rounds;
      latencies_us.size() < job.count ? self->next_round() : loop.stop();
    }
    self->read_output();
  });
}

void Command::read_errors() {
  err.async_read_some(asio::buffer(errors), [self = shared_from_this()](error_code failed, std::size_t) {
    failed ? self->part_ended() : self->read_errors();
  });
}

void Command::write(std::size_t left) {
  const std::size_t count = std::min(left, block.size());
  if (count == 0 && !is(&job, "round")) in.close();
  if (count == 0) return;
  asio::async_write(in, asio::buffer(block.data(), count), [self = shared_from_this(), left, count](error_code, auto) {
    self->write(left - count);
  });
}

void Command::next_round() {
  began_us = now_us();
  to_read = job.bytes;
  write(job.bytes);
}

static double per_second(std::size_t count, double began) { return double(count) / (now_us() - began) * 1e6; }

static double round_trips(double& share) {
  std::vector<std::shared_ptr<Command>> commands;
  for (std::size_t i = 0; i < job.in_flight; ++i) commands.emplace_back(std::make_shared<Command>())->start();
  const double began = now_us();
  for (const auto& command : commands) command->next_round();
  loop.run();
  if (latencies_us.size() < job.count) std::fputs("a command ended too early\n", stderr), std::exit(1);
  const double rate = per_second(job.count, began);
  const auto [least, most] = std::ranges::minmax_element(commands, {}, [](const auto& one) { return one->rounds; });
  share = double((*most)->rounds) / double(std::max<std::size_t>((*least)->rounds, 1));
  loop.restart();
  for (const auto& command : commands) command->in.close();
  loop.run();
  return rate;
}

int main(int argc, char** argv) {
  job = read_job(argc, argv);
  latencies_us.reserve(job.count);
  double share = 1;
  const double began = now_us();
  if (is(&job, "spawn")) {
    while (started < job.in_flight && started < job.count) start_one();
    loop.run();
    const double rate = per_second(job.count, began);
    print_result(rate, latencies_us.data(), latencies_us.size(), 1);
  } else if (is(&job, "round")) {
    const double rate = round_trips(share);
    print_result(rate, latencies_us.data(), latencies_us.size(), share);
  } else if (is(&job, "read") || is(&job, "write") || is(&job, "both")) {
    const auto command = std::make_shared<Command>();
    command->start();
    if (!is(&job, "read")) command->write(job.bytes);
    loop.run();
    print_result(per_second(job.bytes, began), nullptr, 0, 1);
  } else {
    return 3;
  }
}
