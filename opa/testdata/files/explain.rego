package explain

# Rules whose bodies ask for something, so that some are never tried.
role := "admin" if input.user == "root"

role := "guest" if {
	not input.user
	input.x > 1
}

default chosen := false

chosen if {
	input.x == 7
	input.y
} else := "other" if input.x in [4, 5]

tree.a[key] contains value if {
	some key, value in {"one": 1, "two": 2}
	value < input.x
}

tree.b := input.x

named[name] := length if {
	some name in ["x", "yy"]
	length := count(name)
}

kinds contains kind if {
	glob.match("a.*", ["."], input.name)
	kind := "a"
}

kinds contains "x" if startswith(input.name, "x")

double(n) := n * 2 if n > 1

double(0) := 0

doubled := double(input.x)

mocked := y if y := doubled with input.x as 0

checked if {
	every n in [1, 2] {
		n < input.x
	}
	not role == "admin"
}

all := {name: sizes | some name in ["x", "yy"]; sizes := [n | n := named[name]]}
