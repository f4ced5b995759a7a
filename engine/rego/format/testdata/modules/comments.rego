#!shebang like
#no space
   # indented
package lib.comments # on the package

# before imports
import data.b # b
# between
import data.a # a


# alone

p := [ # open
	1, # one
	# two follows
	2
	# end
] # close

q if { # brace
	# first
	a := 1 # a

	# second


	b := a # b
	# last
} # after
r := f(1, # arg
	2) # end
f(x, y) := x + y # sum

s := {"a": 1, # one
"b": 2}
t contains 1 # t
u if { true } # u
v if {
	x := {
		"deep": [ # list
			1,
		],
		# gone
	}
	walk(x, [path, _]) # walk
}
# METADATA
# scope: rule
w := 1
# METADATA
# scope: rule
y := 2


# the end
