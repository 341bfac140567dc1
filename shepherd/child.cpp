#include "shepherd/child.hpp"

#include <array>

namespace netrunner::shepherd {
namespace {

using enum State;
using enum Deed;
using Row = std::array<Step, event_count>;

// Columns:      admitted, cloned, refused, exec_done, exec_unsure, exec_failed, ended_alone, ended_in_company,
//               stop, settle_stop, settle_leave, group_empty, given_up.
constexpr std::array<Row, state_count> life = {{
    /* free */ {{{waiting, none}, {free, impossible}, {free, impossible}, {free, impossible}, {free, impossible},
                 {free, impossible}, {free, impossible}, {free, impossible}, {free, none}, {free, answer_settled},
                 {free, answer_settled}, {free, impossible}, {free, impossible}}},
    /* waiting */ {{{waiting, refuse_slot}, {starting, none}, {free, report_refusal}, {waiting, impossible},
                    {waiting, impossible}, {waiting, impossible}, {waiting, impossible}, {waiting, impossible},
                    {free, withdraw}, {waiting, none}, {waiting, none}, {waiting, impossible}, {waiting, impossible}}},
    /* starting */ {{{starting, refuse_slot}, {starting, impossible}, {starting, impossible},
                     {running, report_started}, {deciding, await_end}, {failing, await_end}, {starting, impossible},
                     {starting, impossible}, {starting, climb}, {starting, none}, {starting, none},
                     {starting, impossible}, {starting, impossible}}},
    /* deciding */ {{{deciding, refuse_slot}, {deciding, impossible}, {deciding, impossible}, {deciding, impossible},
                     {deciding, impossible}, {deciding, impossible}, {free, report_cancelled},
                     {free, report_cancelled}, {deciding, climb}, {deciding, none}, {deciding, none},
                     {deciding, impossible}, {running, report_started}}},
    /* failing */ {{{failing, refuse_slot}, {failing, impossible}, {failing, impossible}, {failing, impossible},
                    {failing, impossible}, {failing, impossible}, {free, report_failure}, {free, report_failure},
                    {failing, none}, {failing, none}, {failing, none}, {failing, impossible}, {failing, none}}},
    /* running */ {{{running, refuse_slot}, {running, impossible}, {running, impossible}, {running, impossible},
                    {running, impossible}, {running, impossible}, {free, report_exit}, {leaderless, report_exit},
                    {running, climb}, {running, none}, {running, none}, {running, impossible}, {running, none}}},
    /* leaderless */ {{{leaderless, refuse_slot}, {leaderless, impossible}, {leaderless, impossible},
                       {leaderless, impossible}, {leaderless, impossible}, {leaderless, impossible},
                       {leaderless, impossible}, {leaderless, impossible}, {leaderless, none},
                       {settling, kill_group}, {free, report_left}, {leaderless, none}, {leaderless, none}}},
    /* settling */ {{{settling, refuse_slot}, {settling, impossible}, {settling, impossible}, {settling, impossible},
                     {settling, impossible}, {settling, impossible}, {settling, impossible}, {settling, impossible},
                     {settling, none}, {settling, none}, {free, report_left}, {free, report_settled},
                     {free, report_left}}},
}};

}  // namespace

Step step(State state, Event event) noexcept {
  return life[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)];
}

}  // namespace netrunner::shepherd
