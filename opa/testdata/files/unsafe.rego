package a

p := x if { true
}
q := y
