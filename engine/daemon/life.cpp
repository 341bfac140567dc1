#include "engine/daemon/life.hpp"

#include <array>
#include <cstddef>

namespace netrunner::daemon {
namespace {

using Row = std::array<LifeStep, life_events>;

constexpr Life down = Life::stopped, lost = Life::failed, wait = Life::waiting, born = Life::spawning, up = Life::up,
               good = Life::ready, to_stop = Life::ending_to_stop, anew = Life::ending_to_restart,
               late = Life::ending_overdue, rest = Life::backing_off;

// In the order of LifeEvent: conditions_met, conditions_overdue, spawned, start_failed, became_ready,
//                            overdue, ended, delay_over, stop, restart.
constexpr std::array<Row, lives> table = {{
    /* stopped */
    {{{down, Deed::none}, {down, Deed::none}, {down, Deed::none}, {down, Deed::none}, {down, Deed::none},
      {down, Deed::none}, {down, Deed::none}, {down, Deed::none}, {down, Deed::none}, {wait, Deed::begin}}},
    /* failed */
    {{{lost, Deed::none}, {lost, Deed::none}, {lost, Deed::none}, {lost, Deed::none}, {lost, Deed::none},
      {lost, Deed::none}, {lost, Deed::none}, {lost, Deed::none}, {lost, Deed::none}, {wait, Deed::begin}}},
    /* waiting */
    {{{born, Deed::spawn}, {lost, Deed::give_up}, {wait, Deed::none}, {wait, Deed::none}, {wait, Deed::none},
      {wait, Deed::none}, {wait, Deed::none}, {wait, Deed::none}, {down, Deed::none}, {wait, Deed::begin}}},
    /* spawning: what is under way may have read its files already, so a restart takes it back too. */
    {{{born, Deed::none}, {born, Deed::none}, {up, Deed::greet}, {born, Deed::judge}, {born, Deed::none},
      {late, Deed::order_end}, {born, Deed::none}, {born, Deed::none}, {to_stop, Deed::order_end},
      {anew, Deed::order_end}}},
    /* up */
    {{{up, Deed::none}, {up, Deed::none}, {up, Deed::none}, {up, Deed::none}, {good, Deed::none},
      {late, Deed::order_end}, {up, Deed::judge}, {up, Deed::none}, {to_stop, Deed::order_end},
      {anew, Deed::order_end}}},
    /* ready: ready again is the end of a reload. */
    {{{good, Deed::none}, {good, Deed::none}, {good, Deed::none}, {good, Deed::none}, {good, Deed::none},
      {late, Deed::order_end}, {good, Deed::judge}, {good, Deed::none}, {to_stop, Deed::order_end},
      {anew, Deed::order_end}}},
    /* ending_to_stop: a second stop may shorten the first; who asks last is obeyed. */
    {{{to_stop, Deed::none}, {to_stop, Deed::none}, {to_stop, Deed::order_end}, {down, Deed::none},
      {to_stop, Deed::none}, {to_stop, Deed::none}, {down, Deed::none}, {to_stop, Deed::none},
      {to_stop, Deed::order_end}, {anew, Deed::none}}},
    /* ending_to_restart */
    {{{anew, Deed::none}, {anew, Deed::none}, {anew, Deed::order_end}, {wait, Deed::begin}, {anew, Deed::none},
      {anew, Deed::none}, {wait, Deed::begin}, {anew, Deed::none}, {to_stop, Deed::order_end}, {anew, Deed::none}}},
    /* ending_overdue */
    {{{late, Deed::none}, {late, Deed::none}, {late, Deed::order_end}, {late, Deed::judge}, {late, Deed::none},
      {late, Deed::none}, {late, Deed::judge}, {late, Deed::none}, {to_stop, Deed::order_end}, {anew, Deed::none}}},
    /* backing_off */
    {{{rest, Deed::none}, {rest, Deed::none}, {rest, Deed::none}, {rest, Deed::none}, {rest, Deed::none},
      {rest, Deed::none}, {rest, Deed::none}, {wait, Deed::begin}, {down, Deed::none}, {wait, Deed::begin}}},
}};

}  // namespace

LifeStep step(Life life, LifeEvent event) noexcept {
  return table[static_cast<std::size_t>(life)][static_cast<std::size_t>(event)];
}

DaemonState state_of(Life life) noexcept {
  switch (life) {
    case Life::stopped: return DaemonState::stopped;
    case Life::failed: return DaemonState::failed;
    case Life::waiting: return DaemonState::waiting;
    case Life::spawning:
    case Life::up: return DaemonState::starting;
    case Life::ready: return DaemonState::ready;
    case Life::ending_to_stop:
    case Life::ending_to_restart:
    case Life::ending_overdue: return DaemonState::stopping;
    case Life::backing_off: return DaemonState::backing_off;
  }
  return DaemonState::failed;
}

}  // namespace netrunner::daemon
