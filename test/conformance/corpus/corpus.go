// Package corpus pins the version of OPA whose test cases the conformance runner reads.
package corpus

import _ "github.com/open-policy-agent/opa/v1/test/cases"
