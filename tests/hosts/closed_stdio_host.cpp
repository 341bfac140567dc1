/// closed_stdio_host REPORT MASK: a host that has those of its descriptors 0, 1 and 2 closed whose bit is in MASK; the
/// others lead to files of known names. Commands must see what was asked for, with /dev/null where the host has none.

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/engine_fixture.hpp"
#include "tests/support/host_report.hpp"
#include "tests/support/scale.hpp"
#include "tests/support/temp_folder.hpp"

namespace tests {
namespace {

struct Stdios {
  nr::Stdio in, out, err;
};

/// The targets of a command's descriptors 0, 1, 2, as it sees them itself; it tells by an extra descriptor.
std::vector<std::string> targets(EngineFixture& host, const Stdios& stdios) {
  Running listing = host.spawn(child("list_descriptors", "targets", "9")
                                   .in(stdios.in).out(stdios.out).err(stdios.err)
                                   .extra({.number = 9, .stdio = nr::Stdio::pipe()}));
  std::istringstream text(listing.read_all(nr::extra_stream(9)));
  (void)listing.wait();
  std::vector<std::string> found;
  std::string number, target;
  while (text >> number >> target) {
    if (number != "9") found.push_back(target);
  }
  return found;
}

void check_targets(HostReport& report, EngineFixture& host, const Stdios& stdios, std::vector<std::string> right,
                   const char* what) {
  const std::vector<std::string> seen = targets(host, stdios);
  if (seen == right) return;
  std::string text = std::string(what) + ":";
  for (const std::string& line : seen) text += " " + line;
  text += " instead of";
  for (const std::string& line : right) text += " " + line;
  report.fail(text);
}

void run(HostReport& report, int mask) {
  const TempFolder folder;
  std::vector<std::string> own;  // Where the host's 0, 1, 2 lead, as a command that inherits them must see it.
  for (int fd = 0; fd < 3; ++fd) {
    const std::string path = std::filesystem::canonical(folder.path()).string() + "/f" + std::to_string(fd);
    const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    dup2(file, fd);
    close(file);
    own.push_back((mask >> fd & 1) != 0 ? "/dev/null" : path);
  }
  for (int fd = 0; fd < 3; ++fd) {
    if ((mask >> fd & 1) != 0) close(fd);
  }
  EngineFixture host;

  const nr::Stdio inherit = nr::Stdio::inherit();
  check_targets(report, host, {inherit, inherit, inherit}, own, "inherit");
  const nr::Completed both = host.run(nr::Command::shell("cat; echo err >&2").input("in\n"));
  HOST_CHECK(both.out.head == "in\n");
  HOST_CHECK(both.err.head == "err\n");
  const nr::Completed merged = host.run(nr::Command::shell("echo out; echo err >&2").err(nr::Stdio::merge()));
  HOST_CHECK(merged.out.head == "out\nerr\n");
  HOST_CHECK(host.run(nr::Command("cat")).success());
  HOST_CHECK(host.run(child("list_descriptors", "numbers")).out.head == "0 1 2\n");

  const auto fd = [](int number) { return nr::Stdio::descriptor(number); };
  const std::vector<std::string> swapped = {own[0], own[2], own[1]};
  if ((mask & 6) == 0) check_targets(report, host, {inherit, fd(2), fd(1)}, swapped, "1 and 2 swapped");
  if (mask == 0) {
    check_targets(report, host, {fd(2), fd(0), fd(0)}, {own[2], own[0], own[0]}, "2, 0, 0");
    check_targets(report, host, {fd(1), fd(2), fd(0)}, {own[1], own[2], own[0]}, "rotated");
    check_targets(report, host, {fd(0), fd(1), fd(2)}, own, "each to its place");
  }
  const nr::Stdio null = nr::Stdio::null();
  if ((mask & 4) == 0) check_targets(report, host, {null, fd(2), fd(2)}, {"/dev/null", own[2], own[2]}, "2 twice");
  if ((mask & 1) == 0) check_targets(report, host, {fd(0), inherit, fd(0)}, {own[0], own[1], own[0]}, "0 as stderr");
}

}  // namespace
}  // namespace tests

int main(int argc, char** argv) {
  return tests::host_main(argc, argv, [](tests::HostReport& report, int count, char** arguments) {
    tests::run(report, count > 2 ? std::atoi(arguments[2]) : 0);
  });
}
