// Nodes to values: what go-yaml's decoders and the conversions to JSON after them do.
#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/text.h"
#include "engine/value/number.h"
#include "engine/value/yaml.h"
#include "engine/value/yaml_scalar.h"
#include "engine/value/yaml_tree.h"

namespace portcullis {

namespace {

using yaml::Node;
using yaml::Scalar;
using Kind_ = Node::Kind;

constexpr std::string_view kMergeTag = "tag:yaml.org,2002:merge";
constexpr std::size_t kMaxReported = 50;

// How much of the work may come from aliases, as go-yaml bounds it: nearly all in small documents, a tenth in huge
// ones.
double allowed_alias_share(std::uint64_t decoded) {
  constexpr double kLow = 400000;
  constexpr double kHigh = 4000000;
  const auto count = static_cast<double>(decoded);
  if (count <= kLow) return 0.99;
  if (count >= kHigh) return 0.10;
  return 0.99 - 0.89 * (count - kLow) / (kHigh - kLow);
}

class Decoder {
 public:
  Decoder(Arena& arena, YamlSchema schema, const ParseLimits& limits, const yaml::ErrorStyle& style)
      : arena_(arena), schema_(schema), limits_(limits), style_(style) {}

  Result<Value> decode_document(const Node& root) {
    Value value;
    if (!(schema_ == YamlSchema::kYaml12 ? decode_top(root, value) : decode(root, value, 0))) {
      return std::move(error_);
    }
    if (!type_errors_.empty()) {
      std::string message = "yaml: unmarshal errors:";
      for (const std::string& line : type_errors_) message += "\n  " + line;
      return yaml::error_at(style_, Code::kInvalid, message, first_type_error_.line, first_type_error_.column);
    }
    if (unprintable_) return std::move(error_);
    return value;
  }

 private:
  struct Place {
    std::uint32_t line = 0;
    std::uint32_t column = 0;
  };

  bool fail(const Node& node, const std::string& what, Code code = Code::kInvalid) {
    error_ = yaml::error_at(style_, code, what, node.line, node.column);
    return false;
  }

  // An error of the conversion to JSON, which comes after all of go-yaml's own: the first one is kept.
  bool fail_later(const Node& node, const std::string& what) {
    if (!unprintable_) error_ = yaml::error_at(style_, Code::kInvalid, what, node.line, node.column);
    unprintable_ = true;
    return true;
  }

  // An error after which go-yaml goes on, to report several at once.
  void type_error(const Node& node, std::string what) {
    if (type_errors_.empty()) first_type_error_ = {node.line, node.column};
    if (type_errors_.size() < kMaxReported) {
      type_errors_.push_back("line " + std::to_string(node.line + 1) + ": " + std::move(what));
    }
  }

  bool count(const Node& node, std::uint32_t depth) {
    ++decoded_;
    if (alias_depth_ > 0) ++from_aliases_;
    if (from_aliases_ > 100 && decoded_ > 1000 &&
        static_cast<double>(from_aliases_) / static_cast<double>(decoded_) > allowed_alias_share(decoded_)) {
      return fail(node, "yaml: document contains excessive aliasing", Code::kLimit);
    }
    if (depth > limits_.max_depth) {
      return fail(node, "yaml: exceeded max depth of " + std::to_string(limits_.max_depth), Code::kLimit);
    }
    if (arena_.exceeded()) return fail(node, "yaml: the document takes more memory than allowed", Code::kLimit);
    return true;
  }

  bool decode(const Node& node, Value& out, std::uint32_t depth) {
    if (!count(node, depth)) return false;
    switch (node.kind) {
      case Kind_::kScalar: return decode_scalar(node, out);
      case Kind_::kSequence: return decode_sequence(node, out, depth);
      case Kind_::kMapping: return decode_mapping(node, out, depth, false);
      case Kind_::kAlias: {
        if (!enter_alias(node)) return false;
        const bool done = decode(*node.target, out, depth + 1);
        leave_alias(node);
        return done;
      }
    }
    return true;
  }

  // The document of a kYaml12 file is decoded into a Go map with string keys: anything but a mapping is an error.
  bool decode_top(const Node& root, Value& out) {
    if (root.kind == Kind_::kMapping) {
      if (!count(root, 0)) return false;
      return decode_mapping(root, out, 0, true);
    }
    Scalar scalar;
    if (root.kind == Kind_::kScalar && !resolve(root, scalar)) return false;
    if (scalar.type == Scalar::Type::kBinary && !decode_binary(root, out)) return false;
    if (root.kind == Kind_::kScalar && scalar.type == Scalar::Type::kNull) {
      out = Value::null();
    } else {
      type_error(root, cannot_unmarshal(root, "map[string]interface {}"));
    }
    return true;
  }

  std::string cannot_unmarshal(const Node& node, std::string_view go_type) const {
    std::string tag;
    if (node.kind == Kind_::kScalar)
      tag = scalar_tag(node);
    else if (!node.tag.empty() && node.tag != "!")
      tag = yaml::short_tag(node.tag);
    else
      tag = node.kind == Kind_::kSequence ? "!!seq" : "!!map";
    std::string what = "cannot unmarshal " + tag;
    if (tag != "!!seq" && tag != "!!map") {
      std::string text(node.kind == Kind_::kScalar ? node.text : std::string_view());
      if (text.size() > 10) text = text.substr(0, 7) + "...";
      what += " `" + text + "`";
    }
    what += " into ";
    what += go_type;
    return what;
  }

  bool enter_alias(const Node& alias) {
    if (expanding(alias)) {
      return fail(alias, "yaml: anchor '" + std::string(alias.text) + "' value contains itself");
    }
    open_aliases_.push_back(&alias);
    ++alias_depth_;
    return true;
  }
  bool expanding(const Node& alias) const {
    return std::find(open_aliases_.begin(), open_aliases_.end(), &alias) != open_aliases_.end();
  }
  void leave_alias(const Node&) {
    open_aliases_.pop_back();
    --alias_depth_;
  }

  // --- scalars ---

  std::string scalar_tag(const Node& node) const {
    if (!node.tag.empty() && node.tag != "!") return yaml::short_tag(node.tag);
    if (!node.plain) return "!!str";
    if (node.text == "<<") return "!!merge";
    return std::string(yaml::tag_name(yaml::resolve_plain(node.text, schema_).type));
  }

  bool resolve(const Node& node, Scalar& out) {
    out = {};
    const bool untagged = node.tag.empty() || (node.tag == "!" && schema_ != YamlSchema::kKubernetes);
    if (untagged) {
      if (!node.plain && !(node.implicit && schema_ == YamlSchema::kKubernetes)) return true;
      out = yaml::resolve_plain(node.text, schema_);
      return true;
    }
    const std::string tag = yaml::short_tag(node.tag);
    if (tag == "!!str") return true;
    if (tag == "!!binary") {
      out.type = Scalar::Type::kBinary;
      return true;
    }
    if (tag != "!!bool" && tag != "!!int" && tag != "!!float" && tag != "!!null" && tag != "!!timestamp") return true;
    out = yaml::resolve_plain(node.text, schema_, tag == "!!timestamp");
    const std::string_view found = yaml::tag_name(out.type);
    if (found == tag) return true;
    if (tag == "!!float" && out.type == Scalar::Type::kInt) {
      out.real = static_cast<double>(out.integer);
      out.type = Scalar::Type::kFloat;
      return true;
    }
    return fail(node, "yaml: cannot decode " + std::string(found) + " `" + std::string(node.text) + "` as a " + tag);
  }

  bool decode_scalar(const Node& node, Value& out) {
    Scalar scalar;
    if (!resolve(node, scalar)) return false;
    switch (scalar.type) {
      case Scalar::Type::kNull: out = Value::null(); return true;
      case Scalar::Type::kBool: out = Value::boolean(scalar.boolean); return true;
      case Scalar::Type::kInt:
        if (limits_.numbers == ParseLimits::Numbers::kAllFloat64) {
          out = make_number(arena_, static_cast<double>(scalar.integer));
        } else {
          out = Value::integer(scalar.integer);
        }
        return true;
      case Scalar::Type::kUint: return number(node, std::to_string(scalar.natural), out);
      case Scalar::Type::kFloat:
        if (!std::isfinite(scalar.real)) {
          const char* name = std::isnan(scalar.real) ? "NaN" : (scalar.real > 0 ? "+Inf" : "-Inf");
          out = Value::null();
          return fail_later(node, std::string("json: unsupported value: ") + name);
        }
        return number(node, format_json(scalar.real), out);
      case Scalar::Type::kBinary: return decode_binary(node, out);
      case Scalar::Type::kTimestamp:
        if (schema_ == YamlSchema::kYaml12 || (schema_ == YamlSchema::kOpa && !node.tag.empty())) {
          out = make_string(arena_, yaml::timestamp_to_rfc3339(node.text));
          return true;
        }
        break;
      case Scalar::Type::kString: break;
    }
    out = make_string(arena_, node.text);
    return true;
  }

  // `text` is what Go's encoding/json wrote; read back as the caller wants numbers.
  bool number(const Node& node, const std::string& text, Value& out) {
    if (limits_.numbers == ParseLimits::Numbers::kExact) {
      out = make_number(arena_, text);
      return true;
    }
    Result<Value> read = parse_json_into(arena_, text, limits_);
    if (!read.ok()) return fail(node, read.error().message);
    out = *read;
    return true;
  }

  bool decode_binary(const Node& node, Value& out) {
    std::string packed;
    for (const char c : node.text) {
      if (c != '\n' && c != '\r') packed += c;
    }
    const auto bytes = text::base64_decode(packed);
    if (!bytes) return fail(node, "yaml: !!binary value contains invalid base64 data");
    std::string valid;
    for (std::size_t at = 0; at < bytes->size();) {
      const text::Rune rune = text::decode_rune(*bytes, at);
      text::append_rune(valid, rune.value);
      at += rune.size;
    }
    out = make_string(arena_, valid);
    return true;
  }

  // --- collections ---

  bool decode_sequence(const Node& node, Value& out, std::uint32_t depth) {
    std::vector<Value> elements;
    elements.reserve(node.count);
    for (const Node* child = node.first; child != nullptr; child = child->next) {
      Value element;
      if (!decode(*child, element, depth + 1)) return false;
      if (element.defined()) elements.push_back(element);
    }
    out = make_array(arena_, elements);
    return true;
  }

  static bool is_merge(const Node& key, YamlSchema schema) {
    if (key.kind != Kind_::kScalar || key.text != "<<") return false;
    if (key.tag == kMergeTag) return true;
    if (schema == YamlSchema::kKubernetes) return key.implicit;
    return key.plain && (key.tag.empty() || key.tag == "!");
  }

  bool decode_mapping(const Node& node, Value& out, std::uint32_t depth, bool top) {
    std::vector<Member> members;
    if (schema_ == YamlSchema::kKubernetes) {
      if (!collect_in_order(node, members, depth)) return false;
    } else {
      bool usable = true;
      // Collected with the first to win, then turned round for make_object, where the last does.
      if (!collect_by_precedence(node, members, depth, top, usable)) return false;
      if (!usable) return true;
      std::reverse(members.begin(), members.end());
    }
    out = make_object(arena_, members);
    return true;
  }

  // v2: a merge key takes effect where it stands, over what came before it.
  bool collect_in_order(const Node& node, std::vector<Member>& members, std::uint32_t depth) {
    for (const Node* key = node.first; key != nullptr; key = key->next->next) {
      const Node& value = *key->next;
      if (is_merge(*key, schema_)) {
        const auto collect = [&](const Node& source) { return collect_in_order(source, members, depth + 1); };
        if (!merge(value, collect, true, depth)) return false;
        continue;
      }
      Member member;
      if (!decode_key(*key, member.key, depth) || !decode(value, member.value, depth + 1)) return false;
      members.push_back(member);
    }
    return true;
  }

  // v3: the mapping's own keys come first, then what it merges. `usable` turns false when go-yaml would leave the
  // mapping out (its errors are in type_errors_).
  bool collect_by_precedence(const Node& node, std::vector<Member>& members, std::uint32_t depth, bool top,
                             bool& usable) {
    if (schema_ == YamlSchema::kYaml12 && report_duplicates(node)) {
      usable = false;
      return true;
    }
    std::vector<Member> own;
    std::vector<const Node*> merges;
    for (const Node* key = node.first; key != nullptr; key = key->next->next) {
      const Node& value = *key->next;
      if (is_merge(*key, schema_)) {
        // A repeated merge key: yaml.v3 takes the last, OPA all of them.
        if (schema_ == YamlSchema::kYaml12) merges.clear();
        merges.push_back(&value);
        continue;
      }
      Member member;
      if (!(top ? decode_top_key(*key, member.key, depth) : decode_key(*key, member.key, depth))) return false;
      if (!decode(value, member.value, depth + 1)) return false;
      if (member.key.defined() && member.value.defined()) own.push_back(member);
    }
    members.insert(members.end(), own.rbegin(), own.rend());
    for (const Node* source : merges) {
      const auto collect = [&](const Node& mapping) {
        return collect_by_precedence(mapping, members, depth + 1, top, usable);
      };
      if (!merge(*source, collect, false, depth)) return false;
    }
    return true;
  }

  // Calls `collect` for each mapping that `value` stands for.
  template <typename Collect>
  bool merge(const Node& value, const Collect& collect, bool backwards, std::uint32_t depth) {
    static constexpr const char* kWantMap = "yaml: map merge requires map or sequence of maps as the value";
    const auto one = [&](const Node& source) {
      if (!count(source, depth + 1)) return false;
      if (source.kind == Kind_::kMapping) return collect(source);
      if (source.kind != Kind_::kAlias || source.target->kind != Kind_::kMapping) return fail(source, kWantMap);
      if (!enter_alias(source)) return false;
      const bool done = count(*source.target, depth + 1) && collect(*source.target);
      leave_alias(source);
      return done;
    };
    if (value.kind != Kind_::kSequence) {
      if (value.kind == Kind_::kScalar) return fail(value, kWantMap);
      return one(value);
    }
    std::vector<const Node*> sources;
    for (const Node* child = value.first; child != nullptr; child = child->next) sources.push_back(child);
    if (backwards) std::reverse(sources.begin(), sources.end());
    return std::all_of(sources.begin(), sources.end(), [&](const Node* source) { return one(*source); });
  }

  bool report_duplicates(const Node& node) {
    std::unordered_map<std::string_view, std::vector<const Node*>> seen;
    bool any = false;
    for (const Node* key = node.first; key != nullptr; key = key->next->next) {
      std::vector<const Node*>& same = seen[key->text];
      any = any || std::any_of(same.begin(), same.end(), [&](const Node* other) { return other->kind == key->kind; });
      same.push_back(key);
    }
    if (!any) return false;
    for (const Node* key = node.first; key != nullptr; key = key->next->next) {
      for (const Node* other : seen[key->text]) {
        if (other->kind != key->kind || !after(*other, *key)) continue;
        type_error(*other, "mapping key " + text::go_quote(other->text) + " already defined at line " +
                               std::to_string(key->line + 1));
        if (type_errors_.size() >= kMaxReported) return true;
      }
    }
    return true;
  }
  static bool after(const Node& a, const Node& b) { return a.line != b.line ? a.line > b.line : a.column > b.column; }

  // --- keys ---

  // A key as the string it becomes in JSON.
  bool decode_key(const Node& key, Value& out, std::uint32_t depth) {
    const Node* node = &key;
    if (!count(key, depth)) return false;
    if (node->kind == Kind_::kAlias) node = node->target;
    if (node->kind != Kind_::kScalar) {
      const char* go_type = node->kind == Kind_::kSequence       ? "[]interface {}"
                            : schema_ == YamlSchema::kKubernetes ? "map[interface {}]interface {}"
                                                                 : "map[string]interface {}";
      return fail(*node, std::string("yaml: invalid map key: ") + go_type + "{...}");
    }
    Scalar scalar;
    if (!resolve(*node, scalar)) return false;
    if (schema_ == YamlSchema::kYaml12 && scalar_tag(*node) != "!!str") {
      if (scalar.type == Scalar::Type::kBinary && !decode_binary(*node, out)) return false;
      out = key_string(node->text);
      return fail_later(*node, "json: unsupported type: map[interface {}]interface {}");
    }
    switch (scalar.type) {
      case Scalar::Type::kBool: out = key_string(scalar.boolean ? "true" : "false"); return true;
      case Scalar::Type::kInt: out = key_string(std::to_string(scalar.integer)); return true;
      case Scalar::Type::kFloat: out = key_string(yaml::key_double(scalar.real)); return true;
      case Scalar::Type::kUint:
        if (schema_ == YamlSchema::kOpa) {
          out = key_string(std::to_string(scalar.natural));
          return true;
        }
        out = key_string(node->text);
        return fail_later(*node, "unsupported map key of type: uint64, key: " + std::to_string(scalar.natural));
      case Scalar::Type::kNull:
        out = key_string(node->text);
        return fail_later(*node, "unsupported map key of type: %!s(<nil>), key: <nil>");
      case Scalar::Type::kTimestamp:
        out = key_string(node->text);
        if (schema_ != YamlSchema::kOpa || node->tag.empty()) return true;
        return fail_later(*node, "unsupported map key of type: time.Time, key: " + std::string(node->text));
      case Scalar::Type::kBinary: return decode_binary(*node, out);
      default: out = key_string(node->text); return true;
    }
  }

  // A key of the outermost mapping of a kYaml12 document: its text, whatever it would mean.
  bool decode_top_key(const Node& key, Value& out, std::uint32_t depth) {
    const Node* node = &key;
    if (!count(key, depth)) return false;
    if (node->kind == Kind_::kAlias) node = node->target;
    if (node->kind != Kind_::kScalar) {
      type_error(*node, cannot_unmarshal(*node, "string"));
      out = Value::undefined();
      return true;
    }
    Scalar scalar;
    if (!resolve(*node, scalar)) return false;
    if (scalar.type == Scalar::Type::kBinary) return decode_binary(*node, out);
    out = scalar.type == Scalar::Type::kNull ? Value::undefined() : key_string(node->text);
    return true;
  }

  Value key_string(std::string_view text) { return make_symbol_or_string(arena_, text); }

  Arena& arena_;
  const YamlSchema schema_;
  const ParseLimits& limits_;
  const yaml::ErrorStyle& style_;
  std::uint64_t decoded_ = 0;
  std::uint64_t from_aliases_ = 0;
  std::uint32_t alias_depth_ = 0;
  std::vector<const Node*> open_aliases_;
  std::vector<std::string> type_errors_;
  Place first_type_error_;
  bool unprintable_ = false;
  Error error_;
};

Error too_large(std::size_t size, const ParseLimits& limits) {
  return make_error(Code::kLimit, std::string(limits.source) + ": " + std::to_string(size) + " bytes, more than the " +
                                      std::to_string(limits.max_bytes) + " allowed");
}

Result<Document> decode_document(const Node* root, YamlSchema schema, const ParseLimits& limits,
                                 const yaml::ErrorStyle& style) {
  if (root == nullptr) return Document{};
  Arena arena(0, 1024);
  Decoder decoder(arena, schema, limits, style);
  PC_TRY(const Value value, decoder.decode_document(*root));
  return Document::adopt(std::move(arena), value);
}

Result<Document> parse_first(std::string_view text, YamlSchema schema, const ParseLimits& limits,
                             std::uint32_t first_line) {
  const yaml::ErrorStyle style{schema, limits.source, first_line};
  Arena nodes(0, 4096);
  yaml::Parser parser(text, limits, style);
  PC_TRY(const Node* const root, parser.next(nodes));
  if (schema == YamlSchema::kOpa) {
    for (const Node* more = root; more != nullptr;) {
      PC_TRY(more, parser.next(nodes));
    }
  }
  return decode_document(root, schema, limits, style);
}

// --- streams of manifests ---

bool is_separator(std::string_view line) { return text::starts_with(line, "---"); }

// What stands between lines that begin with "---"; a separator before anything else belongs to the first document.
struct Piece {
  std::string_view text;
  std::uint32_t line;
};

Result<std::vector<Piece>> split_manifests(std::string_view text, const ParseLimits& limits, std::uint32_t line) {
  std::vector<Piece> pieces;
  std::size_t start = 0;
  std::uint32_t start_line = line;
  for (std::size_t at = 0; at < text.size(); ++line) {
    const std::size_t newline = text.find('\n', at);
    const std::size_t end = newline == std::string_view::npos ? text.size() : newline + 1;
    const std::string_view current = text.substr(at, end - at);
    if (is_separator(current)) {
      const std::string_view rest = text::trim(current.substr(3));
      if (!rest.empty() && rest[0] != '#') {
        Error error = make_error(Code::kInvalid, "invalid Yaml document separator: " + std::string(rest));
        error.context.push_back(std::string(limits.source) + ":" + std::to_string(line) + ":1");
        return error;
      }
      if (at > start) {
        pieces.push_back({text.substr(start, at - start), start_line});
        start = end;
        start_line = line + 1;
      }
    }
    at = end;
  }
  if (start < text.size()) pieces.push_back({text.substr(start), start_line});
  return pieces;
}

std::string_view skip_white(std::string_view text) {
  const std::size_t at = text.find_first_not_of(" \t\r\n\v\f");
  return at == std::string_view::npos ? std::string_view() : text.substr(at);
}

std::uint32_t count_lines(std::string_view text) {
  return static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n'));
}

// JSON values one after the other. A failure within the first two leaves the text to the YAML reader (the decoder that
// kubectl uses is undecided until then); `rest` is what was not consumed.
Result<void> read_json_values(std::string_view text, const ParseLimits& limits, std::vector<YamlDocument>& out,
                              std::string_view& rest, Error& first_error) {
  rest = text;
  for (;;) {
    const std::string_view from = skip_white(rest);
    if (from.empty()) {
      rest = {};
      return ok();
    }
    std::size_t consumed = 0;
    Result<Document> document = Document::parse_json_prefix(from, consumed, limits);
    if (!document.ok()) {
      first_error = std::move(document).error();
      if (out.size() > 1 || first_error.code == Code::kLimit) return first_error;
      return ok();
    }
    const auto line = 1 + count_lines(text.substr(0, static_cast<std::size_t>(from.data() - text.data())));
    out.push_back({std::move(document).value(), line});
    rest = from.substr(consumed);
  }
}

Result<std::vector<YamlDocument>> read_manifests(std::string_view text, const ParseLimits& limits) {
  std::vector<YamlDocument> documents;
  std::string_view rest = text;
  Error json_error;
  bool json = false;
  if (text::starts_with(skip_white(text), "{")) {
    json = true;
    PC_TRY_VOID(read_json_values(text, limits, documents, rest, json_error));
    if (rest.empty()) return documents;
    const std::size_t newline = rest.find_first_not_of(" \t\r\v\f");
    if (newline != std::string_view::npos) rest.remove_prefix(newline + (rest[newline] == '\n' ? 1 : 0));
  }
  const auto line = 1 + count_lines(text.substr(0, static_cast<std::size_t>(rest.data() - text.data())));
  Result<std::vector<Piece>> pieces = split_manifests(rest, limits, line);
  if (!pieces.ok()) return json ? json_error : std::move(pieces).error();
  for (const Piece& piece : *pieces) {
    Result<Document> document = parse_first(piece.text, YamlSchema::kKubernetes, limits, piece.line);
    if (!document.ok()) {
      if (json && documents.empty()) return json_error;
      return std::move(document).error();
    }
    if (document->root().defined()) documents.push_back({std::move(document).value(), piece.line});
  }
  return documents;
}

}  // namespace

Result<Document> parse_yaml(std::string_view text, YamlSchema schema, const ParseLimits& limits) {
  if (text.size() > limits.max_bytes) return too_large(text.size(), limits);
  return parse_first(text, schema, limits, 1);
}

Result<std::vector<YamlDocument>> parse_yaml_stream(std::string_view text, YamlSchema schema,
                                                    const ParseLimits& limits) {
  if (text.size() > limits.max_bytes) return too_large(text.size(), limits);
  if (schema == YamlSchema::kKubernetes) return read_manifests(text, limits);
  const yaml::ErrorStyle style{schema, limits.source, 1};
  yaml::Parser parser(text, limits, style);
  std::vector<YamlDocument> documents;
  Arena nodes(0, 4096);  // of the whole stream: an alias may name an anchor of a document before
  for (;;) {
    PC_TRY(const Node* const root, parser.next(nodes));
    if (root == nullptr) return documents;
    const std::uint32_t line = root->line + 1;
    PC_TRY(Document document, decode_document(root, schema, limits, style));
    documents.push_back({std::move(document), line});
  }
}

}  // namespace portcullis
