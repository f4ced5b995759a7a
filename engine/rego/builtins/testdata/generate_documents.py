#!/usr/bin/env python3
"""Calls of the builtins that read documents of their own languages; see generate.py for the form of a line.

usage: ./generate_documents.py | (cd oracle && go run .) > documents.jsonl   (needs openssl)
"""
import base64
import itertools
import json
import pathlib
import subprocess
import tempfile

calls = []

EXTENSIONS = """
[req]
distinguished_name=dn
prompt=no
[dn]
C=DE
O=Acme
OU=a+b
CN=x.example.com
ST=Ber,lin
L=B
street=S 1
postalCode=12345
serialNumber=55
[ca]
basicConstraints=critical,CA:true,pathlen:1
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
[leaf]
basicConstraints=CA:false
extendedKeyUsage=serverAuth,clientAuth
subjectAltName=DNS:leaf.example.com,DNS:*.wild.example.com
authorityKeyIdentifier=keyid
[full]
basicConstraints=critical,CA:true
keyUsage=critical,digitalSignature,keyCertSign
extendedKeyUsage=serverAuth,anyExtendedKeyUsage,1.2.3.4
subjectKeyIdentifier=hash
subjectAltName=DNS:a.example.com,IP:10.0.0.1,IP:::1,email:a@b.c,URI:https://u:p@h.com/p?q=1,URI:urn:a:b,URI:spiffe://x/y
certificatePolicies=1.2.3,2.23.140.1.2.1
crlDistributionPoints=URI:http://crl.example.com/c
authorityInfoAccess=OCSP;URI:http://ocsp.example.com,caIssuers;URI:http://ca.example.com
nameConstraints=critical,permitted;DNS:.example.com,permitted;email:b.c,excluded;IP:10.0.0.0/255.0.0.0,permitted;URI:.com
policyConstraints=requireExplicitPolicy:3
inhibitAnyPolicy=2
1.2.3.4.5=critical,DER:0500
[request]
subjectAltName=DNS:a.example.com,email:a@b.c
keyUsage=digitalSignature
"""


def make_certificates():
    """A chain, a certificate with all there is, requests and keys of each kind; made anew on every call."""
    with tempfile.TemporaryDirectory() as folder:
        def run(*args):
            subprocess.run(["openssl", *args], check=True, cwd=folder, capture_output=True)

        pathlib.Path(folder, "x.cnf").write_text(EXTENSIONS)
        run("genrsa", "-traditional", "-out", "rsa_key.pem", "1024")
        run("pkcs8", "-topk8", "-nocrypt", "-in", "rsa_key.pem", "-out", "pkcs8_key.pem")
        run("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "ec_key.pem")
        run("genpkey", "-algorithm", "ed25519", "-out", "ed_key.pem")
        days = ["-days", "20000"]
        run("req", "-x509", "-new", "-key", "ec_key.pem", "-subj", "/CN=root", "-config", "x.cnf", "-extensions", "ca", *days, "-out", "root.pem")
        run("req", "-new", "-key", "pkcs8_key.pem", "-subj", "/CN=middle", "-config", "x.cnf", "-out", "middle.csr")
        run("x509", "-req", "-in", "middle.csr", "-CA", "root.pem", "-CAkey", "ec_key.pem", "-extfile", "x.cnf", "-extensions", "ca", "-set_serial", "77", *days, "-out", "middle.pem")
        run("req", "-new", "-key", "ed_key.pem", "-subj", "/CN=leaf", "-config", "x.cnf", "-out", "leaf.csr")
        run("x509", "-req", "-in", "leaf.csr", "-CA", "middle.pem", "-CAkey", "pkcs8_key.pem", "-extfile", "x.cnf", "-extensions", "leaf", "-set_serial", "0x80000000000000000001", *days, "-out", "leaf.pem")
        run("req", "-x509", "-new", "-key", "rsa_key.pem", "-config", "x.cnf", "-extensions", "full", *days, "-out", "full.pem")
        run("req", "-x509", "-new", "-key", "ed_key.pem", "-config", "x.cnf", "-extensions", "ca", *days, "-out", "ed.pem")
        run("req", "-new", "-key", "rsa_key.pem", "-config", "x.cnf", "-reqexts", "request", "-out", "request.pem")
        return {f.stem: f.read_text() for f in sorted(pathlib.Path(folder).glob("*.pem"))}


def call(name, *args):
    calls.append({"f": name, "a": list(args)})


# --- graphql ---
SCHEMA = """
"the entry" type Query { dog(name: String!, kind: Kind = BIG): Dog  pets(filter: Filter, ids: [ID!]): [Pet!]!  any: Any }
type Mutation { add(in: One!): Dog }
type Subscription { changed: Dog gone: ID }
interface Pet { name: String owner: Human }
type Dog implements Pet & Node { id: ID! name: String owner: Human barks(loud: Boolean = true): Int! tags: [String!] @deprecated }
type Cat implements Pet { name: String owner: Human lives: Int }
interface Node { id: ID! }
type Human { name: String age: Float pets: [Pet] }
union Any = Dog | Human
enum Kind { BIG SMALL }
input Filter { name: String min: Int = 3 nested: Filter must: Boolean! }
input One @oneOf { a: Int b: String }
scalar Date @specifiedBy(url: "x")
directive @mark(with: String!) repeatable on FIELD | QUERY
extend type Human { born: Date }
"""
QUERIES = [
    "{ dog(name: \"x\") { name } }", "{ dog { name } }", "{ dog(name: 1) { nam } }", "{ dog(name: \"x\", nme: 1) { name } }",
    "{ dog(name: \"x\", kind: SMAL) { id } }", "{ dog(name: \"x\", kind: \"BIG\") { id } }", "{ pets(ids: [1, \"a\", 1.5]) { name } }",
    "{ pets(filter: {must: true, min: \"a\"}) { name ... on Dog { barks } ... on Human { name } } }",
    "{ pets(filter: {mst: true}) { name } }", "{ pets { nme barks lives id } }", "{ any { ... on Dog { name } ... on Pet { name } ...F } } fragment F on Human { age }",
    "query a { any { __typename } } query a { any { __typename } }", "query a($x: Int, $x: Int) { pets(filter: {must: true, min: $x}) { name } }",
    "query ($b: Boolean) { pets(filter: {must: $b}) { name } }", "query ($b: Boolean = true) { pets(filter: {must: $b}) { name } }",
    "query ($u: Nope) { any { __typename } }", "query ($u: Dog) { any { __typename } }", "{ any { name } }", "{ dog(name: \"x\") { name { x } owner } }",
    "{ a: dog(name: \"x\") { name } a: dog(name: \"y\") { id } }", "{ dog(name: \"x\") { x: name x: id } }", "{ dog(name: \"x\") { ...A ...B } } fragment A on Dog { n: name owner { n: name } } fragment B on Dog { n: id owner { n: age } }",
    "fragment A on Dog { ...B } fragment B on Dog { ...A } { dog(name: \"x\") { ...A } }", "fragment U on Dog { name } { any { __typename } }", "{ ...Gone }",
    "{ any { __typename } ...F } fragment F on Do { x }", "fragment F on Kind { x } { any { __typename } }", "subscription { changed { id } gone }", "subscription S { __typename }",
    "mutation { add(in: {a: 1, b: \"x\"}) { id } }", "mutation { add(in: {a: null}) { id } }", "mutation ($v: Int) { add(in: {a: $v}) { id } }", "mutation ($v: Int!) { add(in: {a: $v}) { id } }",
    "{ any @skip { __typename } }", "{ any @skip(if: true) @skip(if: false) { __typename } }", "{ any @nope { __typename } }", "{ any @mark(with: \"a\") @mark(with: \"b\") { __typename } }",
    "query @skip(if: true) { any { __typename } }", "{ any { __typename } } { any { __typename } }", "{ dog(name: \"x\", name: \"y\") { barks(loud: 1) } }",
    "{ dog(name: null) { name } }", "{ dog(name: $x) { name } }", "query q($x: String) { dog(name: $x) { name } }", "query q($x: String!) { dog(name: \"y\") { name } }",
    "{ __schema { types { fields { type { fields { name } } } } } }", "{ __schema { types { fields { type { fields { type { interfaces { name } } } } } } } }", "{ __type(name: \"Dog\") { name kind } }",
    "{ dog(name: \"x\") { barks } pets(filter: {must: true, min: 99999999999}) { name } }", "{ dog(name: \"x\") { barks } pets(filter: {must: true, min: 99999999999999999999}) { name } }",
    "{ pets(filter: {must: true, must: false}) { name } }", "{ pets(filter: []) { name } }", "{ pets(ids: 1) { name } }", "{ pets(ids: {a: 1}) { name } }",
    "# c1\n{ # c2\n any # c3\n { __typename # c4\n } # c5\n}\n# c6", "", "{", "{ }", "{ a( ) }", "query ($a: [Int!]! = [1, 2] @x) { a(b: {c: [$d, \"\\u00e9\\n\", \"\"\"\n  block\n    in\n  \"\"\", 1.5e3, -0, true, null, E]}) @d(x: 1) { ...on T @i { b } } }",
    "{ a(b: 01) }", "{ a(b: 1.) }", "{ a(b: -) }", "{ a(b: \"x) }", "{ a(b: \"\\q\") }", "{ a(b: \"\\u12\") }", "{ a ? }", "{ a 'x' }", "\ufeff{ a }", "{ é }", "{ a(b: \"\u0001\") }", "query q on", "fragment on on T { a }", "{ ... on { a } }", "{ a: }", "{ a }}", "{a,b c}",
]
for q in QUERIES:
    call("graphql.parse_query", q)
    call("graphql.is_valid", q, SCHEMA)
    call("graphql.parse", q, SCHEMA)
call("graphql.parse_and_verify", QUERIES[0], SCHEMA)
call("graphql.parse_and_verify", QUERIES[1], SCHEMA)
SCHEMAS = [SCHEMA, "", "type A", "type A { }", "type A { a: B }", "type A { a: Int a: Int }", "type A { __a: Int }", "type __A { a: Int }", "type A implements B { a: Int }", "interface B { a: Int b(c: Int): Int } type A implements B { a: Int }",
           "interface B { a: Int! } type A implements B { a: Int }", "interface B { a(b: Int): Int } type A implements B { a(b: String): Int }", "interface B { a: Int } type A implements B { a(b: Int!): Int }", "interface C { a: Int } interface B implements C { a: Int } type A implements B { a: Int }",
           "interface A implements B { a: Int } interface B implements A { a: Int }", "union U = A", "union U = A | A type A { a: Int }", "union U = I interface I { a: Int }", "enum E { A A }", "enum E { true }", "enum E", "input I { a: I! }", "input I { a: J! } input J { b: I! }", "input I { a: [I!]! }", "input I { a: A } type A { a: Int }",
           "type A { a: I } input I { a: Int }", "type A { a(b: A): Int }", "directive @d(a: Int @d) on ARGUMENT_DEFINITION", "directive @d on NOWHERE", "directive @d on FIELD directive @d on FIELD", "directive @skip on FIELD", "type A @deprecated { a: Int }", "type A { a: Int @nope }", "type A { a: Int @deprecated @deprecated }", "type A { a: Int @deprecated(why: 1) }",
           "scalar D @specifiedBy", "scalar D @specifiedBy(url: null)", "schema { query: Q }", "schema { query: Q } schema { query: Q } type Q { a: Int }", "schema { query: Q } type Q { a: Int } extend schema { mutation: M }", "extend type A { a: Int }", "extend input A { a: Int } type A { b: Int }", "type A { a: Int } type A { a: Int }", "extend schema", "extend scalar D", "extend union U", "schema { nope: A }", "\"d\" extend type A { a: Int }", "\"d\" { a }",
           "\"\"\"\n doc\n   more\n\"\"\"\ntype A { \"f\" a(\"x\" b: [Int!] = [1] @deprecated): [A]! }", "# c\ntype A { # d\n a: Int # e\n} # f", "type Query { a: Int } type Mutation { a: Int }", "foo", "type", "type A { a Int }", "type A { a: [Int }", "union U = | A | B", "directive @a(b: Int = 1, c: E) repeatable on | FIELD | QUERY", "interface A implements & B & C { a: Int }"]
for s in SCHEMAS:
    call("graphql.parse_schema", s)
    call("graphql.schema_is_valid", s)
call("graphql.is_valid", QUERIES[0], {"Definitions": [{"Kind": "OBJECT", "Name": "Query", "Fields": [{"Name": "dog", "Type": {"NamedType": "Int"}, "Arguments": []}]}]})
call("graphql.schema_is_valid", {"Definitions": [{"Kind": "OBJECT", "Name": "Query", "Fields": [{"Name": "dog", "Type": {"NamedType": "Int"}}]}]})
call("graphql.parse", {"Operations": [{"Operation": "query", "SelectionSet": [{"Name": "a", "Alias": "a"}]}]}, "type Query { a: Int }")
call("graphql.parse", {"Operations": [{"Operation": "query", "SelectionSet": [{"Name": "b", "Alias": "b"}]}]}, "type Query { a: Int }")
call("graphql.is_valid", 1, SCHEMA)

# --- JSON Schema ---
DOCS = [{}, {"a": 1}, {"a": "x", "b": [1, 2, 1]}, {"a": None, "b": {"c": True}}, {"id": "foo", "n": 1.5, "l": []}, [1, "a", {}], "[1]", "\"text\"", "5", "nope{", {"a": {"b": {"c": [1, {"d": "e"}]}}}, {"date": "2024-02-30", "t": "12:00:00Z", "ip": "::1", "u": "http://a/b", "m": "a@b.c", "h": "a-.b"}]
SCHEMAS2 = [{}, {"type": "object"}, {"type": ["array", "null"]}, {"type": "unknown"}, {"type": ["object", "object"]}, {"type": 1}, {"required": ["a", "b"]}, {"required": ["a", "a"]}, {"required": "a"}, {"properties": {"a": {"type": "integer", "minimum": 1, "exclusiveMinimum": True}}}, {"properties": {"a": {"maximum": 0.5, "multipleOf": 0.3}}},
            {"properties": {"a": {"enum": ["y", 1.0, None]}, "b": {"uniqueItems": True, "minItems": 4, "maxItems": 2}}}, {"properties": {"a": {"const": "q"}}}, {"additionalProperties": False, "properties": {"a": {}}}, {"additionalProperties": {"type": "string"}}, {"patternProperties": {"^[ab]$": {"type": "number"}}, "additionalProperties": False}, {"patternProperties": {"(": {}}},
            {"anyOf": [{"required": ["z"]}, {"properties": {"a": {"type": "string", "minLength": 2, "pattern": "^q"}}}]}, {"oneOf": [{}, {"type": "object"}]}, {"oneOf": [{"required": ["q"]}, {"required": ["a", "q"]}]}, {"allOf": [{"required": ["q"]}, {"minProperties": 3}]}, {"not": {"type": "object"}}, {"not": 1},
            {"if": {"required": ["a"]}, "then": {"required": ["t"]}, "else": {"required": ["e"]}}, {"dependencies": {"a": ["zz"], "b": {"required": ["yy"]}}}, {"dependencies": {"a": [1]}}, {"propertyNames": {"maxLength": 1}}, {"items": {"type": "integer"}}, {"items": [{"type": "string"}], "additionalItems": False}, {"items": [{"type": "integer"}], "additionalItems": {"type": "string"}}, {"contains": {"type": "string"}}, {"contains": {"type": "null"}},
            {"$ref": "#/definitions/x", "definitions": {"x": {"required": ["b", "c"]}}}, {"definitions": {"n": {"properties": {"b": {"$ref": "#/definitions/n"}, "c": {"items": {"type": "string"}}}}}, "properties": {"a": {"$ref": "#/definitions/n"}}}, {"$ref": "#/nope"}, {"$ref": "other"}, {"$id": "http://x/y", "properties": {"a": {"$ref": "#/definitions/z"}}, "definitions": {"z": {"type": "null"}}}, {"$schema": "http://json-schema.org/draft-04/schema#", "exclusiveMinimum": 1}, {"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"a": False}}, {"$schema": 1},
            {"minimum": "x"}, {"minLength": -1}, {"minLength": 1.5}, {"minLength": 3, "maxLength": 2}, {"pattern": "("}, {"format": 1}, {"enum": [1, 1.0]}, {"enum": []}, {"enum": 1}, {"multipleOf": 0}, {"exclusiveMaximum": True}, {"uniqueItems": 1}, {"definitions": {"x": 1}}, {"definitions": 1}, {"properties": []}, {"items": 1}, {"additionalProperties": 1}, {"title": 1}, {"$ref": 1},
            {"properties": {"date": {"format": "date"}, "t": {"format": "time"}, "ip": {"format": "ipv4"}, "u": {"format": "uri"}, "m": {"format": "email"}, "h": {"format": "hostname"}}}, True, "true", "{\"type\": \"object\"}", "nope{", [1], {"maxProperties": 0}, {"minProperties": 3, "maxProperties": 2}]
for s in SCHEMAS2:
    call("json.verify_schema", s)
for d, s in itertools.product(DOCS, SCHEMAS2):
    call("json.match_schema", d, s)
for f, t in [("date", "2024-02-29"), ("date", "2023-02-29"), ("time", "1:00:00"), ("time", "23:59:60"), ("date-time", "2024-01-01T00:00:00Z"), ("date-time", "2024-01-01 00:00:00Z"), ("date-time", "2024-01-01T00:00:00.5+01:00"), ("uuid", "123e4567-e89b-12d3-a456-426614174000"), ("uuid", "x"), ("regex", "("), ("regex", "a*"), ("json-pointer", "/a~0/b"), ("json-pointer", "/a~2"), ("relative-json-pointer", "1/a"), ("relative-json-pointer", "a"), ("uri-template", "/a/{b}"), ("uri-template", "/a/{b"), ("uri-reference", "a b"), ("uri", "a"), ("ipv6", "::1"), ("ipv6", "1.2.3.4"), ("ipv4", "1.2.3"), ("hostname", "a_b"), ("email", "x"), ("email", "A B <a@b.c>"), ("nope", "x")]:
    call("json.match_schema", {"a": t}, {"properties": {"a": {"format": f}}})

# --- templates ---
DATA = {"a": "x<y>", "n": 5, "f": 1.5, "b": True, "z": None, "l": ["p", "q", 3], "m": {"k": "v", "e": {}}, "s": "héllo"}
for t in ["plain", "{{.a}}", "{{ .a }} {{- .n -}} x", "{{.nope}}", "{{.m.k}}", "{{.m}}", "{{.l}}", "{{.z}}", "{{.b}}", "{{.}}", "{{.a.b}}", "{{.nope.x}}", "{{if .b}}y{{else}}n{{end}}", "{{if .nope}}y{{else if .b}}2{{else}}n{{end}}", "{{with .m}}{{.k}}{{end}}", "{{with .z}}y{{else}}n{{end}}", "{{range .l}}[{{.}}]{{end}}", "{{range $i, $e := .l}}{{$i}}={{$e}};{{end}}",
          "{{range $k, $v := .m}}{{$k}}:{{$v}};{{end}}", "{{range .z}}x{{else}}none{{end}}", "{{range .l}}{{if eq . \"q\"}}{{break}}{{end}}{{.}}{{end}}", "{{range .l}}{{if eq . \"p\"}}{{continue}}{{end}}{{.}}{{end}}", "{{$x := .a}}{{$x}}{{$x = \"q\"}}{{$x}}", "{{len .l}} {{len .a}} {{len .m}}", "{{index .l 1}} {{index .m \"k\"}}", "{{index .l 9}}", "{{slice .s 1 3}}",
          "{{printf \"%s-%v-%05d\" .a .n 7}}", "{{print 1 2 \"a\" 3 4}}", "{{println .a .n}}", "{{.a | html}}", "{{js .a}}", "{{urlquery .a}}", "{{not .b}} {{and .b .a}} {{or .z .a}}", "{{eq .a \"x<y>\"}} {{ne 1 2}} {{lt 1 2}} {{ge 2 2}} {{gt 1.5 1.0}}", "{{eq .n 5}}", "{{eq .a \"b\" \"x<y>\"}}", "{{define \"T\"}}<{{.}}>{{end}}{{template \"T\" .a}}{{template \"T\"}}", "{{block \"B\" .n}}b{{.}}{{end}}", "{{template \"no\"}}",
          "{{/* c */}}x{{- /* d */ -}} y", "{{\"q\\n\"}}{{`raw`}}{{'a'}}{{0x10}}{{1e2}}{{true}}", "{{nil}}", "{{", "{{.a", "{{end}}", "{{if .a}}", "{{foo}}", "{{$y}}", "{{break}}", "{{if}}x{{end}}", "{{.a | printf \"%q\"}}", "{{(index .l 0)}}", "{{(.m).k}}", "{{range 3}}{{.}}{{end}}", "{{len 3}}", "{{.a .b}}", "{{1 | .a}}", "{{range $i, $e := .l}}{{if $i}},{{end}}{{$e}}{{end}}", "{{with $x := .n}}{{$x}}{{end}}", "{{if and .b (eq .a \"x<y>\")}}ok{{end}}", "{{.f}} {{.n}}", "a{{\"x\"}}b\n{{- 1 -}}\n c"]:
    call("strings.render_template", t, DATA)

# --- rego.parse_module ---
for m in ["package a", "package a.b[\"c-d\"]\n\nimport data.x as y\nimport rego.v1\n\n# note\ndefault p := false\np if { input.x == 1; not data.y; some k, v in input.z; every q in [1, 2] { q > 0 } }\n",
          "package a\ns contains x if some x in {1, 2}\nq[1] := 2\nr[x] if x := 1\nr.s.t := 5\ns2.a[x].b := 1 if x := 2\n", "package a\nf(x, y) := z if { z := x + y } else := 3 if true\nf2(_) := 1\n", "package a\nm := {\"a\": 1.50, \"b\": [x | x := 1], \"c\": {x: 2 | x := 1}, \"d\": {1, null, true}} if { walk(input, [a, _]) with input.a as 1 }\n",
          "package a\ng := $\"hi {input.x}\"\nh := count({\"x\"}) in [1]\nu if -1 == input[_].a\n", "package a\nimport future.keywords\np if { not { input.x; input.y }; input.a or input.b }\n", "package a.", "", "package a\np { true }", "package a\np := {x | x := 1}\nq := 1e3 - -2\n"]:
    call("rego.parse_module", "x.rego", m)

# --- certificates and keys (made for this, without a use elsewhere) ---
pem = make_certificates()
b64 = lambda text: base64.b64encode(text.encode()).decode()
for name in ["root", "middle", "leaf", "full", "ed"]:
    call("crypto.x509.parse_certificates", pem[name])
call("crypto.x509.parse_certificates", b64(pem["full"]))
call("crypto.x509.parse_certificates", pem["root"] + pem["leaf"])
call("crypto.x509.parse_certificates", pem["request"])
call("crypto.x509.parse_certificates", "x")
call("crypto.x509.parse_certificates", b64("x"))
chain = pem["root"] + pem["middle"] + pem["leaf"]
now = 1800000000 * 10**9
for options in [{"CurrentTime": now}, {"CurrentTime": now, "DNSName": "leaf.example.com"}, {"CurrentTime": now, "DNSName": "other.example.com"}, {"CurrentTime": now, "KeyUsages": ["KeyUsageClientAuth"]}, {"CurrentTime": now, "KeyUsages": ["KeyUsageCodeSigning"]}, {"CurrentTime": now, "KeyUsages": ["KeyUsageAny"]}, {"CurrentTime": now, "KeyUsages": ["Nope"]}, {"CurrentTime": 0}, {"CurrentTime": "x"}, {"DNSName": 1}, {"Nope": 1}, {"CurrentTime": now, "MaxConstraintComparisons": 5}]:
    call("crypto.x509.parse_and_verify_certificates_with_options", chain, options)
call("crypto.x509.parse_and_verify_certificates_with_options", pem["root"] + pem["leaf"], {"CurrentTime": now})
call("crypto.x509.parse_and_verify_certificates_with_options", pem["root"], {"CurrentTime": now})
call("crypto.x509.parse_and_verify_certificates_with_options", "x", {"CurrentTime": now})
call("crypto.x509.parse_certificate_request", pem["request"])
call("crypto.x509.parse_certificate_request", b64(pem["request"]))
call("crypto.x509.parse_certificate_request", pem["root"])
for key in ["rsa_key", "ec_key", "ed_key", "pkcs8_key"]:
    call("crypto.parse_private_keys", pem[key])
    call("crypto.x509.parse_rsa_private_key", pem[key])
call("crypto.parse_private_keys", pem["rsa_key"] + pem["ec_key"])
call("crypto.parse_private_keys", b64(pem["ed_key"]))
call("crypto.parse_private_keys", pem["root"])
call("crypto.x509.parse_rsa_private_key", "")
call("crypto.x509.parse_keypair", pem["full"], pem["rsa_key"])
call("crypto.x509.parse_keypair", pem["full"], pem["ec_key"])
call("crypto.x509.parse_keypair", b64(pem["full"]), b64(pem["rsa_key"]))
call("crypto.x509.parse_keypair", "x", pem["rsa_key"])

for c in calls:
    print(json.dumps(c, ensure_ascii=True))
