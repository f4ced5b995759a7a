package lib.functions

import rego.v1

f(x) := y if { y := x + 1 } else := 0 if x == null else := -1

g(a, b) := c if {
	a > b
	c := a - b
}
else := c if {
	# the other way
	c := b - a
} # done

else := 0

max_of(xs) := m if {
	m := max([x |
		some x in xs
		x > 0 # positive
	])
}
long(first,
	second, third) if {
	first == second
	second == third with input as {"a": 1}
		with data.x as 2
}
is_even(n) if n % 2 == 0
h(_, _) := 1
k([a, b], {"x": c}) := a | b & c
math := (1 + 2) * 3 - (4 / (5 - 6))
sum := -x if x := input.n
