package policy

import rego.v1

p := {"a": 1, "b": [1, 2.50, {"c": "x<y>"}]}

nums contains x if some x in [3, 1, 2]

deny contains msg if {
	input.x > 1
	msg := sprintf("x is %d", [input.x])
}

allow if not input.blocked

default level := "low"

level := "high" if input.x > 4

e := 1 / 0

f(x) := x / 0

g(x) := y if {
	print("g called with", x)
	y := x + 1
}

obj[k] := v if {
	some k, v in {"one": 1, "two": 2}
}
