/// When a kept command counts as ready, and what it is waited for before: a line, a port, a command, sd_notify(3).

#include <arpa/inet.h>
#include <csignal>
#include <filesystem>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/bystander.hpp"
#include "tests/support/contained.hpp"
#include "tests/support/daemon.hpp"
#include "tests/support/leak_check.hpp"

namespace tests {
namespace {

using nr::DaemonState;

/// A port of the loopback address that nobody else has: bound, not listening, until it is let go.
class Port {
 public:
  Port() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    setsockopt(socket_, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof address;
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), bytes), 0);
    EXPECT_EQ(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &bytes), 0);
    number_ = ntohs(address.sin_port);
  }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  ~Port() { close(socket_); }
  [[nodiscard]] std::uint16_t number() const { return number_; }
  void listen_here() const { EXPECT_EQ(listen(socket_, 16), 0); }

 private:
  int socket_;
  std::uint16_t number_ = 0;
};

nr::DaemonOptions with(nr::Ready ready) {
  nr::DaemonOptions options = quick();
  options.ready = std::move(ready);
  return options;
}

TEST(DaemonReady, ByALineThatMatchesOnEitherStream) {
  EngineFixture host;
  const TempFolder folder;
  const nr::DaemonOptions options = with(nr::Ready::line("^listening on [0-9]+$"));
  const std::string gate = folder / "gate";
  const nr::Command command = sh("echo starting; while ! test -e " + gate + "; do sleep 0.01; done; "
                                 "echo listening on 80 >&2; exec sleep 1000");
  Kept kept(host, command, options);
  EXPECT_TRUE(kept.becomes(DaemonState::starting));
  EXPECT_TRUE(remains([&] { return kept.status().state == DaemonState::starting; }));
  write_file(gate, "");
  kept.await_ready();
}

TEST(DaemonReady, ByAPortThatAcceptsConnections) {
  EngineFixture host;
  const Port port;
  Kept kept(host, nr::Command("sleep", "1000"), with(nr::Ready::port(port.number())));
  EXPECT_TRUE(kept.becomes(DaemonState::starting));
  EXPECT_TRUE(remains([&] { return kept.status().state == DaemonState::starting; }));
  port.listen_here();
  kept.await_ready();
}

TEST(DaemonReady, ByACommandThatSucceeds) {
  EngineFixture host;
  const TempFolder folder;
  nr::Command probe = sh("echo probe $NETRUNNER_INSTANCE >> " + folder / "probes" + "; test -e " + folder / "up");
  Kept kept(host, nr::Command("sleep", "1000"), with(nr::Ready::command(std::move(probe))));
  EXPECT_TRUE(eventually([&] { return file_text(folder / "probes").starts_with("probe 0\nprobe 0\n"); }));
  EXPECT_EQ(kept.status().state, DaemonState::starting);
  write_file(folder / "up", "");
  kept.await_ready();
}

TEST(DaemonReady, AProbeThatHangsIsStoppedWithItsInstance) {
  EngineFixture host;
  Kept kept(host, nr::Command("sleep", "1000"), with(nr::Ready::command(sh("sleep 4800; true"))));
  EXPECT_TRUE(eventually([] { return !processes_with_arguments("sleep 4800").empty(); }));
  EXPECT_EQ(kept.stop().state, DaemonState::stopped);
  EXPECT_TRUE(eventually([] { return processes_with_arguments("sleep 4800").empty(); }));
}

TEST(DaemonReady, OneThatIsNotReadyInTimeIsStoppedAndThatIsAFailure) {
  EngineFixture host;
  nr::DaemonOptions options = with(nr::Ready::line("never"));
  options.ready_timeout = patience(110ms);
  options.burst = {.restarts = 1, .within = 1h};
  const Kept kept(host, nr::Command("sleep", "1000"), options);
  const nr::InstanceStatus status = kept.await_end().instances[0];
  EXPECT_EQ(status.state, DaemonState::failed);
  EXPECT_EQ(status.starts, 2U);
  EXPECT_EQ(status.reason,
            "given up after 1 restarts within 1h; the last: not ready within " + patience_text(110ms) +
                "; killed by SIGTERM (stopped)");
}

TEST(DaemonReady, AStartThatIsStoppedBeforeItIsReadyIsAnError) {
  EngineFixture host;
  Kept kept(host, nr::Command("sleep", "1000"), with(nr::Ready::line("never")));
  EXPECT_TRUE(kept.becomes(DaemonState::starting));
  kept->stop();
  const auto ready = nr::blocking::ready(kept.daemon(), verb_deadline());
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().code, nr::ErrorCode::already_exited);
}

TEST(DaemonWaitFor, NothingStartsBeforePathAndPortAreThere) {
  EngineFixture host;
  const TempFolder folder;
  const Port port;
  nr::DaemonOptions options = quick();
  options.wait_for = {{.path = folder / "socket"}, {.port = port.number()}};
  Kept kept(host, nr::Command("sleep", "1000"), options);
  EXPECT_TRUE(eventually([&] { return kept.status().reason == "waits for " + folder / "socket"; }));
  EXPECT_TRUE(remains([&] { return kept.status().starts == 0; }));
  write_file(folder / "socket", "");
  EXPECT_TRUE(eventually([&] { return kept.status().reason == "waits for port " + std::to_string(port.number()); }));
  EXPECT_TRUE(remains([&] { return kept.status().starts == 0 && kept.status().state == DaemonState::waiting; }));
  port.listen_here();
  kept.await_ready();
}

TEST(DaemonWaitFor, WhatDoesNotComeInTimeIsNamed) {
  EngineFixture host;
  nr::DaemonOptions options = quick();
  options.wait_for = {{.path = "/no/such/path"}};
  options.wait_for_timeout = 30ms;
  const Kept kept(host, nr::Command("sleep", "1000"), options);
  const nr::InstanceStatus status = kept.await_end().instances[0];
  EXPECT_EQ(status.state, DaemonState::failed);
  EXPECT_EQ(status.reason, "waited 30ms for /no/such/path, which isn't there");
  EXPECT_EQ(status.starts, 0U);
}

TEST(DaemonWaitFor, AWaitInVainIsNotTakenForTheFailedStartBeforeIt) {
  EngineFixture host;
  const TempFolder folder;
  const std::string program = folder / "program";
  write_file(program, "no program: nobody may execute it");
  nr::DaemonOptions options = quick();
  options.wait_for = {{.path = program}};
  options.wait_for_timeout = 30ms;
  const Kept kept(host, nr::Command(program), options);
  EXPECT_TRUE(kept.becomes(DaemonState::failed));
  EXPECT_EQ(nr::blocking::ready(kept.daemon(), verb_deadline()).error().code, nr::ErrorCode::not_executable);
  std::filesystem::remove(program);
  kept->restart();
  EXPECT_TRUE(eventually([&] { return kept.status().waited_in_vain; }));
  EXPECT_EQ(nr::blocking::ready(kept.daemon(), verb_deadline()).error().code, nr::ErrorCode::already_exited);
}

TEST(DaemonNotify, TheLeaderSaysReadyStatusReloadingAndStopping) {
  EngineFixture host;
  Kept kept(host, child("notify", "STATUS=warming up", "READY=1\\nSTATUS=serving", "-w"), with(nr::Ready::notify()));
  kept.await_ready();
  EXPECT_TRUE(eventually([&] { return kept.status().status_text == "serving"; }));

  Kept reloads(host, child("notify", "READY=1", "RELOADING=1\\nSTATUS=reads again", "-w"), with(nr::Ready::notify()));
  EXPECT_TRUE(eventually([&] { return reloads.status().reloading; }));
  EXPECT_EQ(reloads.status().state, DaemonState::ready);

  Kept reloaded(host, child("notify", "READY=1", "RELOADING=1", "READY=1\\nSTATUS=done", "-w"),
                with(nr::Ready::notify()));
  EXPECT_TRUE(eventually([&] { return reloaded.status().status_text == "done"; }));
  EXPECT_FALSE(reloaded.status().reloading);

  Kept stops(host, child("notify", "READY=1", "STOPPING=1", "-w"), with(nr::Ready::notify()));
  EXPECT_TRUE(eventually([&] { return stops.status().reason == "it said that it stops (STOPPING=1)"; }));
}

class DaemonNotifyFrom : public testing::TestWithParam<nr::Containment> {};

TEST_P(DaemonNotifyFrom, AnyProcessOfTheCommandIsHeard) {
  SKIP_WITHOUT_CONTAINMENT(GetParam());
  EngineFixture host(options_of(GetParam()));
  // A grandchild in a session of its own, orphaned, that waits until it was heard.
  const std::string script = "setsid sh -c '" + child_path("notify") + " READY=1 -b & ' & exec sleep 1000";
  const Kept kept(host, sh(script), with(nr::Ready::notify()));
  kept.await_ready();
  EXPECT_EQ(kept.status().refused_messages, 0U);
}

TEST_P(DaemonNotifyFrom, AStrangerIsRefusedAndCounted) {
  SKIP_WITHOUT_CONTAINMENT(GetParam());
  EngineFixture host(options_of(GetParam()));
  const TempFolder folder;
  const std::string gate = folder / "gate";
  const Kept kept(host, sh("echo $NOTIFY_SOCKET > " + gate + ".tmp; mv " + gate + ".tmp " + gate + "; exec sleep 1000"),
                  with(nr::Ready::notify()));
  ASSERT_TRUE(eventually([&] { return !file_text(gate).empty(); }));
  std::string address = file_text(gate);
  address.pop_back();
  Bystander stranger({child_path("notify"), "-a", address, "READY=1", "-b"});
  EXPECT_EQ(stranger.wait(), 0);
  EXPECT_TRUE(eventually([&] { return kept.status().refused_messages == 2; })) << kept.status().refused_messages;
  EXPECT_EQ(kept.status().state, DaemonState::starting);
}

INSTANTIATE_TEST_SUITE_P(Levels, DaemonNotifyFrom,
                         testing::Values(nr::Containment::cgroup, nr::Containment::subreaper,
                                         nr::Containment::pid_namespace),
                         [](const auto& tested) { return test_name_of(tested.param); });

TEST(DaemonNotify, MoreTimeMayBeAskedForWhileItStarts) {
  EngineFixture host;
  nr::DaemonOptions options = with(nr::Ready::notify());
  options.ready_timeout = patience(300ms);
  const std::string longer_us = std::to_string(patience(500ms) / 1us);
  const nr::Command late = child("notify", "EXTEND_TIMEOUT_USEC=3600000000", "-s", longer_us, "READY=1", "-w");
  const Kept kept(host, late, options);
  kept.await_ready();
  EXPECT_EQ(kept.status().starts, 1U);
}

TEST(DaemonNotify, OneThatGivesNoSignOfLifeIsStoppedAndThatIsAFailure) {
  EngineFixture host;
  nr::DaemonOptions options = with(nr::Ready::notify());
  options.watchdog = 100ms;
  options.burst = {.restarts = 1, .within = 1h};
  const Kept silent(host, child("notify", "READY=1", "WATCHDOG=1", "-w"), options);
  const nr::InstanceStatus status = silent.await_end().instances[0];
  EXPECT_EQ(status.reason, "given up after 1 restarts within 1h; the last: no sign of life within 100ms (WATCHDOG=1); "
                           "killed by SIGTERM (stopped)");
  const Kept asks(host, child("notify", "WATCHDOG_USEC=3600000000\\nREADY=1", "WATCHDOG=trigger", "-w"), options);
  EXPECT_NE(asks.await_end().instances[0].reason.find("WATCHDOG=trigger"), std::string::npos);
}

TEST(DaemonNotify, OneThatGivesSignsOfLifeGoesOn) {
  EngineFixture host;
  const TempFolder folder;
  nr::DaemonOptions options = with(nr::Ready::notify());
  options.watchdog = patience(1s);
  const std::string say = child_path("notify");
  // The time that it is told is the time that was set.
  const Kept kept(host, sh("echo $WATCHDOG_USEC > " + folder / "usec" + "; " + say +
                           " READY=1 -b; while :; do " + say + " WATCHDOG=1 -b; sleep 0.02; done"), options);
  kept.await_ready();
  EXPECT_TRUE(remains([&] { return kept.status().starts == 1; }, options.watchdog + 500ms));
  EXPECT_EQ(file_text(folder / "usec"), std::to_string(options.watchdog.count() / 1000) + "\n");
}

TEST(DaemonNotify, TheHostsOwnSocketIsNotHandedOn) {
  EngineFixture host;
  const TempFolder folder;
  setenv("NOTIFY_SOCKET", "@of the host", 1);
  setenv("WATCHDOG_USEC", "1", 1);
  nr::DaemonOptions options = quick();
  options.restart = nr::Restart::never;
  options.output = nr::DaemonOutput::file(folder / "log");
  (void)Kept(host, sh("echo ${NOTIFY_SOCKET-none} ${WATCHDOG_USEC-none}"), options).await_end();
  unsetenv("NOTIFY_SOCKET");
  unsetenv("WATCHDOG_USEC");
  EXPECT_EQ(file_text(folder / "log"), "none none\n");
}

TEST(DaemonNotify, SystemdNotifyOfAScriptIsHeard) {
  if (access("/usr/bin/systemd-notify", X_OK) != 0) GTEST_SKIP() << "there is no systemd-notify(1)";
  EngineFixture host;
  const Kept kept(host, sh("systemd-notify --ready --status=served; exec sleep 1000"), with(nr::Ready::notify()));
  kept.await_ready();
  EXPECT_EQ(kept.status().status_text, "served");
}

}  // namespace
}  // namespace tests
