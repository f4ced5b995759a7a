package messy
import data.z
import data.a # first

# why
deny contains msg if { some c in input.containers; not c.ok
  msg := sprintf("%s: %d", [c.name,
    c.count]) # tell
}
limits :=   {"cpu":2,
"memory": "4Gi"}
