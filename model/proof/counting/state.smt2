; The members are numbered from 0: `place` and `at` are each other's inverse. With them `count` is what it says.
(declare-fun in (Member) Bool)
(declare-fun count () Int)
(declare-fun place (Member) Int)
(declare-fun at (Int) Member)
