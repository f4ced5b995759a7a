package lib.quantifiers
import rego.v1

all_good if {
	every c in input.containers { c.ready }
	every i, c in input.containers {
		i >= 0 # index
		c.image != ""

		# last
		c.name
	}
	some x, y
	input.matrix[x][y] == 1
	some a,
		b
	input.pairs[a] == b
	some "key", v in input.map
	[1, 2] in input.things
	3 in [1, 2, 3]
	not 4 in [1, 2, 3]
	x in y
}
partial[x] := y if { some x, y in input.list }
nested.object.name := "v" if input.yes
nested.object[k] contains v if { some k, v in input.sets }
q["fixed"] := 1
