package main

deny[msg] {
	input.kind == "Deployment"
	not input.metadata.labels.website
	msg := "deployment without label website"
}

xs[x] { x := [1, 2, 3][_] }
