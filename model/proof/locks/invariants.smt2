; What holds in every state. (Each is a goal of the proof. That the last three are kept is shown by
; way of laws.smt2 and of the proof in the folder counting.)

; X: one exclusive holder at most.
(define-fun one_holder () Bool
  (forall ((a Session) (b Session) (k Lock)) (=> (exclusive k) (holds a k) (holds b k) (= a b))))

; S1, S2: nobody is both live and ended. A holder is one of them: an ended one holds until his last lock is orphaned.
; Who waits is live.
(define-fun one_fate () Bool (forall ((a Session)) (not (and (live a) (ended a)))))
(define-fun holder_known () Bool (forall ((a Session) (k Lock)) (=> (holds a k) (or (live a) (ended a)))))
(define-fun waiter_live () Bool (forall ((a Session) (k Lock)) (=> (waits a k) (live a))))

; The session's index agrees with the table.
(define-fun index_agrees () Bool (forall ((a Session) (k Lock)) (= (index a k) (holds a k))))

; W4: the first in line does not fit, and what nobody holds has no line.
(define-fun first_stays () Bool
  (forall ((a Session) (k Lock)) (=> (first a k) (not (handing k)) (>= (size k) (limit a k)))))
(define-fun free_has_no_line () Bool
  (forall ((a Session) (k Lock)) (=> (waits a k) (not (handing k)) (exists ((b Session)) (holds b k)))))

; W2: nobody waits twice. W10: nor for what he holds.
(define-fun one_wait () Bool
  (forall ((a Session) (k Lock) (m Lock)) (=> (waits a k) (waits a m) (= k m))))
(define-fun waits_for_others () Bool (forall ((a Session) (k Lock)) (=> (waits a k) (not (holds a k)))))

; C1, W1: the limit is 1 or more, and 1 for an exclusive lock.
(define-fun limit_sound () Bool
  (forall ((a Session) (k Lock)) (=> (waits a k) (and (>= (limit a k) 1) (=> (exclusive k) (= (limit a k) 1))))))

; W3: a line is an order.
(define-fun tickets_known () Bool
  (forall ((a Session) (k Lock)) (=> (waits a k) (< (ticket a k) next_ticket))))
(define-fun tickets_differ () Bool
  (forall ((a Session) (b Session) (k Lock))
    (=> (waits a k) (waits b k) (= (ticket a k) (ticket b k)) (= a b))))

; T1: tokens begin with 1, none is larger than the last, and no two are equal.
(define-fun tokens_known () Bool
  (forall ((a Session) (k Lock)) (=> (holds a k) (and (<= 1 (token a k)) (<= (token a k) grants)))))
(define-fun tokens_differ () Bool
  (forall ((a Session) (k Lock) (b Session) (m Lock))
    (=> (holds a k) (holds b m) (= (token a k) (token b m)) (and (= a b) (= k m)))))
(define-fun grants_not_negative () Bool (<= 0 grants))

; W6: `reach` is an order, so that nobody waits for himself by way of others. That it is what it says: it has each step
; from a waiter to the holder, and in it each way to another session begins with such a step.
(define-fun reach_reflexive () Bool (forall ((a Session)) (reach a a)))
(define-fun reach_transitive () Bool
  (forall ((a Session) (b Session) (c Session)) (=> (reach a b) (reach b c) (reach a c))))
(define-fun reach_one_way () Bool
  (forall ((a Session) (b Session) (c Session)) (=> (reach a b) (reach a c) (or (reach b c) (reach c b)))))
(define-fun no_circle () Bool
  (forall ((a Session) (b Session)) (=> (reach a b) (reach b a) (= a b))))
(define-fun reach_has_steps () Bool
  (forall ((a Session) (b Session) (k Lock)) (=> (exclusive k) (waits a k) (holds b k) (reach a b))))
(define-fun reach_is_steps () Bool
  (forall ((a Session) (b Session))
    (=> (reach a b) (distinct a b) (exists ((c Session)) (and (blocked a c) (reach c b))))))

; The bounds.
(define-fun locks_bounded () Bool  ; S5
  (forall ((a Session)) (=> (live a) (< 0 max_locks) (<= (+ (held a) (ite (waiting a) 1 0)) max_locks))))
(define-fun line_bounded () Bool  ; W7
  (forall ((k Lock)) (=> (< 0 max_waiters) (<= (length k) max_waiters))))
(define-fun grants_bounded () Bool  ; T1
  (=> (< 0 max_grants) (<= (+ grants waiters) max_grants)))

; Each number is that of its set: not negative, and 0 if the set is empty.
(define-fun size_counted () Bool
  (forall ((k Lock)) (and (<= 0 (size k)) (= (= (size k) 0) (forall ((a Session)) (not (holds a k)))))))
(define-fun held_counted () Bool
  (forall ((a Session)) (and (<= 0 (held a)) (= (= (held a) 0) (forall ((k Lock)) (not (holds a k)))))))
(define-fun waiters_counted () Bool (<= 0 waiters))
