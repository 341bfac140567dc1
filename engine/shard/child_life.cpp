#include "engine/shard/child_life.hpp"

#include <array>
#include <cstddef>

namespace netrunner::shard {
namespace {

using enum Life;
using enum LifeAction;

constexpr std::size_t states = 5, events = 7;
constexpr LifeStep broken{ended, impossible};

// A late word of a shepherd about a command that has ended is no fault: it is passed over.
constexpr std::array<std::array<LifeStep, events>, states> table = {{
    //  started                 start_failed              exited            drain_over
    //  settled                 complete                  lost
    {{{running, report_start}, {ended, report_failure}, {draining, drain}, {starting, none},
      broken, {starting, none}, {draining, give_up}}},                                        // starting
    {{broken, broken, {draining, drain}, {running, none},
      broken, {running, none}, {draining, give_up}}},                                         // running
    {{broken, broken, broken, {settling, settle},
      {draining, note_settled}, {ended, end}, {draining, give_up}}},                          // draining
    {{broken, broken, broken, {settling, none},
      {settling, note_settled}, {ended, end}, {settling, give_up}}},                          // settling
    {{{ended, none}, {ended, none}, {ended, none}, {ended, none},
      {ended, none}, {ended, none}, {ended, none}}},                                          // ended
}};

}  // namespace

LifeStep step(Life state, LifeEvent event) noexcept {
  return table[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)];
}

std::string_view name_of(Life state) noexcept {
  constexpr std::array<std::string_view, states> names = {"starting", "running", "draining", "settling", "ended"};
  return names[static_cast<std::size_t>(state)];
}

}  // namespace netrunner::shard
