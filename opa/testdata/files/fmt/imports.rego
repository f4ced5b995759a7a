package imports

import rego.v1

import data.x

p contains x.y if "a" in input.letters
