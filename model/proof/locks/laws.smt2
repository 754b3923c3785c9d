; What holds of every step, from one state to the next.

; S1: an id is never used again.
(define-fun ended_for_ever () Bool (forall ((a Session)) (=> (ended a) (next.ended a))))

; S2: a session that has ended is granted nothing.
(define-fun granted_to_the_live () Bool
  (forall ((a Session) (k Lock)) (=> (next.holds a k) (not (holds a k)) (live a))))

; T1: a token is larger than all before it, and stays as long as the lock is held.
(define-fun tokens_grow () Bool
  (forall ((a Session) (k Lock)) (=> (next.holds a k) (not (holds a k)) (< grants (next.token a k)))))
(define-fun tokens_stay () Bool
  (and (<= grants next.grants)
    (forall ((a Session) (k Lock)) (=> (next.holds a k) (holds a k) (= (next.token a k) (token a k))))))

; W3: who stays in line stays where he is and with his limit, a newcomer goes behind, and nobody gets the lock past one
; who came earlier, but by `sg` (H1).
(define-fun line_stays () Bool
  (forall ((a Session) (k Lock))
    (=> (next.waits a k) (waits a k)
      (and (= (next.ticket a k) (ticket a k)) (= (next.limit a k) (limit a k))))))
(define-fun newcomer_last () Bool
  (forall ((a Session) (b Session) (k Lock))
    (=> (next.waits a k) (not (waits a k)) (next.waits b k) (distinct a b) (< (next.ticket b k) (next.ticket a k)))))
(define-fun nobody_overtakes () Bool
  (forall ((a Session) (b Session) (k Lock))
    (=> (or (exclusive k) heeds_line) (next.holds a k) (not (holds a k)) (waits b k) (distinct a b)
      (and (waits a k) (< (ticket a k) (ticket b k))))))

; C1, C2: fewer than his own limit hold the lock that somebody is granted.
(define-fun limit_heeded () Bool
  (forall ((a Session) (k Lock))
    (=> (next.holds a k) (not (holds a k)) (< (size k) (ite (waits a k) (limit a k) n)))))

; Only the session's own events and its end take a lock from it: of others nothing is lost.
(define-fun nobody_robbed () Bool
  (forall ((a Session) (k Lock)) (=> (holds a k) (not (next.holds a k)) (and (= a s) (= k l)))))

; Each number changes as what it counts does: not at all, by one that comes or goes, or to 0 when all are gone. By
; the proof in the folder counting it is then the number that it says.
(define-fun size_counts () Bool
  (forall ((k Lock))
    (or (and (= (next.size k) (size k)) (forall ((a Session)) (= (next.holds a k) (holds a k))))
      (exists ((b Session))
        (and (not (holds b k)) (= (next.size k) (+ (size k) 1))
          (forall ((a Session)) (= (next.holds a k) (or (holds a k) (= a b))))))
      (exists ((b Session))
        (and (holds b k) (= (next.size k) (- (size k) 1))
          (forall ((a Session)) (= (next.holds a k) (and (holds a k) (distinct a b)))))))))
(define-fun length_counts () Bool
  (forall ((k Lock))
    (or (and (= (next.length k) (length k)) (forall ((a Session)) (= (next.waits a k) (waits a k))))
      (and (= (next.length k) 0) (forall ((a Session)) (not (next.waits a k))))
      (exists ((b Session))
        (and (not (waits b k)) (= (next.length k) (+ (length k) 1))
          (forall ((a Session)) (= (next.waits a k) (or (waits a k) (= a b))))))
      (exists ((b Session))
        (and (waits b k) (= (next.length k) (- (length k) 1))
          (forall ((a Session)) (= (next.waits a k) (and (waits a k) (distinct a b)))))))))
(define-fun held_counts () Bool
  (forall ((a Session))
    (or (and (= (next.held a) (held a)) (forall ((k Lock)) (= (next.holds a k) (holds a k))))
      (exists ((m Lock))
        (and (not (holds a m)) (= (next.held a) (+ (held a) 1))
          (forall ((k Lock)) (= (next.holds a k) (or (holds a k) (= k m))))))
      (exists ((m Lock))
        (and (holds a m) (= (next.held a) (- (held a) 1))
          (forall ((k Lock)) (= (next.holds a k) (and (holds a k) (distinct k m)))))))))
(define-fun waiters_counts () Bool
  (or (and (= next.waiters waiters) (forall ((a Session) (k Lock)) (= (next.waits a k) (waits a k))))
    (and (= next.waiters 0) (forall ((a Session) (k Lock)) (not (next.waits a k))))
    (exists ((b Session) (m Lock))
      (and (not (waits b m)) (= next.waiters (+ waiters 1))
        (forall ((a Session) (k Lock)) (= (next.waits a k) (or (waits a k) (and (= a b) (= k m)))))))
    (exists ((b Session) (m Lock))
      (and (waits b m) (= next.waiters (- waiters 1))
        (forall ((a Session) (k Lock)) (= (next.waits a k) (and (waits a k) (not (and (= a b) (= k m))))))))))
