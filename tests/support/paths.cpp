#include "tests/support/paths.hpp"

namespace tests {

std::string child_path(std::string_view name) { return (NETRUNNER_BIN_DIR "/children/") + std::string(name); }
std::string host_path(std::string_view name) { return (NETRUNNER_BIN_DIR "/hosts/") + std::string(name); }
const char* command_path() noexcept { return NETRUNNER_BIN_DIR "/netrunner"; }
const char* shepherd_path() noexcept { return NETRUNNER_BIN_DIR "/netrunner-shepherd"; }

}  // namespace tests
