// `# METADATA` blocks: comments at the start of the line that hold YAML. The tree keeps each as the object that
// rego.metadata shows, with its scope and the rule it stands before.
#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#include "base/text.h"
#include "engine/rego/syntax/parser_impl.h"
#include "engine/value/number.h"
#include "engine/value/yaml.h"

namespace portcullis::rego {
namespace {

constexpr const char* kParseError = "rego_parse_error";

bool begins_block(const Comment& comment) {
  return comment.location.column == 1 && text::starts_with(text::trim(comment.text), "METADATA");
}

bool continues_block(const Comment& comment, const Comment& before) {
  return comment.location.column == 1 && comment.location.row == before.location.row + 1 && !begins_block(comment);
}

using MaybeError = std::optional<std::string>;

Term text_term(std::string_view text) { return Term::string(std::string(text), {}); }

Term to_term(const Value& value) {
  switch (value.kind()) {
    case Kind::kBool: return Term::boolean_of(value.as_bool(), {});
    case Kind::kNumber: return Term::number(number_text(value), {});
    case Kind::kString: return text_term(value.as_string());
    case Kind::kArray: {
      Term term(TermKind::kArray, {});
      for (const Value& element : value.elements()) term.items.push_back(to_term(element));
      return term;
    }
    case Kind::kObject: {
      Term term(TermKind::kObject, {});
      for (std::size_t i = 0; i < value.keys().size(); ++i) {
        term.items.push_back(to_term(value.keys()[i]));
        term.items.push_back(to_term(value.values()[i]));
      }
      normalise(term);
      return term;
    }
    default: return Term::null({});
  }
}

std::string_view yaml_tag(const Value& value) {
  switch (value.kind()) {
    case Kind::kBool: return "!!bool";
    case Kind::kNumber: return value.is_integer() ? "!!int" : "!!float";
    case Kind::kString: return "!!str";
    case Kind::kArray: return "!!seq";
    case Kind::kObject: return "!!map";
    default: return "!!null";
  }
}

// As Go's fmt prints a decoded value with %s.
std::string go_string(const Value& value) {
  std::string out;
  switch (value.kind()) {
    case Kind::kString: return std::string(value.as_string());
    case Kind::kBool: return value.as_bool() ? "%!s(bool=true)" : "%!s(bool=false)";
    case Kind::kNumber: return (value.is_integer() ? "%!s(int=" : "%!s(float64=") + number_text(value) + ")";
    case Kind::kArray:
      for (const Value& element : value.elements()) out += (out.empty() ? "" : " ") + go_string(element);
      return "[" + out + "]";
    case Kind::kObject:
      for (std::size_t i = 0; i < value.keys().size(); ++i) {
        out += (out.empty() ? "" : " ") + go_string(value.keys()[i]) + ":" + go_string(value.values()[i]);
      }
      return "map[" + out + "]";
    default: return "%!s(<nil>)";
  }
}

// yaml.v3 reads YAML 1.1's other spellings where a bool is wanted.
std::optional<bool> as_bool(const Value& value) {
  if (!value.defined() || value.is_null()) return false;
  if (value.is_bool()) return value.as_bool();
  const std::string_view text = value.is_string() ? value.as_string() : std::string_view();
  for (const std::string_view yes : {"y", "Y", "yes", "on"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"n", "N", "no", "off"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

// The block as it is read. Each member function takes one field and says what is wrong with it.
class Block {
 public:
  Block(std::string_view text, const Value& yaml) : text_(text), yaml_(yaml), object_(TermKind::kObject, {}) {}

  MaybeError read(Annotations& out) {
    if (yaml_.is_null() || !yaml_.defined()) return MaybeError();
    if (!yaml_.is_object()) return mismatch("", yaml_, "ast.rawAnnotation");
    const std::optional<bool> entrypoint = as_bool(yaml_.get("entrypoint"));
    if (!entrypoint) return mismatch("entrypoint", yaml_.get("entrypoint"), "bool");
    for (const char* name : {"scope", "title", "description"}) {
      if (MaybeError error = text_field(name)) return error;
    }
    out.scope = scope_;
    out.entrypoint = *entrypoint;
    if (out.entrypoint) add("entrypoint", Term::boolean_of(true, {}));
    for (const auto& field : {&Block::organizations, &Block::related_resources, &Block::schemas, &Block::authors}) {
      if (MaybeError error = (this->*field)()) return error;
    }
    for (const char* name : {"custom", "labels"}) {
      const Value value = yaml_.get(name);
      if (!value.defined() || value.is_null()) continue;
      if (!value.is_object()) return mismatch(name, value, "map[string]interface {}");
      if (value.size() > 0) add(name, to_term(value));
    }
    out.yaml = std::move(object_);
    return MaybeError();
  }

 private:
  MaybeError mismatch(std::string_view field, const Value& value, std::string_view want) const {
    std::string shown;
    if (value.is_string() || value.is_number() || value.is_bool()) {
      shown = value.is_string() ? std::string(value.as_string()) : to_string(to_term(value));
      if (shown.size() > 10) shown = shown.substr(0, 7) + "...";
      shown = " `" + shown + "`";
    }
    return "yaml: unmarshal errors:\n  line " + std::to_string(line_of(field)) + ": cannot unmarshal " +
           std::string(yaml_tag(value)) + shown + " into " + std::string(want);
  }

  // Where a field of the block begins, counted from 1.
  int line_of(std::string_view field) const {
    int line = 1;
    for (const std::string_view text : text::split(text_, '\n')) {
      if (text::starts_with(text, field) && text.size() > field.size() && text[field.size()] == ':') return line;
      ++line;
    }
    return 1;
  }

  void add(std::string_view key, Term value) {
    object_.items.push_back(text_term(key));
    object_.items.push_back(std::move(value));
  }

  MaybeError text_field(const char* name) {
    const Value value = yaml_.get(name);
    if (!value.defined() || value.is_null()) return MaybeError();
    std::string text;
    if (value.is_string()) {
      text = value.as_string();
    } else if (value.is_number()) {
      text = number_text(value);
    } else if (value.is_bool()) {
      text = value.as_bool() ? "true" : "false";
    } else {
      return mismatch(name, value, "string");
    }
    if (std::string_view(name) == "scope") {
      scope_ = text;
    } else if (!text.empty()) {
      add(name, text_term(text));
    }
    return MaybeError();
  }

  MaybeError list(const char* name, std::string_view type, Value& value) const {
    value = yaml_.get(name);
    if (value.is_null()) value = Value::undefined();
    if (value.defined() && !value.is_array()) return mismatch(name, value, type);
    return MaybeError();
  }

  MaybeError organizations() {
    Value value;
    if (MaybeError error = list("organizations", "[]string", value)) return error;
    Term names(TermKind::kArray, {});
    for (const Value& element : value.elements()) {
      if (!element.is_string()) return mismatch("organizations", element, "string");
      names.items.push_back(text_term(element.as_string()));
    }
    if (!names.items.empty()) add("organizations", std::move(names));
    return MaybeError();
  }

  MaybeError related_resources() {
    Value value;
    if (MaybeError error = list("related_resources", "[]interface {}", value)) return error;
    Term resources(TermKind::kArray, {});
    for (const Value& element : value.elements()) {
      const std::string prefix = "invalid related-resource definition " + go_string(element) + ": ";
      if (!element.is_string() && !element.is_object()) return prefix + "invalid value type, must be string or map";
      const std::string_view ref = element.is_string() ? element.as_string() : text::trim(element.string_or("ref"));
      if (ref.empty()) {
        return prefix + (element.is_string() ? "ref URL may not be empty string" : "'ref' value required in object");
      }
      Term resource(TermKind::kObject, {});
      const std::string_view description = text::trim(element.string_or("description"));
      if (element.is_object() && !description.empty()) {
        resource.items.push_back(text_term("description"));
        resource.items.push_back(text_term(description));
      }
      resource.items.push_back(text_term("ref"));
      resource.items.push_back(text_term(ref));
      resources.items.push_back(std::move(resource));
    }
    if (!resources.items.empty()) add("related_resources", std::move(resources));
    return MaybeError();
  }

  // "Name of Many Words <mail>"
  static std::pair<std::string, std::string> author_of(std::string_view text) {
    std::string email;
    std::vector<std::string> words;
    for (const std::string_view word : text::split(text, ' ')) {
      const std::string_view trimmed = text::trim(word);
      if (!trimmed.empty()) words.emplace_back(trimmed);
    }
    if (!words.empty() && words.back().size() >= 2 && words.back().front() == '<' && words.back().back() == '>') {
      email = words.back().substr(1, words.back().size() - 2);
      words.pop_back();
    }
    return {text::join(words, " "), std::move(email)};
  }

  MaybeError authors() {
    Value value;
    if (MaybeError error = list("authors", "[]interface {}", value)) return error;
    Term authors(TermKind::kArray, {});
    for (const Value& element : value.elements()) {
      const std::string prefix = "invalid author definition " + go_string(element) + ": ";
      std::pair<std::string, std::string> author;
      if (element.is_string()) {
        if (text::trim(element.as_string()).empty()) return prefix + "author is an empty string";
        author = author_of(element.as_string());
      } else if (element.is_object()) {
        author = {std::string(text::trim(element.string_or("name"))),
                  std::string(text::trim(element.string_or("email")))};
        if (author.first.empty() && author.second.empty()) {
          return prefix + "'name' and/or 'email' values required in object";
        }
      } else {
        return prefix + "invalid value type, must be string or map";
      }
      Term object(TermKind::kObject, {});
      if (!author.second.empty()) {
        object.items.push_back(text_term("email"));
        object.items.push_back(text_term(author.second));
      }
      if (!author.first.empty()) {
        object.items.push_back(text_term("name"));
        object.items.push_back(text_term(author.first));
      }
      authors.items.push_back(std::move(object));
    }
    if (!authors.items.empty()) add("authors", std::move(authors));
    return MaybeError();
  }

  static Term path_of(const Term& ref) {
    Term path(TermKind::kArray, {});
    for (const Term& item : ref.items) {
      path.items.push_back(item.kind == TermKind::kString ? item : text_term(to_string(item)));
    }
    return path;
  }

  MaybeError schemas() {
    Value value;
    if (MaybeError error = list("schemas", "[]map[string]interface {}", value)) return error;
    Term schemas(TermKind::kArray, {});
    for (const Value& element : value.elements()) {
      if (!element.is_object()) return mismatch("schemas", element, "map[string]interface {}");
      const std::string key{element.size() == 0 ? std::string_view() : element.keys()[0].as_string()};
      const Value given = element.size() == 0 ? Value::undefined() : element.values()[0];
      const Parsed<Term> path = parse_ref(key);
      if (!path.ok()) return std::string("invalid document reference");
      Term schema(TermKind::kObject, {});
      if (given.is_object()) {
        schema.items.push_back(text_term("definition"));
        schema.items.push_back(to_term(given));
      } else if (!given.is_string()) {
        return "invalid schema declaration for path \"" + key + "\"";
      }
      schema.items.push_back(text_term("path"));
      schema.items.push_back(path_of(path.value()));
      if (given.is_string()) {
        const Parsed<Term> term = parse_term(given.as_string(), {});
        const bool named =
            term.ok() && (term->is_var("schema") || (term->kind == TermKind::kRef && term->items[0].is_var("schema")));
        if (!named) return std::string("invalid schema reference");
        schema.items.push_back(text_term("schema"));
        schema.items.push_back(path_of(term->kind == TermKind::kVar ? Term::ref({*term}, {}) : *term));
      }
      schemas.items.push_back(std::move(schema));
    }
    if (!schemas.items.empty()) add("schemas", std::move(schemas));
    return MaybeError();
  }

  std::string_view text_;
  const Value& yaml_;
  Term object_;
  std::string scope_;
};

// A guess at why YAML could not be read: a colon that no space follows.
std::string with_hints(std::string message, const std::vector<const Comment*>& comments) {
  for (const Comment* comment : comments) {
    const std::vector<std::string_view> parts = text::split(comment->text, ':');
    std::string symbols;
    for (std::size_t i = 1; i < parts.size(); ++i) {
      if (parts[i].empty() && i + 1 == parts.size()) break;
      if (!parts[i].empty() && (parts[i][0] == ' ' || parts[i][0] == '\t')) break;
      std::string rune = "\\ufffd";
      if (!parts[i].empty()) rune = parts[i].substr(0, text::decode_rune(parts[i], 0).size);
      symbols += (symbols.empty() ? "'" : " '") + rune + "'";
    }
    if (symbols.empty()) continue;
    message += "\n  Hint: on line " + std::to_string(comment->location.row) + ", symbol(s) [" + symbols +
               "] immediately following a key/value separator ':' is not a legal yaml space character";
  }
  return message;
}

// The line number in "yaml: line 3: …", or -1.
int yaml_line(std::string_view message) {
  for (const std::string_view prefix : {"yaml: line ", "yaml: unmarshal errors:\n  line "}) {
    if (text::starts_with(message, prefix)) return std::atoi(std::string(message.substr(prefix.size())).c_str());
  }
  return -1;
}

Result<Document> read_yaml(std::string_view yaml) {
  Result<Document> document = parse_yaml(yaml, YamlSchema::kYaml12);
  if (document.ok()) return document;
  // Keys that are no strings are fine here: they become strings.
  if (text::starts_with(document.error().message, "json:")) return parse_yaml(yaml, YamlSchema::kOpa);
  std::string& message = document.error().message;
  const std::string_view generic = "into map[string]interface {}";
  if (text::ends_with(message, generic)) {
    message.replace(message.size() - generic.size(), generic.size(), "into ast.rawAnnotation");
  }
  return document;
}

}  // namespace

std::vector<Annotations> Parser::parse_annotations() {
  const std::vector<Comment> all = comments();
  std::vector<Annotations> result;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!begins_block(all[i])) continue;
    Annotations annotations;
    annotations.location = all[i].location;
    std::vector<const Comment*> block;
    std::string yaml;
    while (i + 1 < all.size() && continues_block(all[i + 1], all[i])) {
      const std::string_view text = all[++i].text;
      yaml += text::starts_with(text, " ") ? text.substr(1) : text;
      yaml += '\n';
      block.push_back(&all[i]);
    }
    if (text::trim(yaml).empty()) {
      error(annotations.location, "expected METADATA block, found whitespace");
      continue;
    }
    const Result<Document> document = read_yaml(yaml);
    MaybeError problem;
    if (document.ok()) {
      const Value root = document->root();
      problem = Block(yaml, root).read(annotations);
    } else {
      problem = document.error().message;
    }
    if (!problem) {
      result.push_back(std::move(annotations));
      continue;
    }
    Location where = annotations.location;
    if (text::starts_with(*problem, "yaml:")) {
      const int line = yaml_line(*problem);
      const std::size_t at = line < 0 ? 0 : static_cast<std::size_t>(line);
      where = block[std::min(at, block.size() - 1)]->location;
      problem = with_hints(std::move(*problem), block);
    }
    error(where, std::move(*problem));
  }
  return result;
}

namespace {

// What stands below a row.
struct Below {
  std::uint32_t row = 0;
  std::string_view kind;  // "package", "import", "rule"
  int rule = -1;
};

std::vector<Below> statements_of(const Module& module) {
  std::vector<Below> below = {{module.package_location.row, "package", -1}};
  for (const Import& import : module.imports) below.push_back({import.location.row, "import", -1});
  for (std::size_t i = 0; i < module.rules.size(); ++i) {
    below.push_back({module.rules[i].location.row, "rule", static_cast<int>(i)});
  }
  std::stable_sort(below.begin(), below.end(), [](const Below& a, const Below& b) { return a.row < b.row; });
  return below;
}

void check_attachment(const Annotations& annotations, std::string_view kind, Diagnostics& errors) {
  const std::string& scope = annotations.scope;
  const bool of_rule = scope == "rule" || scope == "document";
  const bool of_package = scope == "package" || scope == "subpackages";
  if (!of_rule && !of_package) {
    errors.add(kParseError, annotations.location,
               "invalid annotation scope '" + scope + "'. Use one of 'rule', 'document', 'package', or 'subpackages'");
  } else if (const std::string_view want = of_rule ? "rule" : "package"; kind != want) {
    errors.add(kParseError, annotations.location,
               "annotation scope '" + scope + "' must be applied to " + std::string(want) +
                   (kind.empty() ? std::string() : " (have " + std::string(kind) + ")"));
  }
  if (annotations.entrypoint && scope != "document" && scope != "package") {
    errors.add(kParseError, annotations.location,
               "annotation entrypoint applied to non-document or package scope '" + scope + "'");
  }
}

}  // namespace

void attach_annotations(Module& module, std::vector<Annotations> annotations, Diagnostics& errors) {
  if (annotations.empty()) return;
  const std::vector<Below> statements = statements_of(module);
  for (std::size_t i = 0; i < annotations.size(); ++i) {
    Annotations& one = annotations[i];
    const auto below = std::find_if(statements.begin(), statements.end(),
                                    [&](const Below& statement) { return statement.row > one.location.row; });
    const std::string_view kind = below == statements.end() ? std::string_view() : below->kind;
    if (one.scope.empty() && !kind.empty()) one.scope = kind == "rule" && one.entrypoint ? "document" : kind;
    check_attachment(one, kind, errors);
    if (kind == "rule") {
      one.rule = below->rule;
      Rule& rule = module.rules[static_cast<std::size_t>(below->rule)];
      if (rule.annotations < 0) rule.annotations = static_cast<int>(i);
    }
    if (one.yaml.kind != TermKind::kObject) one.yaml = Term(TermKind::kObject, {});
    one.yaml.items.push_back(text_term("scope"));
    one.yaml.items.push_back(text_term(one.scope));
    normalise(one.yaml);
    set_location(one.yaml, one.location);
  }
  module.annotations = std::move(annotations);
}

}  // namespace portcullis::rego
