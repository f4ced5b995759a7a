package suite.b

test_ok if true

# The cases' names are references.
test_plus[tc.note] if {
	some tc in [
		{"note": "one", "a": 1, "sum": 2},
		{"note": "two", "a": 2, "sum": 4},
	]
	tc.a + 1 == tc.sum
}

test_deep[a][b] if {
	some a, b in {"x": "y", "z": "w"}
	print("case", a)
	a == "x"
}

tests.test_inner if 1 == 1

test_all[n] if some n in ["p", "q"]
