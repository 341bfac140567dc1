#pragma once
/// The built `netrunner` command, driven as a user drives it: arguments, standard streams, signals, an exit status.

#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace tests {

struct CommandResult {
  int exit_status = -1;  ///< -1: a signal killed netrunner itself.
  int signal = 0;
  std::string out, err;
  double seconds = 0;
  long max_rss_kib = 0;  ///< At its highest, as far as it was looked at (every few milliseconds).
};

/// A program that runs with files as its standard streams. Killed and reaped with this object.
class CommandLine {
 public:
  /// argv[0] is looked up in PATH.
  explicit CommandLine(std::vector<std::string> argv, std::string_view input = {});
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;
  ~CommandLine();

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string out() const;  ///< What it wrote until now.
  [[nodiscard]] std::string err() const;
  void signal(int number) const;
  /// Blocks until it has ended.
  [[nodiscard]] CommandResult wait();

 private:
  pid_t pid_ = -1;
  int in_ = -1, out_ = -1, err_ = -1;
  double started_s_ = 0;
};

/// argv of `netrunner` with these arguments.
[[nodiscard]] std::vector<std::string> netrunner_argv(std::vector<std::string> arguments);
/// Runs `netrunner` to its end.
[[nodiscard]] CommandResult netrunner_command(std::vector<std::string> arguments, std::string_view input = {});
/// Runs a script of /bin/sh in which "$NR" is the command.
[[nodiscard]] CommandResult netrunner_script(const std::string& script, std::string_view input = {});

/// The value of the first `"name":` in a JSON text: a string without its quotes, anything else as it stands.
[[nodiscard]] std::string json_value(std::string_view json, std::string_view name);

}  // namespace tests
