#pragma once
/// The programs of tests/children as commands: child("flood", progress.path()).

#include <string>
#include <string_view>

#include <netrunner/command.hpp>
#include "tests/support/paths.hpp"

namespace tests {

template <class... Args>
[[nodiscard]] netrunner::Command child(std::string_view name, const Args&... arguments) {
  return netrunner::Command(child_path(name))
      .args({std::string(arguments)...});
}
[[nodiscard]] inline netrunner::Command sh(std::string script) { return netrunner::Command::shell(std::move(script)); }
[[nodiscard]] inline netrunner::Command python(std::string program) {
  return netrunner::Command("/usr/bin/python3", "-S", "-c", program);
}

}  // namespace tests
