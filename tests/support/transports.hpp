#pragma once
/// Suites about streams run once over pipes and once over sockets: what is promised of a stream is promised of both.

#include <cstdint>
#include <gtest/gtest.h>
#include <string>

#include "tests/support/engine_fixture.hpp"

namespace tests {

/// While it lives, EngineFixture::spawn and run carry every stream between host and command so.
class UsedTransport {
 public:
  explicit UsedTransport(nr::Transport transport) { EngineFixture::transport = transport; }
  UsedTransport(const UsedTransport&) = delete;
  UsedTransport& operator=(const UsedTransport&) = delete;
  ~UsedTransport() { EngineFixture::transport = nr::Transport::pipe; }
};

/// What the kernel holds of one stream at most: a pipe of 64 KiB; a socket's SO_SNDBUF, and one piece beyond it.
[[nodiscard]] inline std::uint64_t carried_bytes_max(nr::Transport transport) {
  return transport == nr::Transport::pipe ? 64 * KiB : 320 * KiB;
}

[[nodiscard]] inline std::string transport_name(nr::Transport transport) {
  return transport == nr::Transport::pipe ? "Pipe" : "Socket";
}

[[nodiscard]] inline auto each_transport() { return testing::Values(nr::Transport::pipe, nr::Transport::socket); }

class OverEachTransport : public testing::TestWithParam<nr::Transport> {
 protected:
  [[nodiscard]] static std::uint64_t carried_bytes_max() { return tests::carried_bytes_max(GetParam()); }

 private:
  UsedTransport used_{GetParam()};
};

}  // namespace tests

/// To be written once for each suite that derives from OverEachTransport.
#define INSTANTIATE_OVER_EACH_TRANSPORT(suite)                       \
  INSTANTIATE_TEST_SUITE_P(Over, suite, tests::each_transport(), [](const auto& info) { \
    return tests::transport_name(info.param);                        \
  })
