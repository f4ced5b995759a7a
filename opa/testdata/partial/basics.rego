package test

default allow := false

allow if {
	input.method == "GET"
	some r in data.roles[input.user]
	r == "admin"
}

allow if {
	not denied
	input.path[0] == "x"
}

denied if input.bad == "yes"
denied if input.worse == "very"

deny contains msg if {
	every c in input.containers { c.ok }
	msg := sprintf("%s", [input.name])
}

f(x) := y if { y := x + 1 }
p if f(input.x) == 3
q contains x if { some x in [1, 2, 3]; x > input.min }
r if { x := input.a; y := x.b; y > 7 }
s := [v | v := input.l[_]; v > 1]
