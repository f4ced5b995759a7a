package old.style

import data.helpers as h
import input.review.object

violation[{"msg": msg, "details": {"missing": missing}}] {
  provided := {label | object.metadata.labels[label]}
  required := {label | label := input.parameters.labels[_].key}
  missing := required - provided
  count(missing) > 0
  msg := sprintf("you must provide labels: %v", [missing])
}
default allow = false
allow { h.ok } { input.other }
allow = true { not h.bad }
general_violation[{"field": f}] { f := "x" ; f != "y" } # one line
name(c) = n { n := c.name } else = "none" { true }
table = {"a": 1,
  "b": 2}
set_of[x] { x := [1,2][_] }
obj[k] = v { v := object.spec[k] }
x = y { y := 1 }
arr[i] { i := 1
  # comment
  arr2[i] }
arr2 = [1,
2]
f(_) = 1
