#pragma once
/// The errors of commands that must not start, and words that a person must find in them.

#include <gtest/gtest.h>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/support/engine_fixture.hpp"

namespace tests {

/// The error of a start that must fail; an exception where it succeeds.
[[nodiscard]] inline nr::Error refusal(EngineFixture& host, const nr::Command& command) {
  nr::Result<nr::Process> started = nr::blocking::get(host->spawn(command), verb_deadline());
  if (started) throw std::runtime_error("it started: " + command.spec().program);
  return std::move(started).error();
}

[[nodiscard]] inline testing::AssertionResult says(const nr::Error& error, std::string_view words) {
  if (error.message().find(words) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << '"' << error.message() << "\" does not say \"" << words << '"';
}

/// Stage, errno and a word of the subject, all at once.
[[nodiscard]] inline testing::AssertionResult is(const nr::Error& error, nr::Stage stage, int sys_errno,
                                                 std::string_view subject) {
  if (error.stage == stage && error.sys_errno == sys_errno && error.subject.find(subject) != std::string::npos) {
    return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << "stage " << nr::name_of(error.stage) << ", errno " << error.sys_errno
                                     << ", subject \"" << error.subject << "\", code " << nr::name_of(error.code)
                                     << ": " << error.message();
}

}  // namespace tests
