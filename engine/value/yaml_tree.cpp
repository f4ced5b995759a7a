// libyaml events to nodes. libyaml is the library that go-yaml was translated from, so it takes and refuses the same
// texts with the same words.
#include "engine/value/yaml_tree.h"

#include <yaml.h>

#include <unordered_map>
#include <vector>

namespace portcullis::yaml {

Error error_at(const ErrorStyle& style, Code code, const std::string& message, std::uint32_t line,
               std::uint32_t column) {
  Error error = make_error(code, message);
  error.context.push_back(std::string(style.source) + ":" + std::to_string(style.first_line + line) + ":" +
                          std::to_string(column + 1));
  return error;
}

struct Parser::State {
  State(std::string_view input, const ParseLimits& parse_limits, const ErrorStyle& error_style)
      : text(input.empty() ? std::string_view("\n") : input), limits(parse_limits), style(error_style) {
    ready = yaml_parser_initialize(&parser) != 0;
    if (!ready) return;
    yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  ~State() {
    if (ready) yaml_parser_delete(&parser);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Error syntax_error() const { return error_of(parser); }
  Error error_of(const yaml_parser_t& failed) const;
  Error earliest_error() const;
  Result<Node*> read_document(Arena& arena);
  Result<Node*> make_node(Arena& arena, const yaml_event_t& event);

  std::string_view text;
  const ParseLimits& limits;
  const ErrorStyle& style;
  yaml_parser_t parser{};
  bool ready = false;
  bool ended = false;
  std::unordered_map<std::string, Node*> anchors;
};

namespace {

class Event {
 public:
  Event() = default;
  ~Event() { yaml_event_delete(&event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  yaml_event_t* get() { return &event_; }
  const yaml_event_t* operator->() const { return &event_; }
  const yaml_event_t& operator*() const { return event_; }

 private:
  yaml_event_t event_{};
};

std::string_view view(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}

void append_child(Node& parent, Node* child) {
  if (parent.last == nullptr)
    parent.first = child;
  else
    parent.last->next = child;
  parent.last = child;
  ++parent.count;
}

}  // namespace

// Which mark go-yaml prints: v2 the problem's, v3 the context's, each falling back to the other while on line 0; the
// number is 0-based except for the scanner's own errors.
Error Parser::State::error_of(const yaml_parser_t& failed) const {
  const bool scanner = failed.error == YAML_SCANNER_ERROR;
  const std::size_t problem = failed.problem_mark.line;
  const std::size_t context = failed.context_mark.line;
  std::size_t line = 0;
  if (style.schema == YamlSchema::kKubernetes) {
    if (problem != 0)
      line = problem + (scanner ? 1 : 0);
    else if (context != 0)
      line = context;
  } else {
    line = context != 0 ? context : problem;
    if (line != 0 && scanner) ++line;
  }
  std::string message = "yaml: ";
  if (line != 0) message += "line " + std::to_string(line) + ": ";
  message += failed.problem != nullptr ? failed.problem : "unknown problem parsing YAML content";
  const bool marked = failed.problem_mark.line != 0 || failed.problem_mark.column != 0;
  const yaml_mark_t& mark = marked ? failed.problem_mark : failed.context_mark;
  const Code code = failed.error == YAML_MEMORY_ERROR ? Code::kLimit : Code::kInvalid;
  return error_at(style, code, message, static_cast<std::uint32_t>(mark.line), static_cast<std::uint32_t>(mark.column));
}

// yaml.v3 scans two tokens past the one it parses, so that a mistake in those is what it tells. Here the tokens are
// scanned once more to find it.
Error Parser::State::earliest_error() const {
  if (style.schema == YamlSchema::kKubernetes || parser.error != YAML_PARSER_ERROR) return syntax_error();
  yaml_parser_t scanner{};
  if (yaml_parser_initialize(&scanner) == 0) return syntax_error();
  yaml_parser_set_input_string(&scanner, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  Error error;
  bool found = false;
  for (std::size_t left = parser.tokens_parsed + 3; left != 0 && !found; --left) {
    yaml_token_t token{};
    if (yaml_parser_scan(&scanner, &token) == 0) {
      error = error_of(scanner);
      found = true;
    } else if (token.type == YAML_STREAM_END_TOKEN) {
      left = 1;
    }
    yaml_token_delete(&token);
  }
  yaml_parser_delete(&scanner);
  return found ? error : syntax_error();
}

Result<Node*> Parser::State::make_node(Arena& arena, const yaml_event_t& event) {
  Node* node = new (arena.allocate(sizeof(Node), alignof(Node))) Node;
  node->line = static_cast<std::uint32_t>(event.start_mark.line);
  node->column = static_cast<std::uint32_t>(event.start_mark.column);
  std::string_view anchor;
  switch (event.type) {
    case YAML_SCALAR_EVENT: {
      const auto& scalar = event.data.scalar;
      node->kind = Node::Kind::kScalar;
      node->plain = scalar.style == YAML_PLAIN_SCALAR_STYLE;
      node->implicit = scalar.plain_implicit != 0;
      node->tag = arena.copy(view(scalar.tag));
      node->text = arena.copy({reinterpret_cast<const char*>(scalar.value), scalar.length});
      anchor = view(scalar.anchor);
      break;
    }
    case YAML_SEQUENCE_START_EVENT:
      node->kind = Node::Kind::kSequence;
      node->tag = arena.copy(view(event.data.sequence_start.tag));
      anchor = view(event.data.sequence_start.anchor);
      break;
    case YAML_MAPPING_START_EVENT:
      node->kind = Node::Kind::kMapping;
      node->tag = arena.copy(view(event.data.mapping_start.tag));
      anchor = view(event.data.mapping_start.anchor);
      break;
    default: {
      node->kind = Node::Kind::kAlias;
      node->text = arena.copy(view(event.data.alias.anchor));
      const auto found = anchors.find(std::string(node->text));
      if (found == anchors.end()) {
        return error_at(style, Code::kInvalid, "yaml: unknown anchor '" + std::string(node->text) + "' referenced",
                        node->line, node->column);
      }
      node->target = found->second;
    }
  }
  if (!anchor.empty()) anchors[std::string(anchor)] = node;
  return node;
}

Result<Node*> Parser::State::read_document(Arena& arena) {
  Node* root = nullptr;
  std::vector<Node*> open;
  for (;;) {
    Event event;
    if (yaml_parser_parse(&parser, event.get()) == 0) return earliest_error();
    switch (event->type) {
      case YAML_STREAM_START_EVENT:
      case YAML_DOCUMENT_START_EVENT: continue;
      case YAML_DOCUMENT_END_EVENT: return root;
      case YAML_STREAM_END_EVENT:
      case YAML_NO_EVENT: ended = true; return root;
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT: open.pop_back(); continue;
      default: break;
    }
    PC_TRY(Node* const node, make_node(arena, *event));
    if (open.empty())
      root = node;
    else
      append_child(*open.back(), node);
    if (node->kind != Node::Kind::kSequence && node->kind != Node::Kind::kMapping) continue;
    if (open.size() >= limits.max_depth) {
      return error_at(style, Code::kLimit, "yaml: exceeded max depth of " + std::to_string(limits.max_depth),
                      node->line, node->column);
    }
    open.push_back(node);
  }
}

Parser::Parser(std::string_view text, const ParseLimits& limits, const ErrorStyle& style)
    : state_(std::make_unique<State>(text, limits, style)) {}
Parser::~Parser() = default;

Result<Node*> Parser::next(Arena& arena) {
  if (!state_->ready) return make_error(Code::kLimit, "yaml: out of memory");
  if (state_->ended) return static_cast<Node*>(nullptr);
  // v2 forgets anchors at the end of a document, v3 keeps them for the stream.
  if (state_->style.schema == YamlSchema::kKubernetes) state_->anchors.clear();
  Result<Node*> document = state_->read_document(arena);
  if (!document.ok()) state_->ended = true;
  return document;
}

}  // namespace portcullis::yaml
