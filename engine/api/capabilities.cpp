#include <netrunner/capabilities.hpp>

#include <array>
#include <cctype>
#include <charconv>
#include <optional>

namespace netrunner {
namespace {

/// By number, as capabilities(7) has them (Linux 5.9 and later: 41).
constexpr std::array<std::string_view, 41> names = {
    "chown",           "dac_override",     "dac_read_search", "fowner",       "fsetid",          "kill",
    "setgid",          "setuid",           "setpcap",         "linux_immutable", "net_bind_service", "net_broadcast",
    "net_admin",       "net_raw",          "ipc_lock",        "ipc_owner",    "sys_module",      "sys_rawio",
    "sys_chroot",      "sys_ptrace",       "sys_pacct",       "sys_admin",    "sys_boot",        "sys_nice",
    "sys_resource",    "sys_time",         "sys_tty_config",  "mknod",        "lease",           "audit_write",
    "audit_control",   "setfcap",          "mac_override",    "mac_admin",    "syslog",          "wake_alarm",
    "block_suspend",   "audit_read",       "perfmon",         "bpf",          "checkpoint_restore",
};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

std::optional<int> number_of(std::string_view word) {
  std::string name = lower(word);
  if (name.starts_with("cap_")) name.erase(0, 4);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<int>(i);
  }
  int number = 0;
  const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool whole = failed == std::errc() && end == name.data() + name.size();
  return whole && number >= 0 && number < CapabilitySet::number_max ? std::optional(number) : std::nullopt;
}

std::string name_of_number(int number) {
  const auto index = static_cast<std::size_t>(number);
  return index < names.size() ? std::string(names[index]) : std::to_string(number);
}

}  // namespace

Result<CapabilitySet> CapabilitySet::parse(std::string_view text) {
  CapabilitySet set;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    std::string_view word = text.substr(at, comma - at);
    at = comma + 1;
    const bool away = word.starts_with('-');
    if (away) word.remove_prefix(1);
    const std::string whole = lower(word);
    if (whole == "all" || whole == "none") {
      set = (whole == "all") != away ? all() : CapabilitySet();
      continue;
    }
    const auto number = number_of(word);
    if (!number) {
      return std::unexpected(Error{ErrorCode::invalid_argument, Stage::validate, 0,
                                   "capability \"" + std::string(word) + "\"",
                                   "names as capabilities(7) has them, separated by commas: net_bind_service,kill; "
                                   "none; all,-sys_admin"});
    }
    away ? set.remove(*number) : set.add(*number);
  }
  return set;
}

std::string CapabilitySet::text() const {
  if (empty()) return "none";
  // What is said of a number above the last one of the kernel can only have come from `all`.
  const bool from_all = has(number_max);
  std::string text = from_all ? "all" : "";
  for (int number = 0; number < number_max; ++number) {
    if (has(number) == from_all) continue;
    if (!text.empty()) text += ',';
    text += (from_all ? "-" : "") + name_of_number(number);
  }
  return text;
}

}  // namespace netrunner
