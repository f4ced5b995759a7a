// Times OPA's Go library on the cases of bench/engines: one line per case, input and store.
//
//	opabench CASES
//
// Columns, separated by tabs: case, input, store, violations, CPU ns per evaluation with the input read beforehand, CPU
// ns with the input read from its bytes each time.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

const (
	rounds = 5
	round  = 120 * time.Millisecond
)

type meta struct {
	Name    string   `json:"name"`
	Package string   `json:"package"`
	Files   []string `json:"files"`
	Data    bool     `json:"data"`
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// median CPU ns of one call, garbage collection included.
func measure(call func()) float64 {
	count := 1
	for {
		start := time.Now()
		for range count {
			call()
		}
		if took := time.Since(start); took >= round/2 {
			count = max(1, int(float64(count)*float64(round)/float64(took)))
			break
		}
		count *= 2
	}
	var results []float64
	for range rounds {
		start := cpuTime()
		for range count {
			call()
		}
		results = append(results, float64(cpuTime()-start)/float64(count))
	}
	slices.Sort(results)
	return results[rounds/2]
}

func store(folder string, m meta, asValues bool) (storage.Store, error) {
	if !m.Data {
		return inmem.New(), nil
	}
	text, err := os.ReadFile(filepath.Join(folder, "data.json"))
	if err != nil {
		return nil, err
	}
	var data map[string]any
	if err := json.Unmarshal(text, &data); err != nil {
		return nil, err
	}
	return inmem.NewFromObjectWithOpts(data, inmem.OptReturnASTValuesOnRead(asValues)), nil
}

func benchCase(folder string, m meta, asValues bool) error {
	ctx := context.Background()
	data, err := store(folder, m, asValues)
	if err != nil {
		return err
	}
	options := []func(*rego.Rego){
		rego.Query("data." + m.Package + ".violation"), rego.Store(data), rego.SetRegoVersion(ast.RegoV0),
	}
	for _, file := range m.Files {
		text, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			return err
		}
		options = append(options, rego.Module(file, string(text)))
	}
	query, err := rego.New(options...).PrepareForEval(ctx)
	if err != nil {
		return err
	}
	name := "plain"
	if asValues {
		name = "values"
	}
	for _, kind := range []string{"ok", "viol"} {
		text, err := os.ReadFile(filepath.Join(folder, kind+".json"))
		if err != nil {
			return err
		}
		input, err := ast.ValueFromReader(bytes.NewReader(text))
		if err != nil {
			return err
		}
		result, err := query.Eval(ctx, rego.EvalParsedInput(input))
		if err != nil {
			return err
		}
		violations := 0
		if len(result) > 0 {
			if list, ok := result[0].Expressions[0].Value.([]any); ok {
				violations = len(list)
			}
		}
		evaluate := func(value ast.Value) {
			if _, err := query.Eval(ctx, rego.EvalParsedInput(value)); err != nil {
				panic(err)
			}
		}
		parsed := measure(func() { evaluate(input) })
		fromBytes := measure(func() {
			value, err := ast.ValueFromReader(bytes.NewReader(text))
			if err != nil {
				panic(err)
			}
			evaluate(value)
		})
		fmt.Printf("%s\t%s\t%s\t%d\t%.0f\t%.0f\n", m.Name, kind, name, violations, parsed, fromBytes)
	}
	return nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: opabench CASES")
		os.Exit(2)
	}
	folders, err := filepath.Glob(filepath.Join(os.Args[1], "*"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, folder := range folders {
		text, err := os.ReadFile(filepath.Join(folder, "meta.json"))
		if err != nil {
			continue
		}
		var m meta
		if err := json.Unmarshal(text, &m); err != nil {
			fmt.Fprintln(os.Stderr, folder, err)
			os.Exit(1)
		}
		stores := []bool{false}
		if m.Data {
			stores = []bool{false, true}
		}
		for _, asValues := range stores {
			if err := benchCase(folder, m, asValues); err != nil {
				fmt.Fprintln(os.Stderr, folder, err)
				os.Exit(1)
			}
		}
	}
}
