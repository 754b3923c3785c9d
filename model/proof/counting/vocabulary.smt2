; A set of which one member comes or goes at a time, and a number that goes along: the holders of a lock and its size.
(declare-sort Member 0)
(declare-const m Member)  ; who comes or goes
