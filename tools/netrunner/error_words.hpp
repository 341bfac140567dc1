#pragma once
/// Errors of the library in the words of the command line.

#include <string>

#include <netrunner/error.hpp>

namespace netrunner::tool {

/// Error::message(), with the option where the library names a function or a field.
[[nodiscard]] std::string words_of(const Error& error);
/// The same for words in which such a message stands.
[[nodiscard]] std::string in_options(std::string words);

}  // namespace netrunner::tool
