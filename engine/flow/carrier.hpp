#pragma once

#include <cstdint>

namespace netrunner::flow {

/// What carries a stream's bytes between host and command.
enum class Carrier : std::uint8_t {
  pipe,
  socket,    ///< A pair of stream sockets, used in one direction.
  terminal,  ///< A pseudo-terminal, of which we have the master.
};

}  // namespace netrunner::flow
