package rules.test_things

import data.rules

test_one if { rules.allow with input as {"user": "alice"} with data.roles as {"alice": ["admin"]} }
test_two if {
	result := rules.deny with input as {
		"user": "bob",
		"groups": ["a", "b"],
	}
		with data.roles as {}
	count(result) == 2
}
todo_test_three if { false }
default score := 0
score := 10 if input.level == "high"
score := 5 if {
	input.level == "medium"
} else := 3 if { input.level == "low"
}
path := concat(".", [
	"a", "b"])
a if b
b if c


c if {
	d
	not e
}
d := true
e := false
big := 1e10
neg := -1.50
cond := x == y if { x := 1; y := 2 }
x.y.z := 1
x.y.w if true
assign if { [a1, [b1, c1]] := [1, [2, 3]]; {"k": v1} = {"k": 1} }
