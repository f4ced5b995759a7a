package lib.collections
objects := {"k": [1,2,{"deep": {"er": set()}}], "other": {k: v | some k, v in input.map; v != null}}
strings := ["plain", "esc\"aped\n", `raw "quoted"`, "uni\u00e9", $"template {input.x} and {count(input.y)}"]
multi := {
	"one": 1, "two": 2,
	"three": 3,
}
table := [
	# first row
	[1, 2, 3],
	[4, 5, 6], # second row
	# after
]
by_name := {name: item |
	some item in input.items
	name := item.name
}
unions := {x | x := (a | b)[_]}
pairs := {(a | b): (c | d)}
nested contains x if {
	x := {y |
		y := [z |
			z := input.zs[_] # why
		][_]
	}
}
empty_array := []
empty_object := {}
refs := input["not a name"].fine["in"].if.contains[0]["x.y"]
calls := f({"a": 1},
	[2,
		3])
f(x, y) := [x, y]
