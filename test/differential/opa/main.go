// OPA's answers to what the differential test asks. One JSON request a line on stdin, one JSON answer a line on stdout;
// ../README.md has both shapes.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/topdown"
)

type request struct {
	Modules      []string          `json:"modules"`
	V0           bool              `json:"v0"`
	Strict       bool              `json:"strict"`
	Annotations  bool              `json:"annotations"`
	StrictErrors bool              `json:"strict_errors"`
	Data         json.RawMessage   `json:"data"`
	Inputs       []json.RawMessage `json:"inputs"`
	Rules        []string          `json:"rules"`
	Queries      []string          `json:"queries"`
}

type answer struct {
	Errors  [][]any    `json:"errors,omitempty"`
	Results [][]string `json:"results,omitempty"`
}

const timeLimit = 4 * time.Second

func errorsOf(err error) [][]any {
	var list ast.Errors
	if !errors.As(err, &list) {
		var one *ast.Error
		if !errors.As(err, &one) {
			return [][]any{{"other", "", 0, 0, err.Error()}}
		}
		list = ast.Errors{one}
	}
	out := make([][]any, 0, len(list))
	for _, e := range list {
		if e.Location == nil {
			out = append(out, []any{e.Code, "", 0, 0, e.Message})
		} else {
			out = append(out, []any{e.Code, e.Location.File, e.Location.Row, e.Location.Col, e.Message})
		}
	}
	return out
}

func compile(r *request) (*ast.Compiler, error) {
	version := ast.RegoV1
	if r.V0 {
		version = ast.RegoV0
	}
	modules := map[string]*ast.Module{}
	for i, source := range r.Modules {
		name := fmt.Sprintf("m%d.rego", i)
		module, err := ast.ParseModuleWithOpts(name, source, ast.ParserOptions{RegoVersion: version, ProcessAnnotation: r.Annotations})
		if err != nil {
			return nil, err
		}
		if module == nil {
			return nil, fmt.Errorf("no module")
		}
		modules[name] = module
	}
	compiler := ast.NewCompiler().WithStrict(r.Strict).WithDefaultRegoVersion(version)
	if r.Annotations {
		compiler = compiler.WithUseTypeCheckAnnotations(true)
	}
	if compiler.Compile(modules); compiler.Failed() {
		return nil, compiler.Errors
	}
	return compiler, nil
}

func failure(err error) string {
	var e *topdown.Error
	if errors.As(err, &e) {
		if e.Code == topdown.CancelErr {
			return "limit"
		}
		row, col := 0, 0
		if e.Location != nil {
			row, col = e.Location.Row, e.Location.Col
		}
		return fmt.Sprintf("error %s %d:%d %s", e.Code, row, col, e.Message)
	}
	var list ast.Errors
	if errors.As(err, &list) {
		return fmt.Sprintf("refused %s", list[0].Code)
	}
	return "error " + err.Error()
}

func run(ctx context.Context, compiler *ast.Compiler, text string, input *ast.Term, data map[string]any, strictErrors, indexing bool) string {
	body, err := ast.ParseBodyWithOpts(text, ast.ParserOptions{})
	if err != nil {
		return failure(err)
	}
	queryCompiler := compiler.QueryCompiler()
	compiled, err := queryCompiler.Compile(body)
	if err != nil {
		return failure(err)
	}
	store := inmem.NewFromObject(data)
	txn, err := store.NewTransaction(ctx)
	if err != nil {
		return failure(err)
	}
	defer store.Abort(ctx, txn)
	cancel := topdown.NewCancel()
	timer := time.AfterFunc(timeLimit, cancel.Cancel)
	defer timer.Stop()
	query := topdown.NewQuery(compiled).WithQueryCompiler(queryCompiler).WithCompiler(compiler).WithStore(store).
		WithTransaction(txn).WithCancel(cancel).WithStrictBuiltinErrors(strictErrors).
		WithTime(time.Unix(1700000000, 0)).WithIndexing(indexing)
	if input != nil {
		query = query.WithInput(input)
	}
	var results []string
	err = query.Iter(ctx, func(result topdown.QueryResult) error {
		var shown []string
		for name, value := range result {
			if rewritten, ok := queryCompiler.RewrittenVars()[name]; ok {
				name = rewritten
			}
			if name.IsWildcard() || name.IsGenerated() {
				continue
			}
			shown = append(shown, string(name)+"="+value.String())
		}
		sort.Strings(shown)
		results = append(results, strings.Join(shown, " "))
		return nil
	})
	if err != nil {
		return failure(err)
	}
	return strings.Join(results, "; ")
}

// A query as `opa eval` runs it: bindings, and the value of every expression.
func runQuery(ctx context.Context, compiler *ast.Compiler, text string, input *ast.Term, data map[string]any, strictErrors, indexing bool) string {
	cancelled, cancel := context.WithTimeout(ctx, timeLimit)
	defer cancel()
	query := rego.New(rego.Query(text), rego.Compiler(compiler), rego.Store(inmem.NewFromObject(data)),
		rego.ParsedInput(input.Value), rego.StrictBuiltinErrors(strictErrors), rego.Time(time.Unix(1700000000, 0)),
		rego.GenerateJSON(func(term *ast.Term, _ *rego.EvalContext) (any, error) { return term.String(), nil }))
	prepared, err := query.PrepareForEval(cancelled)
	if err != nil {
		return failure(err)
	}
	results, err := prepared.Eval(cancelled, rego.EvalParsedInput(input.Value), rego.EvalRuleIndexing(indexing))
	if err != nil {
		return failure(err)
	}
	var lines []string
	for _, result := range results {
		var shown []string
		for name, value := range result.Bindings {
			shown = append(shown, fmt.Sprintf("%s=%v", name, value))
		}
		sort.Strings(shown)
		for _, expression := range result.Expressions {
			shown = append(shown, fmt.Sprintf("%v", expression.Value))
		}
		lines = append(lines, strings.Join(shown, " "))
	}
	return strings.Join(lines, "; ")
}

func respond(line []byte) (out answer) {
	defer func() {
		if problem := recover(); problem != nil {
			out = answer{Errors: [][]any{{"panic", "", 0, 0, fmt.Sprint(problem)}}}
		}
	}()
	var r request
	if err := json.Unmarshal(line, &r); err != nil {
		return answer{Errors: [][]any{{"request", "", 0, 0, err.Error()}}}
	}
	compiler, err := compile(&r)
	if err != nil {
		return answer{Errors: errorsOf(err)}
	}
	data := map[string]any{}
	if len(r.Data) != 0 {
		decoder := json.NewDecoder(bytes.NewReader(r.Data))
		decoder.UseNumber()
		if err := decoder.Decode(&data); err != nil {
			return answer{Errors: [][]any{{"request", "", 0, 0, err.Error()}}}
		}
	}
	for _, text := range r.Inputs {
		value, err := ast.ValueFromReader(bytes.NewReader(text))
		if err != nil {
			return answer{Errors: [][]any{{"request", "", 0, 0, err.Error()}}}
		}
		row := []string{}
		ask := func(evaluate func(context.Context, *ast.Compiler, string, *ast.Term, map[string]any, bool, bool) string, text string) {
			got := evaluate(context.Background(), compiler, text, ast.NewTerm(value), data, r.StrictErrors, true)
			// What the rule index passes over may go wrong, or first, without it.
			if plain := evaluate(context.Background(), compiler, text, ast.NewTerm(value), data, r.StrictErrors, false); plain != got {
				got += " || not indexed: " + plain
			}
			row = append(row, got)
		}
		for _, rule := range r.Rules {
			ask(run, "x = "+rule)
		}
		for _, query := range r.Queries {
			ask(runQuery, query)
		}
		out.Results = append(out.Results, row)
	}
	return out
}

// The builtins with the types of their arguments, for the generator.
func listBuiltins() {
	for _, one := range ast.CapabilitiesForThisVersion().Builtins {
		line, err := json.Marshal(one)
		if err != nil {
			os.Exit(1)
		}
		fmt.Println(string(line))
	}
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "builtins" {
		listBuiltins()
		return
	}
	reader := bufio.NewReaderSize(os.Stdin, 1<<20)
	writer := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(writer)
	encoder.SetEscapeHTML(false)
	for {
		line, err := reader.ReadBytes('\n')
		if len(line) == 0 && err != nil {
			return
		}
		if err := encoder.Encode(respond(line)); err != nil {
			os.Exit(1)
		}
		writer.Flush()
	}
}
