package t_test

import data.t

test_ok if true

test_bad if {
	print("hello", 1)
	1 == 2
}

test_bad if 1 == 3

todo_test_x if true

test_undef if data.nope

test_err if {
	f(1) == 2
}

f(x) := 1
f(x) := 2

test_print if print("x")

test_num := 3

test_sub[name] if {
	some name, tc in {"a": 1, "b": 2}
	tc == 1
}
