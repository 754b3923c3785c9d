// The faults that can be planted in the server, each of which the simulator must find.
#ifndef LOCKD_SIMULATOR_FAULTS_H_
#define LOCKD_SIMULATOR_FAULTS_H_

#include <array>

#include "simulator/simulation.h"

namespace lockd::simulator {

/// Where they are: in faulty_connection.h, but for the last three, of TableMutex and of the watched table.
inline constexpr std::array<FaultName, 17> all_faults = {
    "wakeup_reaches_another",     // one for a session that has gone is given to another who waits
    "wakeup_lost",                // the mailbox delivers it to nobody, now and then
    "end_runs_twice",             // a connection stands twice in the queue of those that end
    "write_restarted",            // after a partial write the bytes that were taken are sent again
    "output_reordered",           // new replies overtake those that wait for room
    "timer_not_cancelled",        // when a wait ends
    "wait_too_short",             // its timer is set to an earlier moment
    "wait_from_its_pass",         // it is counted from the moment of the pass in which it begins
    "clock_of_an_earlier_pass",   // is told to the sessions of a later one
    "clean_up_overtakes",         // the end of input is looked at before what was read ahead of it
    "reads_while_a_turn_is_due",  // a wait for input that was begun earlier reads on
    "turn_forgotten",             // no turn is asked for when the output has drained
    "deadline_not_moved",         // when the peer has taken some of what waits
    "closes_at_once",             // without waiting until replies are sent
    "no_wait_mutex",              // circles are looked for while others enter lines
    "grant_not_accepted",         // the session does not count what it was granted
    "end_skips_the_wait",         // a session that waits is ended as if it did not
};

}  // namespace lockd::simulator

#endif  // LOCKD_SIMULATOR_FAULTS_H_
