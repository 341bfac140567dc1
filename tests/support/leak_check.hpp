#pragma once
/// After each test: the host's descriptors, threads and children are what they were before, exactly, and no process
/// of the test is left. It works by itself: linking leak_check.cpp adds it to googletest's listeners.

#include <string>

namespace tests {

/// "NETRUNNER_TEST_MARK=<host pid>.<n>": in the host's environment during a test, hence in that of each command (and
/// of all that it starts), unless the command clears it. What has it when the test is over was left running.
[[nodiscard]] std::string current_mark();
[[nodiscard]] std::string mark_variable();  ///< The name alone.

}  // namespace tests
