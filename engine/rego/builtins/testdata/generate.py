#!/usr/bin/env python3
"""Writes a few thousand builtin calls; oracle/ lets OPA's own library answer them.

usage: ./generate.py | (cd oracle && go run .) > calls.jsonl
A line of calls.jsonl is {"f": name, "a": [arguments], "want": result} or, where OPA gives none, {"f":, "a":, "error": message} ("" when
the call is undefined without an error). An argument {"$set": [...]} is a set.
"""
import itertools
import json

calls = []


def call(name, *args):
    calls.append((name, list(args)))


def product(name, *columns):
    for args in itertools.product(*columns):
        call(name, *args)


class Number(str):
    """A number spelled exactly so."""


def S(*elements):
    return {"$set": list(elements)}


def dumps(value):
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(dumps(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(json.dumps(k) + ":" + dumps(v) for k, v in value.items()) + "}"
    return json.dumps(value, ensure_ascii=True)


N = Number
numbers = [0, 1, -1, 7, -7, 255, N("1.0"), N("1.5"), N("-1.5"), N("2.5"), N("0.1"), N("1e3"), N("1E-2"), N("-0"),
           2**31, 2**63 - 1, -2**63, 2**63, 2**64 + 1, N("123456789012345678901234567890"), N("1e30"), N("3.14159265358979323846264338327950288")]
texts = ["", "a", "abc", "ABC", "aaa", "a.b.c", "héllo wörld", "ß", "İ", "日本語", "e\u0301", " \t x \n", "\u2003x\u00a0", "a,b,,c",
         "foobarfoo", "Ǆǅǆ", "\U0001F600 smile", "ΑΣ", "x\u0000y"]
mixed = [None, True, False, 0, N("1.5"), "x", "", [], [1, "a"], {}, {"a": 1}, S(), S(1, 2), [[1], [2, [3]]], {"a": {"b": [1]}}]

for op in ["plus", "minus", "mul", "div", "rem", "bits.and", "bits.or", "bits.xor"]:
    product(op, numbers[::2], numbers[1::2])
for op in ["eq", "equal", "neq", "lt", "lte", "gt", "gte"]:
    product(op, mixed[::2] + numbers[:8], mixed[1::2] + numbers[4:14])
for op in ["abs", "round", "ceil", "floor", "bits.negate"]:
    product(op, numbers + ["x", N("-2.5"), N("0.5"), N("-0.5"), N("1e100"), N("0.49999999999999999999")])
for op in ["plus", "minus", "mul", "div", "rem", "and", "or"]:
    product(op, [1, "x", S(1, 2), None], [2, "y", S(2, 3), []])
product("bits.lsh", [0, 1, -1, 255, 2**64], [0, 1, 8, 64, 100, -1, N("1.5"), "x"])
product("bits.rsh", [0, 1, -1, 255, 2**64, -300], [0, 1, 8, 64, 100, -1])
product("format_int", numbers + [N("15.9"), N("-15.9"), "x"], [2, 8, 10, 16, 3, N("10.0"), "x"])
product("numbers.range", [0, 1, 5, -3, N("2.0"), N("1.5")], [0, 4, -2, "x"])
call("numbers.range", 2**63, 2**63 + 2)
product("numbers.range_step", [0, 10, -3], [0, 9, -9], [1, 2, 5, 0, -1, N("1.5")])
for op in ["count", "sum", "product", "max", "min", "sort", "all", "any"]:
    product(op, mixed + [[1, 2, 3], [N("1.5"), 2], S(3, 1, 2), [3, 1, N("1.0"), 2], ["b", "a", None, True, [1], {"a": 1}], [1, "x"], S(1, "x"),
                         [True, True], [True, False], S(True), [2**62, 2**62, 2**62], [N("0.1"), N("0.2")], [N("1e30"), 1], texts[6], texts[10]])

product("array.concat", [[], [1], [1, 2], "x", S(1)], [[], [3], ["a", [1]], None])
product("array.flatten", [[], [1, [2, 3], [[4]]], [[]], [1, 2], "x"])
product("array.slice", [[], [1, 2, 3, 4]], [-1, 0, 1, 3, 9, N("1.5")], [-1, 0, 2, 4, 9, "x"])
product("array.reverse", [[], [1], [1, 2, 3], "x"])
for op in ["intersection", "union"]:
    product(op, [S(), S(S(1, 2), S(2, 3)), S(S()), S(S(1), S()), S(1), [], S(S(1, 2, 3), S(2, 3), S(3))])
product("set_diff", [S(1, 2), [1]], [S(2), S(), "x"])

objects = [{}, {"a": 1}, {"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": {"x": 1}}}, {"a": 2, "z": None}]
product("object.union", objects + ["x"], objects + [[1]])
for args in [[], [{}], [{"a": {"b": 2}}, {"a": 4}, {"a": {"c": 3}}], [{"a": 1}, {"b": 2}, {"a": 3}], [{"a": {"b": 1}}, {"a": {"c": 2}}], [1], [{}, "x"]]:
    call("object.union_n", args)
for op in ["object.remove", "object.filter"]:
    product(op, objects, [[], ["a"], S("a", "d"), {"a": 1}, ["nope"], "x", [1, None]])
product("object.get", objects + ["x"], ["a", ["a", "b"], [], ["a", "b", "x"], ["d", 0], ["d", 1], "nope", 1], ["default", None])
product("object.keys", objects + ["x"])
subs = [{}, {"a": 1}, {"a": {"b": 1}}, [], [1], [1, 2], [2, 1], S(), S(1), S(1, 2), {"d": [1]}, "x", [1, 1]]
product("object.subset", subs + [{"a": {"b": 1, "c": 2}, "d": [1]}, [1, 2, 3], S(1, 2, 3)], subs)

for op in ["lower", "upper", "trim_space", "strings.reverse", "count"]:
    product(op, texts + [1])
for op in ["contains", "startswith", "endswith", "indexof", "indexof_n", "strings.count", "split"]:
    product(op, texts[:14] + [1], ["", "a", "aa", "b", ".", "ö", "本", "foo", ",", 1])
for op in ["trim", "trim_left", "trim_right", "trim_prefix", "trim_suffix"]:
    product(op, texts[:14], ["", "a", "abc", "foo", " ", "語日", "\u0301", 1])
product("replace", texts[:14], ["", "a", "aa", "ö", "foo"], ["", "-", "xyz"])
product("substring", ["", "abc", "héllo", "日本語"], [-1, 0, 1, 3, 9, N("1.5")], [-1, 0, 1, 2, 9, 2**63 - 1])
product("strings.split_n", ["a,b,c", "", "abc"], [",", ""], [0, 1, 2, 5, -1, -2, -9, 2**63 - 1])
for pattern in [{}, {"a": "1", "b": "2"}, {"aa": "x", "a": "y"}, {"": "-"}, {"": "-", "a": "b"}, {"foo": "bar", "bar": "foo"}, {"a": 1}, {"<": "&lt;", ">": "&gt;"}]:
    product("strings.replace_n", [pattern], ["", "aaa", "foobar<x>", "ab"])
for op in ["strings.any_prefix_match", "strings.any_suffix_match"]:
    product(op, ["abc", ["abc", "xyz"], S("abc"), [], 1, ["a", 1]], ["a", "c", ["x", "z"], S("ab", "bc"), [], ["q"], [1]])
product("concat", [",", "", "--", 1], [[], ["a"], ["a", "b"], S("b", "a"), [1], "x", ["a", 1], S(1)])

formats = ["%s", "%v", "%d", "%q", "%x", "%X", "%5d|%-5d|%05d", "%t", "%T", "%f", "%.2f", "%8.3f|%-8.1f|%+d", "%e", "%g", "%G", "%b", "%o", "%O", "%#x",
           "%#v", "%+v", "%c", "%U", "%#U", "%%", "%", "%!", "%z", "%[2]v %[1]v", "%[3]v", "%[1]d %d", "%*d", "%.*f", "%-10s|", "%10s|", "%010s|", "%.2s",
           "%+q", "%#q", "% x", "%# x", "% d", "%w", "%6.2f%%", "%s %s", "no verbs", "%[x]v", "%[1]", "%.3v", "%.v", "%-010d|", "%+.3e", "%#g", "%#.3x", "%999999999d"]
arguments = [[], [1], ["a"], [N("1.5")], [N("1.0")], [N("1e3")], [None], [True], [[1, "a", {"b": N("1.0")}]], [{"a": [1, None]}], [S(2, 1)], [S()], [-42], [2**64], [-(2**70)],
             [1, 2], ["a", "b", "c"], [5, 42], [2, N("3.14159")], ["héllo"], [N("1e400")], [65], [N("123456789.0")], [N("1e-7")], [""], ["日本\n\"`"], [128512]]
product("sprintf", formats, arguments)
call("sprintf", 1, [])
call("sprintf", "x", "y")

patterns = ["", "a", "a+", "^a", "[", "(", "(b)(c)?", "\\d+", "(?i)ABC", "a|b", "x*", ".", "[[:alpha:]]+", "(?P<n>b)", "(?<n>b)", "\\", "a**", "a{2}", "a{1001}", "\\bfoo\\b", "$", "é", "(?s).*", "(a", ")", "[z-a]", "\\8"]
subjects = ["", "a", "abc", "aab", "foo bar foo", "12 345", "ABC", "é日x", "a\nb", "bbc"]
product("regex.match", patterns, subjects)
product("regex.is_valid", patterns + [1])
product("regex.split", patterns, subjects)
product("regex.find_n", patterns, subjects[2:7], [-1, 0, 1, 2])
product("regex.find_all_string_submatch_n", patterns, subjects[2:7], [-1, 1])
product("regex.replace", subjects, ["a", "(b)", "(a)(b)?", "x*", "^", "$", "\\d", "(?P<n>o+)"], ["", "-", "$1x", "${1}x", "$$", "$0", "<$n>", "${n}!", "$", "$2", "${", "$x"])
product("regex.template_match", ["urn:foo:{.*}", "urn:foo:bar", "{[0-9]+}-{a|b}", "{", "a}b", "urn:foo:<.*>", "{a{b}c}"], ["urn:foo:bar:baz", "12-a", "x"], ["{", "<", "", "ab"], ["}", ">"])
globs = ["a.*", "b*", "[0-9]*", "[a-z]+[0-9]*", "pqrs", ".*", "[a-f]+", "abc", "a+", "", "[", "*", "a[bc]d", "[d-z]+", "\\.*", "a.c", "[^a]", "x+y*z"]
product("regex.globs_match", globs, globs)
product("glob.match", ["*", "**", "*.github.com", "a?c", "[abc]*", "[!abc]*", "{a,b}*", "{*.x,y*}", "a.*.c", "**.c", "\\*", "[a-z]?", "[", "{", "}", "a,b", "{a,{b,c}}", "", "???", "[a", "*a*b*", "[]", "x\\", "{,a}b"],
        [None, [], ["."], ["/", "."], [":"], ["ab"], [1], "x"], ["a.b", "api.github.com", "abc", "a.b.c", "", "*", "日", "a,b", "ab", "x.y"])
product("glob.quote_meta", ["*.github.com", "a[b]{c}?\\", "", 1])

units = ["", "1", "10", "1.5", ".5", "5.", "100m", "1000m", "1500m", "1k", "1K", "1Ki", "1ki", "1KI", "2M", "2Mi", "2mi", "2m", "3G", "3Gi", "1T", "1Ti", "1P", "1Pi", "1E", "1Ei", "1e", "1e3", "1e3K", "1e-3K", "1E3", "1e+2", "2.5e6M", "-1", "-1.5Ki", "+5",
         "1 K", "abc", "K", "1x", "1KB", "1kb", "1KiB", "1MB", "5MiB", "1gb", "1tb", "1pb", "1eb", "1EiB", "1b", "1.2.3", "\"10\"", "1e9999999", "0", "0K", "0.1Mi", "1e", "1ee3", "1-2", "9007199254740993", "123456789012345678901234567890", "0.123456789123456789", "1_000", "Infinity", "0x10", "1e-20"]
product("units.parse", units + [1])
product("units.parse_bytes", units + [1])

for op in ["is_array", "is_boolean", "is_null", "is_number", "is_object", "is_set", "is_string", "type_name", "cast_array", "cast_boolean", "cast_null", "cast_object", "cast_set", "cast_string"]:
    product(op, mixed)
product("to_number", mixed + ["1", "-1", "1.5", "1e3", "abc", " 1", "1 ", "0x1f", "1e400", "-1e400", "Infinity", "NaN", "+inf", "1e", "--1", "12345678901234567890", "1e-400", "0.0"])

jsons = ["{}", "[]", "1", "1.50", "\"a\"", "null", "{\"a\": [1, 2.0, {\"b\": null}]}", "{", "[1,]", "", " 1 ", "1 2", "{\"a\":1,\"a\":2}", "\"\\ud800\"", "01", "1e3", "nul", "{'a':1}", "\"\t\""]
product("json.unmarshal", jsons + [1])
product("json.is_valid", jsons + [1])
product("json.marshal", mixed + ["<a>&\u2028", N("1.50"), {"b": 1, "a": {"c": S(1)}}, "é\u0001"])
product("json.marshal_with_options", [{"a": [1, {}], "b": []}, [], "x", S(1)], [{}, {"pretty": True}, {"pretty": False}, {"indent": "  "}, {"prefix": ">>", "indent": "\t"}, {"pretty": False, "indent": " "}, {"pretty": True, "prefix": "# "}])
doc = {"a": {"b": {"c": 7, "d": [1, 2, 3]}, "e": "x"}, "f": [{"g": 1, "h": 2}, {"g": 3}], "i/j": 1, "k~": 2}
paths = [[], [""], ["a"], ["a/b"], ["/a/b/c"], ["a/b/d/0"], ["a/b/d/0", "a/b/d/1"], ["f/0/g"], ["f/0/g", "f/1"], ["nope"], ["a/nope/x"], ["i~1j"], ["k~0"], [["a", "b"]], [["f", 0]], [["f", "0"]], S("a/e", "a"), ["a", "a/b"], ["a/b", "a"], "a", [1], ["a/b/c", "f"]]
for op in ["json.filter", "json.remove"]:
    product(op, [doc, {}], paths)
patches = [[], [{"op": "add", "path": "/z", "value": 1}], [{"op": "add", "path": "/f/0", "value": "x"}], [{"op": "add", "path": "/f/-", "value": "x"}], [{"op": "add", "path": "/f/9", "value": 1}], [{"op": "remove", "path": "/a/b"}],
           [{"op": "remove", "path": "/nope"}], [{"op": "replace", "path": "/a/e", "value": {"n": 1}}], [{"op": "replace", "path": "/nope", "value": 1}], [{"op": "move", "from": "/a/e", "path": "/m"}], [{"op": "copy", "from": "/f/0", "path": "/c"}],
           [{"op": "test", "path": "/a/b/c", "value": 7}], [{"op": "test", "path": "/a/b/c", "value": 8}], [{"op": "add", "path": "", "value": 3}], [{"op": "bad", "path": "/a"}], [{"path": "/a"}], [{"op": "add"}], [{"op": "add", "path": "/a"}], [1],
           [{"op": "add", "path": ["a", "new"], "value": 1}], [{"op": "add", "path": "/f/01", "value": 1}], [{"op": "replace", "path": "/f/1/g", "value": [1]}], [{"op": "remove", "path": "/a/e/x"}],
           [{"op": "move", "from": "/nope", "path": "/m"}], [{"op": "replace", "path": "", "value": 9}], [{"op": "add", "path": "/a/b/d/1", "value": 9}], [{"op": 1, "path": "/a"}]]
product("json.patch", [doc, [1, 2], "x"], patches)

for op in ["base64.encode", "base64url.encode", "base64url.encode_no_pad", "hex.encode", "urlquery.encode", "crypto.md5", "crypto.sha1", "crypto.sha256"]:
    product(op, texts + ["a b&c=d/e?f", 1, "\u00ff\u00fe>>>???"])
for op in ["base64.decode", "base64.is_valid", "base64url.decode", "hex.decode", "urlquery.decode", "urlquery.decode_object"]:
    product(op, ["", "YQ==", "YQ=", "YQ", "YWI=", "YWJj", "YW Jj", "YWJj\n", "Y\nW\nJj", "_-8=", "/+8=", "!!!!", "YQ==YQ==", "61", "6", "zz", "C3BF", "a%20b+c", "%zz", "%", "a=1&b=2&a=3", "a;b", "a=%41&b", "=x", "&&", "YR==", 1])
product("urlquery.encode_object", [{}, {"a": "b c"}, {"a": ["1", "2"], "b": "&"}, {"a": 1}, {"a": [1]}, {"é": "日"}])
for op in ["crypto.hmac.md5", "crypto.hmac.sha1", "crypto.hmac.sha256", "crypto.hmac.sha512"]:
    product(op, ["", "message", "日本"], ["", "key", "k" * 200])
product("crypto.hmac.equal", ["a", ""], ["a", "b", ""])

instants = [0, 1, -1, 1700000000123456789, -1700000000123456789, 253402300799000000000 // 100, 951782400000000000, 2**63 - 1, -2**63, N("1.5"), N("1e18"), 2**64, "x", 1711846800000000000]
zones = ["", "UTC", "America/New_York", "Asia/Kolkata", "Europe/Berlin", "Nope/Nope", "Australia/Lord_Howe", "Local"]
stamps = instants + [[i, z] for i in (0, 1700000000123456789, 1711846800000000000, -1700000000123456789) for z in zones] + [[], [0, 1], ["x"], None]
for op in ["time.date", "time.clock", "time.weekday", "time.format"]:
    product(op, stamps)
layouts = ["RFC3339", "RFC3339Nano", "RFC1123", "RFC1123Z", "RFC822", "RFC822Z", "RFC850", "ANSIC", "UnixDate", "RubyDate", "Kitchen", "2006-01-02", "Jan _2 2006 at 3:04pm (MST)", "Monday January 2 15:04:05.000000 2006 -07:00", "06/1/2 03:4:5 PM",
           "__2 002", ".000 .999 ,999999", "Z07:00:00 Z0700 Z07 -07", "2006-01-02T15:04:05.999999999Z07:00", "", "Janu Mond", "_2006", "15h04m", "-07:00:00 -070000"]
for z in ("UTC", "America/New_York", "Asia/Kolkata"):
    for i in (0, 1700000000123456789, 1711846800000000000, 5000000):
        for layout in layouts:
            call("time.format", [i, z, layout])
values = ["2023-11-14T22:13:20Z", "2023-11-14T22:13:20.123Z", "2023-11-14T22:13:20+05:30", "2023-02-29T00:00:00Z", "2024-02-29T00:00:00Z", "2023-13-01T00:00:00Z", "2023-11-14", "Tue, 14 Nov 2023 22:13:20 GMT", "Tue, 14 Nov 2023 22:13:20 -0500",
          "14 Nov 23 22:13 MST", "Tuesday, 14-Nov-23 22:13:20 UTC", "Tue Nov 14 22:13:20 2023", "Tue Nov  4 22:13:20 2023", "Tue Nov 14 22:13:20 PST 2023", "", "x", "1500-01-01T00:00:00Z", "2300-01-01T00:00:00Z", "2023-11-14T24:00:00Z", "2023-11-14t22:13:20z", "2023-11-14T22:13:20,5Z", "23/4/5 03:4:5 PM", "23/4/5 12:4:5 AM", "15h04m", "2023-11-14T22:13:20.1234567891Z"]
product("time.parse_ns", ["RFC3339", "RFC1123", "RFC1123Z", "RFC822", "RFC850", "ANSIC", "UnixDate", "2006-01-02", "06/1/2 03:4:5 PM", "15h04m", "2006-01-02T15:04:05.000Z07:00", "2006-002", "Jan 2"], values + ["2023-060", "2024-060", "2023-366", "feb 30", "Feb 3"])
product("time.parse_rfc3339_ns", values)
product("time.parse_duration_ns", ["1s", "1h30m", "1.5h", "-2m", "1d", "1w2d", "1y", "1.5d", "100ms", "1us", "1µs", "1ns", "", "0", "+5s", "1", "s", "1x", "1h-1m", "9223372036854775807ns", "9223372036854775808ns", "300y", ".5s", "1.s", ".s", "1 s", "1D", "-1d", 1])
product("time.add_date", [0, 1700000000123456789, 1709164800000000000, [1711760400000000000, "Europe/Berlin"], 2**63 - 1], [0, 1, -1, 300], [0, 1, 13, -1], [0, 31, -400, N("1.5")])
product("time.diff", [0, 1700000000123456789, [1709164800000000000, "Asia/Kolkata"], 951782400000000000], [1, 1706659200000000000, [1700000000123456789, "America/New_York"], 1709251199000000000])

versions = ["1.0.0", "1.0.1", "1.1.0", "2.0.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0+build", "v1.0.0", "1.0", "1", "", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0-0a", "a.b.c", "1.0.0.0", "-1.0.0", "1.0.0-a..b", "9223372036854775808.0.0"]
product("semver.compare", versions[:13] + [1], versions[:13] + ["x"])
product("semver.is_valid", versions + [1, None])

graph = {"a": ["b", "c"], "b": ["d"], "c": ["d", "a"], "d": [], "e": ["e", "f"], "f": ["nope"], "g": S("a", "d")}
product("graph.reachable", [graph, {}], [["a"], S("b"), ["e"], ["nope"], [], ["a", "g"], "a"])
product("graph.reachable_paths", [graph, {}], [["a"], S("b"), ["e"], ["nope"], [], ["a", "g"], ["f"]])
blocks = ["10.0.0.0/8", "10.1.0.0/16", "192.168.1.1/24", "0.0.0.0/0", "::/0", "2001:db8::/32", "2001:db8:1::/48", "::ffff:10.0.0.0/104", "10.0.0.1/32", "10.0.0.0/33", "x", "10.0.0/8", "fe80::1/64", "010.0.0.0/8"]
ips = ["10.0.0.1", "192.168.1.255", "2001:db8::1", "::1", "::ffff:10.0.0.1", "1.2.3", "fe80::1%eth0"]
product("net.cidr_contains", blocks, blocks + ips)
product("net.cidr_intersects", blocks, blocks)
product("net.cidr_is_valid", blocks + ips + [1])
product("net.cidr_expand", ["192.168.1.0/30", "10.0.0.1/32", "2001:db8::/126", "255.255.255.254/31", "x", "192.168.1.77/29"])
product("net.cidr_merge", [[], ["192.0.128.0/24", "192.0.129.0/24"], ["192.0.128.0/23", "192.0.129.0/24"], S("10.0.0.0/25", "10.0.0.128/25", "11.0.0.0/8"), ["2601:600:8a80:207e:a57d:7567:e2c9:e7b3/128"], ["10.0.0.1"], ["1.1.1.0/24", "1.1.2.0/24", "1.1.3.0/24"], ["::/1", "8000::/1"], ["x"], [1], "x", ["::1"]])
product("net.cidr_contains_matches", ["10.0.0.0/8", ["10.0.0.0/8", "x/8"], [["10.0.0.0/8", "tag"], "1.0.0.0/8"], {"k": "10.0.0.0/8"}, S("10.0.0.0/8", "11.0.0.0/8")], ["10.1.2.3", ["10.0.0.1", "12.0.0.1"], {"a": "10.0.0.0/9", "b": ["11.1.1.1", 1]}, S("11.0.0.1"), [[]], []])
uris = ["http://example.com", "https://user:pw@example.com:8443/a%20b/c?q=1&r#frag%21", "mailto:x@y", "/a/b?c", "a/b", "", "http://[::1]:80/x", "http://[::1", "http://a:b/", "://x", "1http://x", "http://a b/", "http://a/%zz", "a:b", "//host/path", "///p", "http://example.com/a!b(c)", "http://x?a?b", "http://EXAMPLE.com/%2F", "x://h:", "http://%41/", "*", "\u0001", "urn:isbn:1", "http://é.com/ü", "HTTP://x/"]
product("uri.parse", uris + [1])
product("uri.is_valid", uris + [1])
product("uuid.parse", ["00000000-0000-0000-0000-000000000000", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "000003e8-48b9-21ee-b200-325096b39f47", "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", "{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}", "f81d4fae7dec11d0a76500a0c91e6bf6", "x", "", "f81d4fae-7dec-41d0-c765-00a0c91e6bf6", "g81d4fae-7dec-11d0-a765-00a0c91e6bf6", 1])
product("internal.member_2", mixed, [[], [1, "x"], S(1, 2), {"a": 1}, {"k": None}, "x", [[1, "a"]]])
product("internal.member_3", ["a", 0, None, 1], [1, "x", None], [["x", 1], {"a": 1}, S(1), "x", [None]])
product("internal.template_string", [["a", 1, None], ["x"], [], [N("1.50")]])
yamls = ["a: 1\nb: [x, y]", "yes", "0o17", "1_000", "a: 1\na: 2", "- 1\n- 2.5", "null", "{", "a: b: c", "1.50", "2020-01-01", "\"x\"", "|\n text\n", "&a [1, 2]", "", "~", "1: 2", "true: x"]
product("yaml.unmarshal", yamls + [1])
product("yaml.is_valid", yamls + [1])
product("yaml.marshal", mixed + ["yes", "1", "a: b", "multi\nline", N("1.50"), {"z": [1, [2, 3]], "a": {"k": "v"}}, [{"a": 1, "b": [2]}], "", " lead", "null", "0x1f", "#x", "- x"])
for one in [N("1.0"), N("2.00"), N("-1.0"), N("1.5"), N("1e0"), N("1.00000000000000000"), N("1.000000000000000000")]:
    call("array.slice", [1, 2, 3, 4], one, 3)
    call("substring", "abcdef", one, 2)
    call("strings.split_n", "a.b.c", ".", one)
    call("regex.find_n", "a", "aaa", one)
    call("time.add_date", 0, one, 0, 0)
    call("indexof_n", "abcabc", "c")


def main():
    by_name = {}
    for name, args in calls:
        by_name.setdefault(name, []).append(args)
    for name, all_args in by_name.items():
        # Evenly spread, so that no family drowns the others.
        limit = 300 if name in ("sprintf", "time.format", "time.parse_ns", "glob.match", "regex.globs_match") else 110
        step = max(1.0, len(all_args) / limit)
        for i in range(min(limit, len(all_args))):
            print(f'{{"f":{json.dumps(name)},"a":{dumps(all_args[int(i * step)])}}}')


main()
