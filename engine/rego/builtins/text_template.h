// Go's text/template over Rego values, as strings.render_template uses it: actions, pipelines, variables, if, range,
// with, break, continue, define, block, template, comments, trimming, and its predefined functions but "call".
// Threads: one at a time. Ownership: a parsed template points into its text.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/rego/builtins/work_limit.h"
#include "engine/value/value.h"

namespace portcullis::rego::builtins {

// What a pipeline works on. Numbers of the data are texts to Go's templates (json.Number); numbers written in a
// template or counted by it are numbers.
struct TemplateValue {
  Value value;  // undefined: Go's "no value"
  bool counted = false;

  bool is_text() const noexcept { return value.is_string() || (value.is_number() && !counted); }
  bool truthy() const noexcept;
};

struct TemplatePipe;

struct TemplateOperand {
  enum class Kind : std::uint8_t { kDot, kNil, kConstant, kVariable, kFunction, kPipe } kind = Kind::kDot;
  TemplateValue constant;
  std::string_view name;  // of a variable or function
  std::unique_ptr<TemplatePipe> pipe;
  std::vector<std::string_view> fields;  // .a.b after it
};

struct TemplateCommand {
  std::vector<TemplateOperand> operands;
};

struct TemplatePipe {
  std::vector<std::string_view> variables;
  bool assigns = false;  // "=" rather than ":="
  std::vector<TemplateCommand> commands;
};

struct TemplateNode {
  enum class Kind : std::uint8_t {
    kText,
    kAction,
    kIf,
    kRange,
    kWith,
    kTemplate,
    kBreak,
    kContinue
  } kind = Kind::kText;
  std::string_view text;  // or the name of a template
  std::unique_ptr<TemplatePipe> pipe;
  std::vector<TemplateNode> body;
  std::vector<TemplateNode> otherwise;
};

struct Template {
  std::vector<TemplateNode> root;
  std::map<std::string, std::vector<TemplateNode>, std::less<>> defined;
};

// Errors: kInvalid "template: template:<line>: …". Constants live in `arena`.
Result<Template> parse_template(Arena& arena, std::string_view text);
bool is_template_function(std::string_view name);

// Errors: kInvalid as above, kLimit when the work is exhausted or the output too long.
Result<std::string> execute_template(BuiltinContext& context, const Template& parsed, const Value& data,
                                     WorkLimit& work);

// The most that a template may print, and the most that one of its functions may make.
inline constexpr std::size_t kMaxTemplateOutput = std::size_t{16} << 20;

// The result of a predefined function on evaluated arguments (not "and" and "or", which stop early). Errors: kInvalid;
// any where `work` is exhausted.
Result<TemplateValue> call_template_function(BuiltinContext& context, std::string_view name,
                                             const std::vector<TemplateValue>& arguments, WorkLimit& work);
// As Go's fmt prints a value: map[a:1 b:[2 3]].
void append_go_text(std::string& out, const TemplateValue& value);

}  // namespace portcullis::rego::builtins
