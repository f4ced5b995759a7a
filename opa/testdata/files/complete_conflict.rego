package confl
import rego.v1
p := 1 if true
p := 2 if true
