package t
import rego.v1
p := count(1)
