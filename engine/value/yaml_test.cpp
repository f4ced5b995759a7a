// YAML against what sigs.k8s.io/yaml, yaml.v3 and OPA made of the same texts, and what the tables cannot say.
#include "engine/value/yaml.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "base/text.h"
#include "engine/value/json.h"

namespace portcullis {
namespace {

std::string read_file(const char* path) {
  std::ifstream file(path);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

std::string outcome(std::string_view text, YamlSchema schema) {
  Result<Document> document = parse_yaml(text, schema);
  if (!document.ok()) return "!" + document.error().message;
  const Value root = document->root();
  if (!root.defined() || root.is_null()) return schema == YamlSchema::kYaml12 ? "{}" : "null";
  return to_json(root, JsonStyle{.escape_html = true});
}

// Go prints the key's and the value's innards after these; ours stops there.
bool agrees(std::string_view got, std::string_view want) {
  if (got == want) return true;
  for (const std::string_view start : {"!unsupported map key of type: ", "!yaml: invalid map key: "}) {
    if (text::starts_with(got, start) && text::starts_with(want, start)) return true;
  }
  return false;
}

// yaml.json: texts with the results of the three Go libraries ("!" and the message for an error). Another file of that
// form can be named in PC_YAML.
TEST(YamlReader, AgreesWithGo) {
  const char* other = std::getenv("PC_YAML");
  Result<Document> table = Document::parse_json_owned(
      read_file(other != nullptr ? other : PC_SOURCE_DIR "/engine/value/testdata/yaml.json"));
  ASSERT_TRUE(table.ok()) << table.error().to_string();
  constexpr std::string_view kPrefix = "!eval_builtin_error: yaml.unmarshal: ";
  int failures = 0;
  for (const Value& row : table->root().elements()) {
    const std::string_view text = row.string_or("in");
    const std::pair<const char*, YamlSchema> columns[] = {
        {"k8s", YamlSchema::kKubernetes}, {"yaml12", YamlSchema::kYaml12}, {"opa", YamlSchema::kOpa}};
    for (const auto& [column, schema] : columns) {
      std::string want(row.string_or(column));
      // Go's encoder writes a byte that is no UTF-8 as an escape, which reads back as what ours holds.
      for (std::size_t at; (at = want.find("\\ufffd")) != std::string::npos;) want.replace(at, 6, "\uFFFD");
      if (text::starts_with(want, kPrefix)) want = "!" + want.substr(kPrefix.size());
      const std::string got = outcome(text, schema);
      if (agrees(got, want)) continue;
      ADD_FAILURE() << column << ": " << text::go_quote(text) << "\n  got  " << got << "\n  want " << want;
      if (++failures == 4000) return;
    }
  }
}

// yaml_writer.json: JSON with what the Go libraries print of it: sigs.k8s.io/yaml, yaml.v3 with two spaces (both keep
// integers), yaml.v3 with four after encoding/json made all numbers floats. Another file: PC_YAML_WRITER.
TEST(YamlWriter, PrintsAsGo) {
  const char* other = std::getenv("PC_YAML_WRITER");
  Result<Document> table = Document::parse_json_owned(
      read_file(other != nullptr ? other : PC_SOURCE_DIR "/engine/value/testdata/yaml_writer.json"));
  ASSERT_TRUE(table.ok()) << table.error().to_string();
  const std::pair<const char*, YamlStyle> columns[] = {
      {"sigs", {2, false}}, {"v3_2", {2, true}}, {"v3_4", {4, true, YamlStyle::Numbers::kFloat}}};
  int failures = 0;
  for (const Value& row : table->root().elements()) {
    Result<Document> document = Document::parse_json(row.string_or("in"));
    ASSERT_TRUE(document.ok()) << row.string_or("in");
    for (const auto& [column, style] : columns) {
      const std::string got = to_yaml(document->root(), style);
      if (got == row.string_or(column)) continue;
      ADD_FAILURE() << column << ": " << row.string_or("in") << "\n  got  " << text::go_quote(got) << "\n  want "
                    << text::go_quote(row.string_or(column));
      if (++failures == 300) return;
    }
  }
}

TEST(YamlWriter, PiecesInAnOrderOfTheirOwn) {
  Result<Document> document = Document::parse_json(R"({"b":[1,{"c":"x: y"}],"a":{}})");
  ASSERT_TRUE(document.ok());
  YamlEmitter emitter({4, true});
  emitter.begin_sequence(2);
  for (int i = 0; i < 2; ++i) {
    emitter.begin_mapping(2, i == 1);
    emitter.key("z");
    emitter.value(document->root());
    emitter.key("trace");
    emitter.value(Value::null());
    emitter.end_mapping();
  }
  emitter.end_sequence();
  EXPECT_EQ(emitter.finish(),
            "- z:\n    a: {}\n    b:\n        - 1\n        - c: 'x: y'\n  trace: null\n"
            "- {z: {a: {}, b: [1, {c: 'x: y'}]}, trace: null}\n");
}

ParseLimits named(std::string_view source) {
  ParseLimits limits;
  limits.source = source;
  return limits;
}

TEST(YamlReader, ErrorsNameThePlaceInTheFile) {
  Result<Document> document = parse_yaml("a: 1\nb: {c: 1\nd: 2\n", YamlSchema::kKubernetes, named("bad.yaml"));
  ASSERT_FALSE(document.ok());
  EXPECT_EQ(document.error().code, Code::kInvalid);
  EXPECT_EQ(document.error().message, "yaml: line 2: did not find expected ',' or '}'");
  EXPECT_EQ(document.error().to_string(), "bad.yaml:3:2: yaml: line 2: did not find expected ',' or '}'");
  document = parse_yaml("a: 1\nb: {c: 1\nd: 2\n", YamlSchema::kYaml12, named("bad.yaml"));
  ASSERT_FALSE(document.ok());
  EXPECT_EQ(document.error().message, "yaml: line 1: did not find expected ',' or '}'");
  document = parse_yaml("hello", YamlSchema::kYaml12);
  ASSERT_FALSE(document.ok());
  EXPECT_EQ(document.error().message,
            "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `hello` into map[string]interface {}");
}

TEST(YamlReader, StreamOfManifests) {
  Result<std::vector<YamlDocument>> documents =
      parse_yaml_stream("# head\n---\na: 1\n--- # next\n\n---\nb: {c: yes}\n", YamlSchema::kKubernetes);
  ASSERT_TRUE(documents.ok()) << documents.error().to_string();
  ASSERT_EQ(documents->size(), 2u);
  EXPECT_EQ(to_json((*documents)[0].document.root()), R"({"a":1})");
  EXPECT_EQ((*documents)[0].line, 3u);
  EXPECT_EQ(to_json((*documents)[1].document.root()), R"({"b":{"c":true}})");
  EXPECT_EQ((*documents)[1].line, 7u);

  // The line in the message counts from the separator, the context in the file.
  documents = parse_yaml_stream("a: 1\n---\nb: 1\nc: {\nd: 2\n", YamlSchema::kKubernetes, named("x.yaml"));
  ASSERT_FALSE(documents.ok());
  EXPECT_EQ(documents.error().message, "yaml: line 3: did not find expected ',' or '}'");
  EXPECT_EQ(documents.error().context[0], "x.yaml:6:1");
  documents = parse_yaml_stream("a: 1\n--- b\n", YamlSchema::kKubernetes);
  ASSERT_FALSE(documents.ok());
  EXPECT_EQ(documents.error().message, "invalid Yaml document separator: b");
  EXPECT_TRUE(parse_yaml_stream("", YamlSchema::kKubernetes)->empty());

  documents = parse_yaml_stream("a: 1\n---\nb: 2\n...\n", YamlSchema::kYaml12);
  ASSERT_TRUE(documents.ok());
  EXPECT_EQ(documents->size(), 2u);

  // yaml.v3 knows anchors of documents before, v2 does not.
  documents = parse_yaml_stream("a: &x b\n---\nc: *x", YamlSchema::kOpa);
  ASSERT_TRUE(documents.ok()) << documents.error().to_string();
  EXPECT_EQ(to_json((*documents)[1].document.root()), R"({"c":"b"})");
  EXPECT_FALSE(parse_yaml_stream("a: &x b\n---\nc: *x", YamlSchema::kKubernetes).ok());
}

TEST(YamlReader, StreamOfJson) {
  Result<std::vector<YamlDocument>> documents = parse_yaml_stream("{\"a\": 1.50}\n{\"b\": 2}", YamlSchema::kKubernetes);
  ASSERT_TRUE(documents.ok()) << documents.error().to_string();
  ASSERT_EQ(documents->size(), 2u);
  EXPECT_EQ(to_json((*documents)[0].document.root()), R"({"a":1.50})");
  EXPECT_EQ((*documents)[1].line, 2u);
  // What is no JSON may still be YAML.
  documents = parse_yaml_stream("{\"a\": 1,}\n---\nb: 2\n", YamlSchema::kKubernetes);
  ASSERT_TRUE(documents.ok()) << documents.error().to_string();
  ASSERT_EQ(documents->size(), 2u);
  EXPECT_EQ(to_json((*documents)[0].document.root()), R"({"a":1})");
  documents = parse_yaml_stream("{\"a\": 1}\n---\nb: 2\n", YamlSchema::kKubernetes);
  ASSERT_TRUE(documents.ok()) << documents.error().to_string();
  EXPECT_EQ(documents->size(), 2u);
  documents = parse_yaml_stream("{\"a\": [1}", YamlSchema::kKubernetes, named("x.json"));
  ASSERT_FALSE(documents.ok());
  EXPECT_EQ(documents.error().message, "x.json:1:9: unexpected '}', expected ',' or ']'");
}

TEST(YamlReader, NumbersOfKubernetesObjects) {
  ParseLimits limits;
  limits.numbers = ParseLimits::Numbers::kFloat64;
  Result<Document> document = parse_yaml("[12345678901234567, 1e6, 2.50, 18446744073709551615, 1e21, 123456789.5]",
                                         YamlSchema::kKubernetes, limits);
  ASSERT_TRUE(document.ok());
  EXPECT_EQ(to_json(document->root()), "[12345678901234567,1000000,2.5,1.8446744073709552e+19,1e+21,1.234567895e+08]");
}

TEST(YamlReader, AliasesAreBounded) {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char name = 'b'; name <= 'i'; ++name) {
    const std::string previous(1, static_cast<char>(name - 1));
    bomb += std::string(1, name) + ": &" + name + " [";
    for (int i = 0; i < 9; ++i) bomb += (i == 0 ? "*" : ",*") + previous;
    bomb += "]\n";
  }
  for (const YamlSchema schema : {YamlSchema::kKubernetes, YamlSchema::kYaml12, YamlSchema::kOpa}) {
    Result<Document> document = parse_yaml(bomb, schema);
    ASSERT_FALSE(document.ok());
    EXPECT_EQ(document.error().code, Code::kLimit);
    EXPECT_EQ(document.error().message, "yaml: document contains excessive aliasing");
  }
}

TEST(YamlReader, Limits) {
  ParseLimits limits;
  limits.max_depth = 8;
  for (const std::string& text : {std::string(9, '['), std::string("- - - - - - - - - x")}) {
    Result<Document> document = parse_yaml(text, YamlSchema::kKubernetes, limits);
    ASSERT_FALSE(document.ok());
    EXPECT_EQ(document.error().code, Code::kLimit) << document.error().to_string();
  }
  limits.max_bytes = 3;
  Result<Document> document = parse_yaml("a: 1", YamlSchema::kKubernetes, limits);
  ASSERT_FALSE(document.ok());
  EXPECT_EQ(document.error().code, Code::kLimit);
}

}  // namespace
}  // namespace portcullis
