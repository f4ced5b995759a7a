package mixed

import future.keywords.in
import future.keywords.if
import future.keywords.contains
import future.keywords.every

deny contains msg if { some m in input.messages; msg := m }
ok if { every x in input.xs { x > 1 } }
p[x] { x in [1, 2] }
q = 1 if input.x
r.a.b := 2 if { input.y }
