(push 1) (echo "start")
(define-fun next.in ((a Member)) Bool false)
(define-fun next.count () Int 0)
(pop 1)
