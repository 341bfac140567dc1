#include "tests/support/bystander.hpp"

#include <spawn.h>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace tests {

Bystander::Bystander(std::vector<std::string> argv) {
  std::vector<char*> pointers;
  for (std::string& argument : argv) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  if (posix_spawnp(&pid_, pointers[0], nullptr, nullptr, pointers.data(), environ) != 0) {
    throw std::runtime_error("posix_spawnp: " + argv[0]);
  }
}

Bystander::Bystander(Bystander&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}

Bystander::~Bystander() {
  if (pid_ <= 0) return;
  kill();
  wait();
}

int Bystander::wait() {
  int status = -1;
  if (pid_ > 0 && waitpid(pid_, &status, 0) == pid_) pid_ = -1;
  return status;
}

void Bystander::kill(int signal) const {
  if (pid_ > 0) ::kill(pid_, signal);
}

BusyCores::BusyCores() {
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  for (unsigned core = 0; core < cores; ++core) burners_.emplace_back(std::vector<std::string>{
      "/bin/sh", "-c", "while :; do :; done"});
}

}  // namespace tests
