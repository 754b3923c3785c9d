; The state of the lock table, as model/lock_model.h has it, a relation for each container.
(declare-fun live (Session) Bool)
(declare-fun ended (Session) Bool)
(declare-fun holds (Session Lock) Bool)
(declare-fun token (Session Lock) Int)    ; of a holder; those of one lock stand in the order of their tokens
(declare-fun waits (Session Lock) Bool)
(declare-fun ticket (Session Lock) Int)   ; of a waiter; those of one line stand in the order of their tickets
(declare-fun limit (Session Lock) Int)    ; of a waiter: let through when fewer hold the lock
(declare-fun grants () Int)               ; T1: how many there were, and the last token
(declare-fun next_ticket () Int)

; What the model counts or looks up anew each time, kept here step by step as an implementation would.
(declare-fun index (Session Lock) Bool)   ; the locks that a session knows it holds
(declare-fun held (Session) Int)          ; how many these are
(declare-fun size (Lock) Int)             ; how many hold the lock
(declare-fun length (Lock) Int)           ; how many are in its line
(declare-fun waiters () Int)              ; how many wait at all

; Which lock is being handed on: somebody was taken out, and the line was not looked at yet. Between two steps of the
; model there is none: a step is a rule that leaves a lock to be handed on, then hand_over as often as it can be, then
; settle.
(declare-fun handing (Lock) Bool)

; Whether the first waits, by exclusive locks, for the second: directly, through others, or by being the same.
(declare-fun reach (Session Session) Bool)

; Words for the rules.
(define-fun settled () Bool (forall ((k Lock)) (not (handing k))))
(define-fun waiting ((a Session)) Bool (exists ((k Lock)) (waits a k)))
(define-fun idle ((a Session)) Bool (and (live a) (not (waiting a))))
(define-fun has_line ((k Lock)) Bool (exists ((a Session)) (waits a k)))
(define-fun first ((a Session) (k Lock)) Bool
  (and (waits a k) (forall ((b Session)) (=> (waits b k) (<= (ticket a k) (ticket b k))))))
(define-fun at_bound ((a Session)) Bool (and (< 0 max_locks) (>= (held a) max_locks)))
(define-fun tokens_are_out () Bool (and (< 0 max_grants) (>= (+ grants waiters) max_grants)))
(define-fun blocked ((a Session) (b Session)) Bool
  (exists ((k Lock)) (and (exclusive k) (waits a k) (holds b k))))
