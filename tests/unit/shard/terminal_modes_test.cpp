#include <asm/termbits.h>
#include <gtest/gtest.h>

#include "engine/shard/terminal_modes.hpp"

namespace netrunner::shard {
namespace {

using Mode = TerminalMode;

TEST(TerminalModes, ChangeWhatTheyNameAndNothingElse) {
  os::PtyModes kernel;
  kernel.local = ISIG | ICANON | ECHO;
  kernel.control = CS8 | CREAD | B38400;
  apply(TerminalModes().echo(false).set(Mode::vintr, 7).set(Mode::ixon, 9).set(Mode::cs7, 1), kernel);
  EXPECT_EQ(kernel.local, static_cast<std::uint32_t>(ISIG | ICANON));
  EXPECT_EQ(kernel.input, static_cast<std::uint32_t>(IXON)) << "any value but 0 is on";
  EXPECT_EQ(kernel.control, static_cast<std::uint32_t>(CS7 | CREAD | B38400));
  EXPECT_EQ(kernel.characters[VINTR], 7);
  EXPECT_EQ(kernel.characters[VEOF], 0);
  apply(TerminalModes().set(Mode::cs7, 0), kernel);
  EXPECT_EQ(kernel.control, static_cast<std::uint32_t>(CS7 | CREAD | B38400)) << "no size says no size";
}

TEST(TerminalModes, AllThatAreReadMakeTheSameAgain) {
  os::PtyModes kernel;
  kernel.input = ICRNL | IXON | IUTF8;
  kernel.output = OPOST | ONLCR;
  kernel.local = ISIG | ICANON | ECHOK | IEXTEN | XCASE;
  kernel.control = CS8;
  kernel.input_speed = 50;
  kernel.output_speed = 4'000'000;
  for (const int place : {VINTR, VQUIT, VERASE, VKILL, VEOF, VEOL, VEOL2, VSTART, VSTOP, VSUSP, VREPRINT, VWERASE,
                          VLNEXT, VSWTC, VDISCARD}) {
    kernel.characters[static_cast<std::size_t>(place)] = static_cast<std::uint8_t>(100 + place);
  }
  os::PtyModes again;
  apply(modes_of(kernel), again);
  EXPECT_EQ(again.input, kernel.input);
  EXPECT_EQ(again.output, kernel.output);
  EXPECT_EQ(again.local, kernel.local);
  EXPECT_EQ(again.control, kernel.control);
  EXPECT_EQ(again.characters, kernel.characters);
  EXPECT_EQ(again.input_speed, 50U);
  EXPECT_EQ(again.output_speed, 4'000'000U);
}

TEST(TerminalModes, AreKnownByTheNumbersOfRfc4254) {
  int known = 0;
  for (int number = 0; number < 256; ++number) known += is_known(static_cast<TerminalMode>(number)) ? 1 : 0;
  EXPECT_EQ(known, 53);
  for (const int number : {0, 11, 15, 17, 29, 43, 63, 94, 127, 130}) {
    EXPECT_FALSE(is_known(static_cast<TerminalMode>(number))) << number;
  }
}

}  // namespace
}  // namespace netrunner::shard
