; What might have been designed wrongly. Each stands between a push and a pop: its name, the rule that it changes, and a
; goal that cannot be kept then; and, under the same names, the conditions and parts of the next state that are others.

(push 1) (echo "takes from a holder") (set-info :rule take) (set-info :breaks one_holder)
(assert (! true :named room))
(pop 1)

(push 1) (echo "sgl overtakes the line") (set-info :rule take) (set-info :breaks nobody_overtakes)
(assert (! true :named no_line))
(pop 1)

(push 1) (echo "the bound of locks is off by one") (set-info :rule take) (set-info :breaks locks_bounded)
(assert (! (not (and (< 0 max_locks) (> (held s) max_locks))) :named below_bound))
(pop 1)

(push 1) (echo "a token is given twice") (set-info :rule take) (set-info :breaks tokens_known)
(define-fun next.grants () Int grants)
(pop 1)

(push 1) (echo "no token is set aside for who waits") (set-info :rule take) (set-info :breaks grants_bounded)
(assert (! (not (and (< 0 max_grants) (>= grants max_grants))) :named token_left))
(pop 1)

(push 1) (echo "repeated sg counts twice") (set-info :rule take_shared) (set-info :breaks size_counts)
(assert (! true :named not_held))
(pop 1)

(push 1) (echo "a circle of three is missed") (set-info :rule wait) (set-info :breaks no_circle)
(assert (! (not (and (exclusive l) (exists ((a Session)) (and (holds a l) (blocked a s))))) :named no_circle))
(pop 1)

(push 1) (echo "waits for a free lock") (set-info :rule wait) (set-info :breaks first_stays)
(assert (! true :named no_room))
(pop 1)

(push 1) (echo "waits in a second line") (set-info :rule wait) (set-info :breaks one_wait)
(assert (! (live s) :named idle))
(pop 1)

(push 1) (echo "the bound of a line is off by one") (set-info :rule wait) (set-info :breaks line_bounded)
(assert (! (not (and (< 0 max_waiters) (> (length l) max_waiters))) :named line_not_full))
(pop 1)

(push 1) (echo "release without owner check") (set-info :rule release) (set-info :breaks nobody_robbed)
(assert (! true :named holder))
(define-fun next.holds ((a Session) (k Lock)) Bool (and (holds a k) (distinct k l)))
(pop 1)

(push 1) (echo "release leaves the index entry") (set-info :rule release) (set-info :breaks index_agrees)
(define-fun next.index ((a Session) (k Lock)) Bool (index a k))
(pop 1)

(push 1) (echo "a freed lock is not handed on") (set-info :rule orphan) (set-info :breaks free_has_no_line)
(define-fun next.handing ((k Lock)) Bool (handing k))
(pop 1)

(push 1) (echo "a timeout leaves the entry") (set-info :rule leave) (set-info :breaks length_counts)
(define-fun next.waits ((a Session) (k Lock)) Bool (waits a k))
(pop 1)

(push 1) (echo "who leaves lets nobody through") (set-info :rule leave) (set-info :breaks first_stays)
(define-fun next.handing ((k Lock)) Bool (handing k))
(pop 1)

(push 1) (echo "the end frees without handing on") (set-info :rule end) (set-info :breaks free_has_no_line)
(define-fun next.holds ((a Session) (k Lock)) Bool (and (holds a k) (distinct a s)))
(pop 1)

(push 1) (echo "the end keeps the waiter") (set-info :rule end_waiting) (set-info :breaks waiter_live)
(define-fun next.waits ((a Session) (k Lock)) Bool (waits a k))
(define-fun next.length ((k Lock)) Int (length k))
(define-fun next.waiters () Int waiters)
(define-fun next.handing ((k Lock)) Bool (handing k))
(define-fun next.reach ((a Session) (b Session)) Bool (reach a b))
(pop 1)

(push 1) (echo "a dead session is granted") (set-info :rule hand_over) (set-info :breaks granted_to_the_live)
(assert (! (ended s) :named first))
(pop 1)

(push 1) (echo "the wrong waiter is let through") (set-info :rule hand_over) (set-info :breaks nobody_overtakes)
(assert (! (waits s l) :named first))
(pop 1)

(push 1) (echo "the limit of another waiter is used") (set-info :rule hand_over) (set-info :breaks limit_heeded)
(assert (! (exists ((a Session)) (and (waits a l) (< (size l) (limit a l)))) :named room))
(pop 1)

(push 1) (echo "granted, and still in line") (set-info :rule hand_over) (set-info :breaks waits_for_others)
(define-fun next.waits ((a Session) (k Lock)) Bool (waits a k))
(pop 1)

(push 1) (echo "the index misses what was handed over") (set-info :rule hand_over) (set-info :breaks index_agrees)
(define-fun next.index ((a Session) (k Lock)) Bool (index a k))
(pop 1)

(push 1) (echo "a token goes back") (set-info :rule hand_over) (set-info :breaks tokens_grow)
(define-fun next.token ((a Session) (k Lock)) Int (ite (and (= a s) (= k l)) grants (token a k)))
(pop 1)

(push 1) (echo "the others wait for nobody now") (set-info :rule hand_over) (set-info :breaks reach_has_steps)
(define-fun next.reach ((a Session) (b Session)) Bool (reach a b))
(pop 1)

(push 1) (echo "only one is let through") (set-info :rule settle) (set-info :breaks first_stays)
(assert (! true :named done))
(pop 1)

(push 1) (echo "an id comes again") (set-info :rule begin) (set-info :breaks one_fate)
(assert (! true :named not_ended))
(pop 1)
