package w
import rego.v1
q := time.now_ns() with time.now_ns as 5
 r := input.z with input as {"z": 9}
