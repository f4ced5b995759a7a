package p
allow if input.x == 1
allow if input.y
deny := "n" if input.z
test_a if allow with input as {"x": 1}
