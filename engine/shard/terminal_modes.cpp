#include "engine/shard/terminal_modes.hpp"

#include <asm/termbits.h>

#include <cstddef>
#include <cstdint>

namespace netrunner::shard {
namespace {

using Mode = TerminalMode;
using os::PtyModes;

struct Flag {
  Mode mode;
  std::uint32_t PtyModes::*word;
  std::uint32_t mask;  ///< Of the field in the word...
  std::uint32_t on;    ///< ...and what it holds where the mode is on.
};

constexpr Flag bit(Mode mode, std::uint32_t PtyModes::*word, std::uint32_t mask) { return {mode, word, mask, mask}; }

constexpr Flag flags[] = {
    bit(Mode::ignpar, &PtyModes::input, IGNPAR),    bit(Mode::parmrk, &PtyModes::input, PARMRK),
    bit(Mode::inpck, &PtyModes::input, INPCK),      bit(Mode::istrip, &PtyModes::input, ISTRIP),
    bit(Mode::inlcr, &PtyModes::input, INLCR),      bit(Mode::igncr, &PtyModes::input, IGNCR),
    bit(Mode::icrnl, &PtyModes::input, ICRNL),      bit(Mode::iuclc, &PtyModes::input, IUCLC),
    bit(Mode::ixon, &PtyModes::input, IXON),        bit(Mode::ixany, &PtyModes::input, IXANY),
    bit(Mode::ixoff, &PtyModes::input, IXOFF),      bit(Mode::imaxbel, &PtyModes::input, IMAXBEL),
    bit(Mode::iutf8, &PtyModes::input, IUTF8),      bit(Mode::isig, &PtyModes::local, ISIG),
    bit(Mode::icanon, &PtyModes::local, ICANON),    bit(Mode::xcase, &PtyModes::local, XCASE),
    bit(Mode::echo, &PtyModes::local, ECHO),        bit(Mode::echoe, &PtyModes::local, ECHOE),
    bit(Mode::echok, &PtyModes::local, ECHOK),      bit(Mode::echonl, &PtyModes::local, ECHONL),
    bit(Mode::noflsh, &PtyModes::local, NOFLSH),    bit(Mode::tostop, &PtyModes::local, TOSTOP),
    bit(Mode::iexten, &PtyModes::local, IEXTEN),    bit(Mode::echoctl, &PtyModes::local, ECHOCTL),
    bit(Mode::echoke, &PtyModes::local, ECHOKE),    bit(Mode::pendin, &PtyModes::local, PENDIN),
    bit(Mode::opost, &PtyModes::output, OPOST),     bit(Mode::olcuc, &PtyModes::output, OLCUC),
    bit(Mode::onlcr, &PtyModes::output, ONLCR),     bit(Mode::ocrnl, &PtyModes::output, OCRNL),
    bit(Mode::onocr, &PtyModes::output, ONOCR),     bit(Mode::onlret, &PtyModes::output, ONLRET),
    {Mode::cs7, &PtyModes::control, CSIZE, CS7},    {Mode::cs8, &PtyModes::control, CSIZE, CS8},
    bit(Mode::parenb, &PtyModes::control, PARENB),  bit(Mode::parodd, &PtyModes::control, PARODD),
};

struct Character {
  Mode mode;
  std::size_t place;
};
constexpr Character characters[] = {
    {Mode::vintr, VINTR},       {Mode::vquit, VQUIT},   {Mode::verase, VERASE}, {Mode::vkill, VKILL},
    {Mode::veof, VEOF},         {Mode::veol, VEOL},     {Mode::veol2, VEOL2},   {Mode::vstart, VSTART},
    {Mode::vstop, VSTOP},       {Mode::vsusp, VSUSP},   {Mode::vreprint, VREPRINT},
    {Mode::vwerase, VWERASE},   {Mode::vlnext, VLNEXT}, {Mode::vswtch, VSWTC},  {Mode::vdiscard, VDISCARD},
};

const Flag* flag_of(Mode mode) noexcept {
  for (const Flag& flag : flags) {
    if (flag.mode == mode) return &flag;
  }
  return nullptr;
}

const Character* character_of(Mode mode) noexcept {
  for (const Character& character : characters) {
    if (character.mode == mode) return &character;
  }
  return nullptr;
}

/// Turning off a field of several bits (the size of a character) says nothing: another value turns it on.
void set_flag(const Flag& flag, bool on, PtyModes& kernel) noexcept {
  std::uint32_t& word = kernel.*flag.word;
  if (on) word = (word & ~flag.mask) | flag.on;
  else if (flag.mask == flag.on) word &= ~flag.mask;
}

}  // namespace

bool is_known(TerminalMode mode) noexcept {
  return mode == Mode::ispeed || mode == Mode::ospeed || flag_of(mode) != nullptr || character_of(mode) != nullptr;
}

void apply(const TerminalModes& changes, os::PtyModes& kernel) noexcept {
  for (const auto& [mode, value] : changes.settings()) {
    if (mode == Mode::ispeed) kernel.input_speed = value;
    if (mode == Mode::ospeed) kernel.output_speed = value;
    if (const Flag* flag = flag_of(mode)) set_flag(*flag, value != 0, kernel);
    if (const Character* character = character_of(mode)) {
      kernel.characters[character->place] = static_cast<std::uint8_t>(value);
    }
  }
}

TerminalModes modes_of(const os::PtyModes& kernel) {
  TerminalModes modes;
  for (const Character& character : characters) {
    modes = std::move(modes).set(character.mode, kernel.characters[character.place]);
  }
  for (const Flag& flag : flags) {
    modes = std::move(modes).set(flag.mode, (kernel.*flag.word & flag.mask) == flag.on ? 1 : 0);
  }
  return std::move(modes).set(Mode::ispeed, kernel.input_speed).set(Mode::ospeed, kernel.output_speed);
}

}  // namespace netrunner::shard
