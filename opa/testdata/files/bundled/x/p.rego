package x

p := input.a

test_p if p == 1 with input.a as 1
