package b

import rego.v1

# else, defaults, functions, nested refs, with, comprehension, partial objects
level := "high" if {
	input.score > 90
} else := "medium" if {
	input.score > 50
} else := "low"

default ok := true

ok := false if input.broken

default deflt(_) := false

deflt(x) if x == input.y

g(x) := "big" if x > 10

g(x) := "small" if x <= 10

size := g(input.n)

known := g(5)

obj[k] := v if {
	some k, v in {"a": 1, "b": 2}
	v > input.min
}

nested.a.b[x] contains y if {
	some x in input.xs
	some y in ["p", "q"]
}

uses_with if {
	inner with input.q as 3
}

inner if input.q == 3

uses_with_unknown if {
	inner with input.q as input.z
}

users := {u | some u in data.users; u.active}

active contains u.name if {
	some u in data.users
	u.active
	u.role == input.role
}

any_admin if {
	some u in data.users
	u.role == "admin"
	u.name == input.name
}

no_one if not any_admin

nobody if {
	not input.a
	not input.b.c
	not data.users[input.i].active
}

chain if {
	x := input.a
	y := x.b
	z := y.c
	z == 1
}

arr if {
	[a, b] := input.pair
	a == 1
	b == 2
}

iter if {
	input.list[_] == 7
}

iter2 if {
	x := input.list[i]
	i > 2
	x.name == "n"
}

strs if {
	startswith(input.s, "x")
	not endswith(input.s, "y")
	contains(lower(input.s), "z")
}

agg if count([x | some x in input.list; x > 3]) > 2

sets if input.role in {"a", "b"}

ev if every x in input.list { x > 1 }

ev2 if every x in [1, 2] { x > input.min }

ev3 if every k, v in {"a": 1} { input[k] == v }

rnd if rand.intn("x", 10) > input.r

t if time.now_ns() > input.t

typed if {
	x := 1
	x == input.one
	"a" != input.two
}

multi := 1 if input.m1

multi := 2 if input.m2

r.s.t := 5 if input.deep

d contains {"name": n, "v": input.v} if some n in ["x", "y"]

e if d[{"name": "x", "v": 1}]

hash := {"k": input.k, "l": [input.l]}

cmp if hash.k == 5

cmp2 if hash == {"k": 1, "l": [2]}

func_ref := f2(input.a, 2)

f2(x, y) := z if {
	z := (x + y) * 2
}

rec(x) if x.y == input.q

callrec if rec({"y": 3})

lookups if data.table[input.key] == "v"

lookup2 := data.table[input.key]

lookup3 if data.table[k] == input.v

neg_iter if not has_item

has_item if {
	some i in input.items
	i.x == 1
}
