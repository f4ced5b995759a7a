package rec
import rego.v1
p if q
q if p
