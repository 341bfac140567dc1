#include "engine/shard/start_failure.hpp"

#include <elf.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <optional>
#include <string>

namespace netrunner::shard {
namespace {

/// MAX_ARG_STRLEN of the kernel: one string with its NUL. See execve(2).
constexpr std::size_t string_bytes_max = 131072;

std::string path_variable(const Command::Spec& spec) {
  std::optional<std::string> value;
  if (!spec.clear_environment) {
    if (const char* inherited = ::getenv("PATH")) value = inherited;
  }
  for (const auto& change : spec.environment) {
    if (change.name == "PATH") value = change.value;
  }
  return value.value_or("/usr/local/bin:/usr/bin:/bin");
}

/// The interpreter of a #! line, or nothing.
std::optional<std::string> script_interpreter(std::string_view head) {
  if (!head.starts_with("#!")) return std::nullopt;
  head.remove_prefix(2);
  const std::size_t start = head.find_first_not_of(" \t");
  if (start == std::string_view::npos) return "";
  head.remove_prefix(start);
  return std::string(head.substr(0, head.find_first_of(" \t\n")));
}

template <class Header>
std::optional<Header> header_at(std::string_view head, std::size_t offset) {
  if (offset > head.size() || head.size() - offset < sizeof(Header)) return std::nullopt;
  Header header;
  std::memcpy(&header, head.data() + offset, sizeof header);
  return header;
}

bool is_elf(std::string_view head) { return head.starts_with(ELFMAG); }

/// PT_INTERP of an ELF file: its loader.
std::optional<std::string> elf_interpreter(std::string_view head) {
  const auto file = header_at<Elf64_Ehdr>(head, 0);
  if (!is_elf(head) || !file || file->e_ident[EI_CLASS] != ELFCLASS64) return std::nullopt;
  for (std::size_t i = 0; i < file->e_phnum; ++i) {
    const auto program = header_at<Elf64_Phdr>(head, file->e_phoff + i * sizeof(Elf64_Phdr));
    if (!program) return std::nullopt;
    if (program->p_type != PT_INTERP || program->p_offset >= head.size()) continue;
    const std::string_view name = head.substr(program->p_offset, program->p_filesz);
    return std::string(name.substr(0, name.find('\0')));
  }
  return std::nullopt;
}

void explain_not_found(Error& error, const Command::Spec& spec, const StartReport& report) {
  if (const auto interpreter = script_interpreter(report.head)) {
    const bool carriage_return = !interpreter->empty() && interpreter->back() == '\r';
    std::string shown = carriage_return ? interpreter->substr(0, interpreter->size() - 1) + "\\r" : *interpreter;
    if (shown.empty()) shown = "(none named after #!)";
    error.advice = "its interpreter " + shown + " does not exist";
    if (carriage_return) error.advice += ": the #! line ends with CR LF, save the script with LF line ends";
  } else if (const auto loader = elf_interpreter(report.head)) {
    error.advice = "its loader " + *loader + " does not exist: it was built for another C library";
  } else if (spec.program.find('/') == std::string::npos) {
    error.subject = spec.program;
    error.advice = "searched PATH=" + path_variable(spec);
  }
}

constexpr std::uint16_t own_machine() {
#if defined(__x86_64__)
  return EM_X86_64;
#elif defined(__aarch64__)
  return EM_AARCH64;
#else
  return EM_NONE;
#endif
}

void explain_not_executable(Error& error, const StartReport& report) {
  if (const auto file = header_at<Elf64_Ehdr>(report.head, 0); file && is_elf(report.head)) {
    const bool other = own_machine() != EM_NONE && file->e_machine != own_machine();
    error.advice = other ? "an ELF file for another architecture (machine " + std::to_string(file->e_machine) + ")"
                         : "a damaged or unsupported ELF file";
  } else if (const auto interpreter = script_interpreter(report.head)) {
    error.advice = interpreter->empty() ? "its #! line names no interpreter" : "its #! line is too long or its "
                                          "interpreter can't be executed";
  } else if (report.head.empty()) {
    error.advice = "the file is empty or can't be read";
  } else {
    error.advice = "it has no #! line and isn't an ELF file of this machine; Command::shell_fallback() runs it by "
                   "/bin/sh";
  }
}

std::string entry_of(const Command::Spec& spec, std::size_t& longest) {
  std::string name;
  const auto consider = [&](std::size_t bytes, std::string what) {
    if (bytes <= longest) return;
    longest = bytes;
    name = std::move(what);
  };
  consider(spec.arg0.value_or(spec.program).size() + 1, "argv[0]");
  for (std::size_t i = 0; i < spec.arguments.size(); ++i) {
    consider(spec.arguments[i].size() + 1, "argv[" + std::to_string(i + 1) + "]");
  }
  for (const auto& change : spec.environment) {
    if (change.value) consider(change.name.size() + change.value->size() + 2, "environment variable " + change.name);
  }
  if (!spec.clear_environment) {
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
      const std::string_view text = *entry;
      consider(text.size() + 1, "environment variable " + std::string(text.substr(0, text.find('='))));
    }
  }
  return name;
}

/// A quarter of the stack limit, 128 KiB at least, 6 MiB at most: what argv and environment may have together.
std::uint64_t total_bytes_max(const Command::Spec& spec) {
  rlimit stack{};
  ::getrlimit(RLIMIT_STACK, &stack);
  std::uint64_t soft = stack.rlim_cur;
  for (const ResourceLimit& limit : spec.resource_limits) {
    if (limit.resource == RLIMIT_STACK) soft = limit.soft;
  }
  return std::clamp<std::uint64_t>(soft / 4, 128 * KiB, 6 * MiB);
}

void explain_too_long(Error& error, const Command::Spec& spec, const wire::StartFailedFixed& fixed) {
  std::size_t longest = 0;
  const std::string name = entry_of(spec, longest);
  if (longest > string_bytes_max) {
    error.subject = name;
    error.advice = std::to_string(longest) + " bytes with its NUL, one string may have " +
                   std::to_string(string_bytes_max) + "; pass it on stdin or in a file";
    return;
  }
  std::size_t total = 0;
  for (const std::string& argument : spec.arguments) total += argument.size() + 1 + sizeof(char*);
  (void)fixed;
  error.subject = "arguments and environment together";
  error.advice = std::to_string(spec.arguments.size()) + " arguments of " + std::to_string(total) +
                 " bytes (pointers counted), the limit for both is " + std::to_string(total_bytes_max(spec)) +
                 " (a quarter of RLIMIT_STACK); pass them on stdin or in a file";
}

std::string limit_text(int resource) {
  rlimit limit{};
  if (::getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) return "?";
  return limit.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(limit.rlim_cur);
}

void explain_clone(Error& error) {
  error.code = ErrorCode::limit_reached;
  error.subject = "a new process";
  error.advice = "the limit of processes is reached: RLIMIT_NPROC = " + limit_text(RLIMIT_NPROC) +
                 ", or pids.max of the cgroup, kernel.threads-max or kernel.pid_max; it was tried for a second";
}

std::string capability_name(std::uint32_t number) {
  std::string name = "CAP_" + CapabilitySet({static_cast<int>(number)}).text();
  for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

Error limit_failure(const Command::Spec& spec, const wire::StartFailedFixed& fixed,
                    const containment::LimitPlan& limits) {
  if (fixed.index < limits.writes.size()) return containment::write_refused(limits, fixed.index, fixed.sys_errno);
  Error error = system_error(spec.program, Stage::cgroup, fixed.sys_errno);
  if (fixed.sys_errno == ENOMEM) {
    error.subject = "memory_max = " + std::to_string(spec.limits.memory_max.value_or(0)) + " for " + spec.program;
    error.advice = "its exec alone needs more: the kernel's OOM killer ended it on the way";
  } else {
    error.code = ErrorCode::limit_unavailable;
    error.subject = "the groups for the limits of " + spec.program;
    error.advice = "a group could not be made or joined";
  }
  return error;
}

std::string subject_of(const Command::Spec& spec, const StartReport& report) {
  switch (static_cast<Stage>(report.fixed.stage)) {
    case Stage::cwd: return spec.cwd.value_or("the host's current directory");
    case Stage::exec: return report.path.empty() ? spec.program : std::string(report.path);
    case Stage::rlimit:
      return report.fixed.index < spec.resource_limits.size()
                 ? std::string(resource_name(spec.resource_limits[report.fixed.index].resource))
                 : std::string("rlimit");
    case Stage::nice: return spec.nice ? std::to_string(*spec.nice) : "";
    case Stage::uid: return spec.identity.uid ? std::to_string(*spec.identity.uid) : "";
    case Stage::gid: return spec.identity.gid ? std::to_string(*spec.identity.gid) : "";
    case Stage::capabilities: return capability_name(report.fixed.index % wire::bounding_index);
    case Stage::oom_score: return spec.oom_score_adj ? std::to_string(*spec.oom_score_adj) : "";
    case Stage::terminal: return "the controlling terminal";
    case Stage::group: return spec.grouping == Grouping::join ? std::to_string(spec.join_group) : "";
    default: return report.path.empty() ? spec.program : std::string(report.path);
  }
}

}  // namespace

Error start_failure(const Command::Spec& spec, const StartReport& report, const containment::LimitPlan* limits) {
  const auto stage = static_cast<Stage>(report.fixed.stage);
  if (stage == Stage::cgroup && limits != nullptr) return limit_failure(spec, report.fixed, *limits);
  Error error = system_error(subject_of(spec, report), stage, report.fixed.sys_errno);
  if (stage == Stage::clone && report.fixed.sys_errno == EAGAIN) {
    explain_clone(error);
    return error;
  }
  if (stage == Stage::capabilities && report.fixed.sys_errno == EPERM) {
    error.advice = report.fixed.index >= wire::bounding_index
                       ? "to drop it from the bounding set takes CAP_SETPCAP; Command::no_new_privs() lets it gain none"
                       : "the engine's own process hasn't got it";
  }
  if (stage != Stage::exec) return error;
  switch (report.fixed.sys_errno) {
    case ENOENT: explain_not_found(error, spec, report); break;
    case ENOEXEC: case EINVAL: case ELIBBAD:
      error.code = ErrorCode::not_executable;
      explain_not_executable(error, report);
      break;
    case E2BIG: explain_too_long(error, spec, report.fixed); break;
    case ETXTBSY: error.advice = "the file is open for writing; it was tried for a second"; break;
    case EACCES: error.advice = "no execute permission, or a directory on the way can't be searched, or noexec"; break;
    default: break;
  }
  return error;
}

Error stopped_before_start(const Command::Spec& spec, EndReason reason) {
  const bool late = reason == EndReason::deadline;
  return {late ? ErrorCode::timed_out : ErrorCode::cancelled, Stage::exec, 0, spec.program,
          late ? "its deadline passed before it was started" : "it was stopped before it was started"};
}

Error descriptor_failure(Error error) {
  if (error.sys_errno == EMFILE) {
    error.subject = error.stage == Stage::terminal ? "a terminal" : "a pipe";
    error.advice = "RLIMIT_NOFILE = " + limit_text(RLIMIT_NOFILE) + " of this process is used up: raise it (ulimit -n)";
  }
  return error;  // Of ENFILE system_error says it all.
}

}  // namespace netrunner::shard
