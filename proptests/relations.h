// What must be so of a lock table whatever the specification says: relations between two runs of it, without a model.
#ifndef LOCKD_PROPTESTS_RELATIONS_H_
#define LOCKD_PROPTESTS_RELATIONS_H_

#include "proptests/table.h"

namespace lockd::proptests {

/// Each is a property of rc::check, which draws a sequence and is told by an exception where the relation does not
/// hold. Each says what it is modulo. The tables have one shard and no bounds, so that tokens and S5 do not come
/// between; wake-ups arrive at once.

/// S1, F3: names of sessions and keys change only what is said of them. Modulo: what slices of ends and `ra` free
/// first, and the tokens of several locks freed at once.
void renaming_renames(TableMaker maker);

/// X3, H3, W8, T2. Modulo: nothing but time, of which the table only keeps accounts.
void looking_changes_nothing(TableMaker maker);

/// X1, X2, H1, H2, C2. Modulo: tokens; and circles (W6), where of two that would close one the first waits: so no `gw`.
void different_keys_commute(TableMaker maker);

/// S2: a disconnect leaves what `cancel` and the release of everything leave, and wakes whom they wake, with the same
/// answers. Modulo: orphans, tokens of locks that are handed over at once, and whose turn comes first at different
/// locks.
void disconnect_equals_release_of_everything(TableMaker maker);

/// X1, H1, W4. Modulo: tokens. The bystander has keys of his own, alike in their beginnings.
void a_bystander_changes_nothing(TableMaker maker);

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_RELATIONS_H_
