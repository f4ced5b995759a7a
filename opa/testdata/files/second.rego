package policy
x := 1
