#include "tools/netrunner/path_search.hpp"

#include <cstdlib>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace netrunner::tool {

std::string file_in_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  if (path == nullptr || program.empty() || program.find('/') != std::string::npos) return {};
  for (std::string_view rest = path;;) {
    const std::size_t colon = rest.find(':');
    const std::string_view folder = rest.substr(0, colon);
    if (!folder.starts_with('/')) return {};
    std::string file = std::string(folder) + "/" + program;
    struct stat status {};
    if (::stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(file.c_str(), X_OK) == 0) return file;
    if (colon == std::string_view::npos) return {};
    rest.remove_prefix(colon + 1);
  }
}

}  // namespace netrunner::tool
