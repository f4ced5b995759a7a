// uri.parse, uri.is_valid: URLs as Go's net/url reads them.
#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"
#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"
#include "engine/rego/builtins/go_url.h"

namespace portcullis::rego::builtins {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void add(BuiltinContext& c, std::vector<Member>& members, std::string_view name, std::string_view value) {
  if (!value.empty()) members.push_back({Value::string(name), make_string(c.arena, value)});
}

// Splits "host:port", "[v6]:port".
void add_host(BuiltinContext& c, std::vector<Member>& members, std::string_view host) {
  std::string_view name = host;
  const std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos &&
      std::all_of(host.begin() + static_cast<std::ptrdiff_t>(colon) + 1, host.end(), is_digit)) {
    name = host.substr(0, colon);
    add(c, members, "port", host.substr(colon + 1));
  }
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  add(c, members, "hostname", name);
}

Value parse(BuiltinContext& c, Args a) {
  const auto text = string_operand(c, a, 0);
  if (!text) return {};
  Url url;
  std::string error;
  if (!parse_url(*text, url, error)) return c.fail("parse " + text::go_quote(*text) + ": " + error);
  std::vector<Member> members;
  add(c, members, "scheme", url.scheme);
  add_host(c, members, url.host);
  add(c, members, "path", url.path);
  add(c, members, "raw_path", url.raw_path.empty() ? url.path : url.raw_path);
  add(c, members, "raw_query", url.raw_query);
  add(c, members, "fragment", url.fragment);
  return make_object(c.arena, members);
}

Value is_valid(BuiltinContext&, Args a) {
  Url url;
  std::string error;
  return Value::boolean(a[0].is_string() && a[0].size() > 0 && parse_url(a[0].as_string(), url, error));
}

constexpr BuiltinDecl kTable[] = {
    {"uri.parse", {"string"}, "object[string:string]", &parse},
    {"uri.is_valid", {"string"}, "boolean", &is_valid},
};

}  // namespace

std::span<const BuiltinDecl> uri_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
