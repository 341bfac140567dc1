#pragma once
/// A process that the test starts by itself, not through the engine; killed and reaped with this object.

#include <csignal>
#include <string>
#include <sys/types.h>
#include <vector>

namespace tests {

class Bystander {
 public:
  explicit Bystander(std::vector<std::string> argv);
  Bystander(Bystander&& other) noexcept;
  Bystander& operator=(Bystander&&) = delete;
  ~Bystander();
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Its wait status; -1: it was not to be had. Blocks.
  int wait();
  void kill(int signal = SIGKILL) const;

 private:
  pid_t pid_ = -1;
};

/// Keeps every core busy for as long as it lives: timing bugs come out.
class BusyCores {
 public:
  BusyCores();

 private:
  std::vector<Bystander> burners_;
};

}  // namespace tests
