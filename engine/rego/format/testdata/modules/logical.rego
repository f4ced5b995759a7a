package lib.logical
import future.keywords.not
import future.keywords.and
import future.keywords.or

p if {
	input.a and input.b or input.c
	not { input.x; input.y == 1 }
	not (input.a or input.b)
	input.first and
		input.second and
		input.third
	{ input.x == 1; input.z } or {
		input.y
	}
	(input.a or input.b) and input.c
}
