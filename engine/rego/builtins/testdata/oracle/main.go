// Reads calls, one {"f": name, "a": [arguments]} a line, and prints them with what OPA's builtins answer.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/util"
)

type call struct {
	F string            `json:"f"`
	A []json.RawMessage `json:"a"`
}

func toValue(x any) ast.Value {
	switch x := x.(type) {
	case map[string]any:
		if set, ok := x["$set"]; ok {
			out := ast.NewSet()
			for _, e := range set.([]any) {
				out.Add(ast.NewTerm(toValue(e)))
			}
			return out
		}
		out := ast.NewObject()
		for k, v := range x {
			out.Insert(ast.StringTerm(k), ast.NewTerm(toValue(v)))
		}
		return out
	case []any:
		terms := make([]*ast.Term, len(x))
		for i := range x {
			terms[i] = ast.NewTerm(toValue(x[i]))
		}
		return ast.NewArray(terms...)
	}
	return ast.MustInterfaceToValue(x)
}

func encode(x any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(x); err != nil {
		return ""
	}
	return strings.TrimSpace(b.String())
}

func answer(line []byte) (out string, err error) {
	var c call
	if err := json.Unmarshal(line, &c); err != nil {
		return "", err
	}
	args := make([]*ast.Term, len(c.A))
	for i, raw := range c.A {
		var x any
		if err := util.UnmarshalJSON(raw, &x); err != nil {
			return "", err
		}
		args[i] = ast.NewTerm(toValue(x))
	}
	builtin := topdown.GetBuiltin(c.F)
	if builtin == nil {
		return "", fmt.Errorf("no builtin %s", c.F)
	}
	prefix := strings.TrimSuffix(string(line), "}")
	defer func() {
		if r := recover(); r != nil {
			out = fmt.Sprintf("%s,\"error\":%s}", prefix, encode(fmt.Sprintf("panic: %v", r)))
		}
	}()
	var result ast.Value
	bctx := topdown.BuiltinContext{Context: context.Background()}
	failure := builtin(bctx, args, func(t *ast.Term) error {
		if result == nil {
			result = t.Value
		}
		return nil
	})
	if failure != nil || result == nil {
		message := ""
		if e, ok := failure.(*topdown.Error); ok {
			message = e.Code + ": " + e.Message
		} else if failure != nil {
			message = failure.Error()
		}
		return fmt.Sprintf("%s,\"error\":%s}", prefix, encode(message)), nil
	}
	js, err := ast.JSON(result)
	if err != nil {
		return "", err
	}
	text := encode(js)
	if text == "" { // a number that is no JSON
		return "", nil
	}
	return fmt.Sprintf("%s,\"want\":%s}", prefix, text), nil
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) == 0 && err != nil {
			return
		}
		out, err := answer(line[:len(line)-1])
		if err != nil {
			fmt.Fprintln(os.Stderr, err, string(line))
			continue
		}
		if out != "" {
			fmt.Println(out)
		}
	}
}
