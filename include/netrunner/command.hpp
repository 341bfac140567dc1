#pragma once
/// What to run: an immutable, reusable value, cheap to copy. Each setter returns a new one.

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

#include <netrunner/capabilities.hpp>
#include <netrunner/cgroup_limits.hpp>
#include <netrunner/deadline.hpp>
#include <netrunner/event.hpp>
#include <netrunner/kill_ladder.hpp>
#include <netrunner/limits.hpp>
#include <netrunner/stdio.hpp>
#include <netrunner/terminal.hpp>

namespace netrunner {

/// The process group that the command starts in.
enum class Grouping : std::uint8_t {
  own_group,    ///< A new process group in the shepherd's session (no controlling terminal). Default.
  own_session,  ///< setsid(2): 15 to 20 µs more.
  join,         ///< The group of `Spec::join_group`, which must be of the same session; it isn't killed as a group.
};

/// What happens to processes of the command that outlive its leader.
enum class Stragglers : std::uint8_t { stop, leave };

/// What happens when a stream has delivered its output limit.
enum class AtLimit : std::uint8_t {
  stop,      ///< No byte more is read; the command is stopped by its ladder, reason output_limit.
  truncate,  ///< The rest is read and dropped, and counted; the command goes on.
};

/// How the bytes that come after the leader's exit are waited for.
struct Drain {
  Nanoseconds idle = std::chrono::milliseconds(250);  ///< Silence that ends it; re-armed by each byte.
  Nanoseconds max = std::chrono::seconds(5);          ///< Never beyond this, however much comes.
  [[nodiscard]] static Drain until_end_of_file() { return {Nanoseconds::max(), Nanoseconds::max()}; }
  friend bool operator==(const Drain&, const Drain&) = default;
};

/// Who the command runs as; names are looked up in the caller's thread, before the start.
struct Identity {
  std::optional<uid_t> uid;
  std::optional<gid_t> gid;
  /// Supplementary groups. Unset with a uid set: none but gid (never the host's).
  std::optional<std::vector<gid_t>> groups;
  friend bool operator==(const Identity&, const Identity&) = default;
};

class Command {
 public:
  struct EnvironmentChange {
    std::string name;
    std::optional<std::string> value;  ///< nullopt: unset.
    friend bool operator==(const EnvironmentChange&, const EnvironmentChange&) = default;
  };

  /// Everything that was asked for. Read it; change it through the setters.
  struct Spec {
    std::string program;                 ///< With a '/': that file. Without: looked up in the command's own PATH.
    std::vector<std::string> arguments;  ///< argv[1...].
    std::optional<std::string> arg0;     ///< argv[0] where it isn't the program.
    bool clear_environment = false;      ///< Start from nothing instead of from the host's environment.
    std::vector<EnvironmentChange> environment;
    std::optional<std::string> cwd;
    Stdio in = Stdio::null();
    std::optional<Stdio> out, err;       ///< Unset: a pipe and inherit for spawn, captured for run.
    std::vector<ExtraDescriptor> extras;
    Terminal terminal;                   ///< What the streams with Stdio::terminal() lead to.
    Nanoseconds deadline = Nanoseconds::max();    ///< Wall time from the request; then the ladder runs.
    Nanoseconds idle_limit = Nanoseconds::max();  ///< No byte of output for so long; then the ladder runs.
    Drain drain;
    KillLadder ladder;
    Stragglers stragglers = Stragglers::stop;
    std::uint64_t output_limit = UINT64_MAX;  ///< Bytes per output stream.
    AtLimit at_limit = AtLimit::stop;
    std::uint64_t budget_bytes = 0;           ///< For all streams of the command together; 0: the engine's default.
    Grouping grouping = Grouping::own_group;
    pid_t join_group = 0;
    std::optional<mode_t> umask;
    std::optional<int> nice;
    std::vector<ResourceLimit> resource_limits;  ///< Of each process for itself.
    Limits limits;                               ///< Of all its processes together.
    LimitPolicy limit_policy = LimitPolicy::required;
    Identity identity;
    std::optional<Capabilities> capabilities;  ///< Unset: as the kernel has it for that user, see capabilities(7).
    bool no_new_privs = false;
    std::optional<int> oom_score_adj;
    std::vector<int> cpus;                    ///< sched_setaffinity(2); empty: the shepherd's.
    bool shell_fallback = false;              ///< ENOEXEC on a text file: run it by /bin/sh, as execvp does.
    std::vector<int> success_codes;           ///< Exit codes that count as success; empty: 0 alone.
    bool keep_order = false;                  ///< See Command::keep_order.
    OnEvent on_event;                         ///< Of this command alone, besides EngineOptions::on_event.
    bool operator==(const Spec&) const = default;

    /// Whether that one of stdin, stdout and stderr says Stdio::terminal().
    [[nodiscard]] bool on_terminal(Stream stream) const noexcept {
      const Stdio* stdio = stream == Stream::in ? &in : nullptr;
      if (stream == Stream::out && out) stdio = &*out;
      if (stream == Stream::err && err) stdio = &*err;
      return stdio != nullptr && stdio->kind() == Stdio::Kind::terminal;
    }
    [[nodiscard]] bool has_terminal() const noexcept {
      return on_terminal(Stream::in) || on_terminal(Stream::out) || on_terminal(Stream::err);
    }
  };

  template <std::convertible_to<std::string_view>... Args>
  explicit Command(std::string_view program, const Args&... arguments) : Command(std::string(program)) {
    body_->arguments = {std::string(std::string_view(arguments))...};
  }
  explicit Command(const char* program) : Command(std::string(program)) {}
  explicit Command(std::string program) : body_(std::make_shared<Spec>()) { body_->program = std::move(program); }
  /// program and arguments in one list; must not be empty (an empty one is an error at the start).
  [[nodiscard]] static Command from_argv(std::vector<std::string> argv);
  /// Every field as it is there: for what no setter does. Checked at the start, as any command.
  [[nodiscard]] static Command from_spec(Spec spec);
  /// `/bin/sh -c script`, by wish and visibly.
  [[nodiscard]] static Command shell(std::string script, std::string shell = "/bin/sh");

  [[nodiscard]] const Spec& spec() const noexcept { return *body_; }
  friend bool operator==(const Command& a, const Command& b) { return *a.body_ == *b.body_; }

  [[nodiscard]] Command arg(std::string argument) const;
  [[nodiscard]] Command args(std::vector<std::string> arguments) const;  ///< Appended.
  [[nodiscard]] Command arg0(std::string name) const;
  [[nodiscard]] Command env(std::string name, std::string value) const;
  [[nodiscard]] Command unset_env(std::string name) const;
  [[nodiscard]] Command clear_env() const;
  [[nodiscard]] Command cwd(std::string path) const;
  [[nodiscard]] Command in(Stdio stdio) const;
  [[nodiscard]] Command out(Stdio stdio) const;
  [[nodiscard]] Command err(Stdio stdio) const;
  [[nodiscard]] Command input(std::string bytes) const;  ///< in(Stdio::bytes(...)).
  [[nodiscard]] Command extra(ExtraDescriptor descriptor) const;
  /// What its terminal is like. Where no stream leads to one yet, stdin, stdout and stderr all do from now on:
  /// `Command{"bash"}.terminal()`; a later in, out or err takes that stream out again.
  [[nodiscard]] Command terminal(Terminal terminal = {}) const;
  /// Zero ends it at once; the largest value never.
  [[nodiscard]] Command deadline(Nanoseconds after) const;
  [[nodiscard]] Command idle_limit(Nanoseconds silence) const;
  [[nodiscard]] Command drain(Drain drain) const;
  [[nodiscard]] Command ladder(KillLadder ladder) const;
  [[nodiscard]] Command stragglers(Stragglers policy) const;
  [[nodiscard]] Command output_limit(std::uint64_t bytes, AtLimit policy = AtLimit::stop) const;
  /// Of all streams together, a byte for each output at least: less is invalid_argument at the start.
  [[nodiscard]] Command budget(std::uint64_t bytes) const;
  [[nodiscard]] Command grouping(Grouping grouping, pid_t join_group = 0) const;
  [[nodiscard]] Command umask(mode_t mask) const;
  [[nodiscard]] Command nice(int value) const;
  [[nodiscard]] Command resource_limit(ResourceLimit limit) const;
  /// Of the whole command, in place before its first instruction. Past them it is reported, see EndReason.
  [[nodiscard]] Command limits(Limits limits, LimitPolicy policy = LimitPolicy::required) const;
  [[nodiscard]] Command identity(Identity identity) const;
  /// user[:group] by name or number, with the user's own supplementary groups (getgrouplist(3)).
  [[nodiscard]] Result<Command> user(std::string_view user_and_group) const;
  /// At most these, whoever it runs as and whatever it executes, and these even where that user isn't root.
  [[nodiscard]] Command capabilities(CapabilitySet keep) const;
  /// Errors of the start: permission_denied, stage capabilities, where the host hasn't got one itself or may not drop
  /// one (CAP_SETPCAP).
  [[nodiscard]] Command capabilities(Capabilities capabilities) const;
  [[nodiscard]] Command no_new_privs() const;
  [[nodiscard]] Command oom_score_adj(int value) const;
  [[nodiscard]] Command cpus(std::vector<int> cpus) const;
  [[nodiscard]] Command shell_fallback() const;
  /// `{0, 1}`: what grep(1) and diff(1) mean by success. Decides Ended::success, Completed::check and pipelines.
  [[nodiscard]] Command success_codes(std::vector<int> codes) const;
  /// What waits to be read is kept apart wherever another stream's bytes arrived in between, so that read_any gives
  /// the order of arrival however late it asks. The price: a buffer of the engine's pool (4 KiB or more) for each
  /// change of stream that nobody has read yet, so that credit may run out of buffers before it runs out of bytes.
  [[nodiscard]] Command keep_order() const;
  /// Its events, after those that the engine tells of it: see <netrunner/event.hpp>.
  [[nodiscard]] Command on_event(OnEvent callback) const;

 private:
  template <class Change>
  [[nodiscard]] Command with(Change change) const;
  std::shared_ptr<Spec> body_;
};

}  // namespace netrunner
