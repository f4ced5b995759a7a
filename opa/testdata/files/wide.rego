# METADATA
# title: pkg
# description: d
# scope: subpackages
# organizations: [o]
# authors:
# - Jane <a@b.c>
# - name: X
# related_resources:
# - https://x.y/z?a=1&b=2
# - ref: https://q.r
#   description: dd
# custom:
#   k: 1
#   a: [x, 2.5, null]
package a.b["c d"]

import data.foo as bar
import input.x

# comment é <
default p := 1
default f(_) := 2

# METADATA
# title: rule
# entrypoint: true
# schemas:
# - input: schema.x
# - data.z: {type: string}
p := x if {
  every k, v in [1] { k; v }
  every v in [1] { v == 2 with input as 1 with data.q as 2 }
  some i, j
  some y in input.z
  not a[i][j] = y
  x := {a: b | a = 1; b = 2}
  z := {a | a = 1}
  w := [a | a := 1]
  {1, 2} == set()
  null == false
  $"x{y}z {1+1}"
  `raw` != "\t\u1234<"
  x[f(1)].g["h i"][_]
} else := 3 if { false } else := 4

q contains 1
q contains x if x := 1 # trailing
r[x] := 1 if x := 1
s.t.u := 2
s.v[x].w contains 1 if x := 1
fn(a, [b, _]) if a == b
g := 1e3
h := -1.0
# METADATA
# labels: {a: b}
k if { 1 + 2 * 3 == 4 }
