// Tables with one fault each, which the comparison with the model, or a relation between two runs, must find: were one
// not found, the comparison would be dead.
#ifndef LOCKD_PROPTESTS_FAULTY_TABLES_H_
#define LOCKD_PROPTESTS_FAULTY_TABLES_H_

#include <ostream>
#include <string>
#include <vector>

#include "proptests/table.h"

namespace lockd::proptests {

struct FaultyTable {
  std::string name;  // says what it does wrong; words with underscores
  TableMaker make;
};

std::ostream& operator<<(std::ostream& out, const FaultyTable& table);

/// Faults in what the classic verbs do, each to be seen within few steps.
std::vector<FaultyTable> tables_with_classic_faults();

/// Faults in waiting, limits, tokens and `ra`, likewise.
std::vector<FaultyTable> tables_with_waiting_faults();

/// Faults that show in crowds only: of holders, of keys, in long circles.
std::vector<FaultyTable> tables_with_faults_in_crowds();

/// Faults that one key, or one name, does not show: what the relations between two runs are about.
std::vector<FaultyTable> tables_with_faults_across_keys();

}  // namespace lockd::proptests

#endif  // LOCKD_PROPTESTS_FAULTY_TABLES_H_
