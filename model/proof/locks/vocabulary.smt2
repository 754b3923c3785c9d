; What never changes, and what an event names. How many sessions and locks there are is nowhere said: the proof holds
; for any number of both.
(declare-sort Session 0)
(declare-sort Lock 0)  ; a key in one of the two spaces
(declare-fun exclusive (Lock) Bool)  ; in which of the two; otherwise it is a shared lock

; The bounds, 0 being none.
(declare-const max_locks Int)    ; S5
(declare-const max_waiters Int)  ; W7
(declare-const max_grants Int)   ; T1

; An event concerns one session and one lock, and a get comes with a limit (C1's, or 1 for an exclusive lock) and heeds
; the line, unless it is `sg`.
(declare-const s Session)
(declare-const l Lock)
(declare-const n Int)
(declare-const heeds_line Bool)
