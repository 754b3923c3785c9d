(define-fun member_has_place () Bool
  (forall ((a Member)) (=> (in a) (and (<= 0 (place a)) (< (place a) count) (= (at (place a)) a)))))
(define-fun place_has_member () Bool
  (forall ((i Int)) (=> (<= 0 i) (< i count) (and (in (at i)) (= (place (at i)) i)))))
(define-fun not_negative () Bool (<= 0 count))

; What the proof of the locks takes from here.
(define-fun counted () Bool (and (<= 0 count) (= (= count 0) (forall ((a Member)) (not (in a))))))
