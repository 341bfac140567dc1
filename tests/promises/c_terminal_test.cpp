/// The terminal of a command in the C interface.

#include <gtest/gtest.h>
#include <memory>
#include <netrunner/netrunner.h>
#include <string>
#include <string_view>

#include "tests/support/c_handle.hpp"

namespace tests {
namespace {

constexpr std::int64_t patient = 60'000'000'000;

TEST(CTerminal, HasASizeAndModesBeforeExecAndLive) {
  nr_error error = NR_ERROR_INIT;
  nr_engine* opened = nullptr;
  ASSERT_EQ(nr_engine_open(nullptr, &opened, &error), NR_OK) << error.message;
  const Handle<nr_engine> engine(opened);
  const Handle<nr_command> command(nr_command_shell(
      "stty size; stty -a | grep -o -- ' -\\?echo '; echo asked; read word; echo got $word; read more"));
  const nr_window_size size = {50, 132, 0, 0};
  nr_command_terminal(command.get(), &size, true);
  nr_command_terminal_mode(command.get(), 53, 0);
  nr_process* started = nullptr;
  ASSERT_EQ(nr_spawn(engine.get(), command.get(), &started, &error), NR_OK) << error.message;
  const Handle<nr_process> process(started);
  const auto read_until = [&](std::string_view part) {
    std::string text;
    char buffer[256];
    size_t bytes = 1;
    while (text.find(part) == std::string::npos && bytes != 0) {
      EXPECT_EQ(nr_process_read(process.get(), NR_OUT, buffer, sizeof buffer, patient, &bytes, &error), NR_OK);
      text.append(buffer, bytes);
    }
    return text;
  };
  EXPECT_EQ(read_until("asked\r\n"), "50 132\r\n -echo \r\nasked\r\n");
  EXPECT_EQ(nr_process_resize(process.get(), {24, 80, 0, 0}, patient, &error), NR_OK);
  EXPECT_EQ(nr_process_resize(process.get(), {0, 80, 0, 0}, patient, &error), NR_INVALID_ARGUMENT);
  uint32_t value = 7;
  EXPECT_EQ(nr_process_terminal_mode(process.get(), 53, patient, &value, &error), NR_OK);
  EXPECT_EQ(value, 0U);
  EXPECT_EQ(nr_process_set_terminal_mode(process.get(), 53, 1, patient, &error), NR_OK);
  EXPECT_EQ(nr_process_terminal_mode(process.get(), 53, patient, &value, &error), NR_OK);
  EXPECT_EQ(value, 1U);
  EXPECT_EQ(nr_process_terminal_mode(process.get(), 11, patient, &value, &error), NR_INVALID_ARGUMENT);
  EXPECT_EQ(nr_process_write(process.get(), NR_IN, "word\n", 5, patient, nullptr, &error), NR_OK);
  EXPECT_EQ(read_until("got word\r\n"), "word\r\ngot word\r\n");
  EXPECT_EQ(nr_process_close_input(process.get(), NR_IN, patient, &error), NR_OK);
  nr_ended ended = NR_ENDED_INIT;
  EXPECT_EQ(nr_process_wait(process.get(), patient, &ended, &error), NR_OK);
  EXPECT_EQ(ended.status.kind, NR_EXITED);
  EXPECT_EQ(ended.streams[NR_IN].bytes, 5U);
  EXPECT_EQ(nr_process_resize(process.get(), size, patient, &error), NR_ALREADY_EXITED);
}

}  // namespace
}  // namespace tests
