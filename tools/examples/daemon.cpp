/// A command that is kept running: ready when it says so, restarted when it dies, its lines by callback.

#include <chrono>
#include <csignal>
#include <cstdio>
#include <netrunner/netrunner.hpp>

namespace nr = netrunner;
using namespace std::chrono_literals;

int main() {
  auto engine = nr::Engine::open();
  if (!engine) return std::fprintf(stderr, "%s\n", engine.error().message().c_str()), 1;

  const auto server = nr::Command::shell("echo listening as $NETRUNNER_INSTANCE; exec sleep 1000");
  nr::DaemonOptions options;
  options.instances = 2;
  options.ready = nr::Ready::line("^listening");
  options.backoff = {.first = 10ms, .max = 5s, .jitter = 0.25, .stable_after = 30s};
  options.output = nr::DaemonOutput::lines([](const nr::DaemonLine& line) {
    std::printf("[%u] %.*s\n", line.instance, static_cast<int>(line.text.size()), line.text.data());
  });
  auto daemon = nr::Daemon::start(*engine, server, options);
  if (!daemon) return std::fprintf(stderr, "%s\n", daemon.error().message().c_str()), 1;

  const auto wait_until_ready = [&] { return nr::blocking::ready(*daemon, nr::Deadline::after(30s)); };
  if (auto ready = wait_until_ready(); !ready) return std::fprintf(stderr, "%s\n", ready.error().message().c_str()), 1;

  // It dies; it comes back.
  (void)nr::blocking::get(daemon->signal(SIGKILL, nr::Target::leader, 1));
  while (daemon->status().instances[1].restarts == 0) {
    if (auto ended = nr::blocking::ended(*daemon, nr::Deadline::after(10ms)); ended) return 1;  // timed_out: good.
  }
  if (auto ready = wait_until_ready(); !ready) return std::fprintf(stderr, "%s\n", ready.error().message().c_str()), 1;

  daemon->stop();
  const auto ended = nr::blocking::ended(*daemon);
  for (const nr::InstanceStatus& instance : ended->instances) {
    std::printf("%u: %s, %llu starts, %s\n", instance.instance, nr::name_of(instance.state).data(),
                static_cast<unsigned long long>(instance.starts), instance.reason.c_str());
  }
  return ended->state == nr::DaemonState::stopped ? 0 : 1;
}
