#include "engine/rego/builtins/http_send.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>

#include "base/go_duration.h"
#include "base/text.h"
#include "engine/rego/builtins/go_time.h"
#include "engine/value/document.h"
#include "engine/value/json.h"
#include "engine/value/number.h"
#include "engine/value/yaml.h"

namespace portcullis::rego::builtins {
namespace {

constexpr std::int64_t kDefaultTimeoutNs = 5'000'000'000;

constexpr std::string_view kRequestKeys[] = {"method",
                                             "url",
                                             "body",
                                             "enable_redirect",
                                             "force_json_decode",
                                             "force_yaml_decode",
                                             "headers",
                                             "raw_body",
                                             "tls_use_system_certs",
                                             "tls_ca_cert",
                                             "tls_ca_cert_file",
                                             "tls_ca_cert_env_variable",
                                             "tls_client_cert",
                                             "tls_client_cert_file",
                                             "tls_client_cert_env_variable",
                                             "tls_client_key",
                                             "tls_client_key_file",
                                             "tls_client_key_env_variable",
                                             "tls_insecure_skip_verify",
                                             "tls_server_name",
                                             "timeout",
                                             "cache",
                                             "force_cache",
                                             "force_cache_duration_seconds",
                                             "raise_error",
                                             "caching_mode",
                                             "max_retry_attempts",
                                             "cache_ignored_headers"};

constexpr std::string_view kTextKeys[] = {"method",
                                          "url",
                                          "raw_body",
                                          "tls_ca_cert",
                                          "tls_ca_cert_file",
                                          "tls_ca_cert_env_variable",
                                          "tls_client_cert",
                                          "tls_client_cert_file",
                                          "tls_client_cert_env_variable",
                                          "tls_client_key",
                                          "tls_client_key_file",
                                          "tls_client_key_env_variable",
                                          "tls_server_name"};

// A request as the host gets it, under construction. The first thing wrong stays in `error`.
struct Request {
  BuiltinContext& c;
  const Value& given;
  std::vector<Member> out;
  std::string error;

  void put(std::string_view key, const Value& value) { out.push_back({Value::string(key), value}); }
  void fail(std::string what) {
    if (error.empty()) error = std::move(what);
  }
};

// What Go's ParseBool takes of the text of a value: true, false, 1, 0. A string's text has its quotes, which it
// refuses.
std::optional<bool> as_flag(const Value& value) {
  const std::string text = value.is_string() ? std::string() : to_json(value);
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return std::nullopt;
}

bool flag(Request& r, std::string_view key) {
  const Value value = r.given.get(key);
  if (!value.defined()) return false;
  const std::optional<bool> out = as_flag(value);
  if (!out) r.fail("strconv.ParseBool: parsing " + text::go_quote(to_rego(value)) + ": invalid syntax");
  return out.value_or(false);
}

// Options that must be booleans proper.
bool strict_flag(Request& r, std::string_view key) {
  const Value value = r.given.get(key);
  if (!value.defined()) return false;
  if (!value.is_bool()) r.fail("invalid value for " + text::go_quote(key) + " field");
  return value.is_true();
}

void read_texts(Request& r) {
  for (const std::string_view key : kTextKeys) {
    const Value value = r.given.get(key);
    if (!value.defined()) continue;
    if (!value.is_string()) return r.fail(text::go_quote(key) + " must be a string");
    if (key == "method") {
      std::string upper(value.as_string());
      for (char& each : upper) each = each >= 'a' && each <= 'z' ? static_cast<char>(each - 32) : each;
      r.put(key, make_string(r.c.arena, upper));
    } else if (key != "raw_body") {
      r.put(key, value);
    }
  }
}

// Content-Type of content-type: as Go writes header names.
std::string canonical(std::string_view name) {
  std::string out(name);
  bool start = true;
  for (char& each : out) {
    const bool lower = each >= 'a' && each <= 'z';
    const bool upper = each >= 'A' && each <= 'Z';
    if (start && lower) each = static_cast<char>(each - 32);
    if (!start && upper) each = static_cast<char>(each + 32);
    start = each == '-';
  }
  return out;
}

void read_headers(Request& r) {
  const Value headers = r.given.get("headers");
  if (!headers.defined()) return;
  if (!headers.is_object()) return r.fail("invalid type for headers key");
  std::vector<Member> out;
  for (std::uint32_t i = 0; i < headers.size(); ++i) {
    const Value& name = headers.keys()[i];
    const Value& value = headers.values()[i];
    if (!value.is_string()) return r.fail("invalid type for headers value " + text::go_quote(to_json(value)));
    if (!name.is_string()) continue;
    out.push_back({make_string(r.c.arena, canonical(name.as_string())), value});
  }
  r.put("headers", make_object(r.c.arena, out));
}

void read_body(Request& r) {
  const Value raw = r.given.get("raw_body");
  const Value body = r.given.get("body");
  if (raw.is_string()) {
    r.put("body", raw);
  } else if (body.defined()) {
    r.put("body", make_string(r.c.arena, to_json(body, {.escape_html = true})));
  }
}

void read_timeout(Request& r) {
  std::int64_t timeout = kDefaultTimeoutNs;
  const Value value = r.given.get("timeout");
  if (value.is_number()) {
    const auto number = plain_int(value);
    if (!number) return r.fail("invalid timeout number value " + to_rego(value) + ", must be int64");
    timeout = *number;
  } else if (value.is_string()) {
    std::string why;
    const std::string_view text = value.as_string();
    const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
    const auto duration =
        digits ? std::optional<std::chrono::nanoseconds>() : parse_go_duration(text, &why, GoDurationUnits::kUpToYear);
    if (digits) {
      timeout = plain_int(make_number(r.c.arena, text)).value_or(kDefaultTimeoutNs);
    } else if (duration) {
      timeout = duration->count();
    } else {
      return r.fail("invalid timeout value " + to_rego(value) + ": " + why);
    }
  } else if (value.defined()) {
    return r.fail("operand 1 'timeout' must be one of {string, number} but got " +
                  std::string(kind_name(value.kind())));
  }
  r.put("timeout_ns", Value::integer(timeout));
  if (r.c.deadline.is_never()) return;
  const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(r.c.deadline.remaining()).count();
  r.put("deadline_ns", Value::integer(left));
}

void read_retries(Request& r) {
  const Value value = r.given.get("max_retry_attempts");
  if (!value.defined()) return;
  const auto number = value.is_number() ? plain_int(value) : std::nullopt;
  if (!number || *number < 0) return r.fail("invalid value " + to_rego(value) + " for field \"max_retry_attempts\"");
  r.put("retries", Value::integer(*number));
}

// The options of caching. Within one evaluation a request is sent once whatever they say; what they ask for beyond it
// needs a host that lives on.
void read_caching(Request& r) {
  strict_flag(r, "cache");
  if (strict_flag(r, "force_cache")) {
    const Value seconds = r.given.get("force_cache_duration_seconds");
    if (!seconds.defined()) {
      r.fail("'force_cache' set but 'force_cache_duration_seconds' parameter is missing");
    } else if (!seconds.is_integer() || seconds.as_integer() > std::numeric_limits<std::int32_t>::max()) {
      r.fail("strconv.ParseInt: parsing " + text::go_quote(to_rego(seconds)) + ": invalid syntax");
    }
  }
}

// What makes two requests the same: all that is said, but for the headers that are said not to matter.
void read_key(Request& r) {
  Value key = r.given;
  const Value ignored = r.given.get("cache_ignored_headers");
  const Value headers = r.given.get("headers");
  if (ignored.defined() && headers.is_object()) {
    std::vector<Member> kept;
    const bool texts = ignored.is_array() && std::all_of(ignored.elements().begin(), ignored.elements().end(),
                                                         [](const Value& each) { return each.is_string(); });
    if (!texts) return r.fail("cache_ignored_headers must be an array of strings");
    for (std::uint32_t i = 0; i < headers.size(); ++i) {
      const auto same = [&](const Value& each) { return equal(each, headers.keys()[i]); };
      if (std::none_of(ignored.elements().begin(), ignored.elements().end(), same)) {
        kept.push_back({headers.keys()[i], headers.values()[i]});
      }
    }
    key = with_member(r.c.arena, key, Value::string("headers"), make_object(r.c.arena, kept));
  }
  key = with_member(r.c.arena, key, Value::string("cache_ignored_headers"), Value::null());
  r.put("key", make_string(r.c.arena, to_json(key)));
}

bool is_json_type(std::string_view type) {
  type = text::trim(type.substr(0, type.find(';')));
  if (!type.starts_with("application/")) return false;
  type.remove_prefix(12);
  return type == "json" || type.ends_with("+json");
}

Value body_value(BuiltinContext& c, const Value& request, const Value& answer) {
  const Value types = answer.path({"headers", "content-type"});
  const std::string_view type =
      types.size() > 0 && types.is_array() ? types.elements()[0].as_string() : std::string_view();
  const std::string_view raw = answer.string_or("raw_body");
  Result<Value> out = Value::null();
  if (request.get("force_json_decode").is_true() || is_json_type(type)) {
    out = parse_json_into(c.arena, raw);
  } else if (request.get("force_yaml_decode").is_true() || type.find("application/yaml") != std::string_view::npos ||
             type.find("application/x-yaml") != std::string_view::npos) {
    const Result<Document> document = parse_yaml(raw, YamlSchema::kOpa);
    if (document.ok() && document->root().defined()) out = deep_copy(c.arena, document->root());
  }
  return out.ok() ? *out : Value::null();
}

// What a policy that asked not to fail gets.
Value error_answer(BuiltinContext& c, std::string_view code, std::string_view message) {
  const Member error[] = {{Value::string("code"), Value::string(code)},
                          {Value::string("message"), make_string(c.arena, message)}};
  const Member members[] = {{Value::string("status_code"), Value::integer(0)},
                            {Value::string("error"), make_object(c.arena, error)}};
  return make_object(c.arena, members);
}

Value send(BuiltinContext& c, const Value& request, std::string& error, std::string& raised, bool& network) {
  Request r{c, request, {}, {}};
  read_key(r);
  read_caching(r);
  read_texts(r);
  read_headers(r);
  read_body(r);
  read_timeout(r);
  read_retries(r);
  r.put("redirects", Value::boolean(flag(r, "enable_redirect")));
  r.put("tls_use_system_certs", Value::boolean(flag(r, "tls_use_system_certs")));
  r.put("tls_insecure_skip_verify", Value::boolean(flag(r, "tls_insecure_skip_verify")));
  strict_flag(r, "force_json_decode");
  strict_flag(r, "force_yaml_decode");
  error = r.error;
  if (!error.empty()) return {};
  const Value sent = make_object(c.arena, r.out);
  const Value answer = c.host.call_out("http.send", c.arena, {&sent, 1}, error);
  if (!error.empty()) return {};
  const Value failure = answer.get("network_error");
  if (failure.is_string()) {
    error = failure.as_string();
    raised = std::string(answer.string_or("raised", error));
    network = true;
    return {};
  }
  return with_member(c.arena, answer, Value::string("body"), body_value(c, request, answer));
}

}  // namespace

bool check_http_request(BuiltinContext& c, const Value& request, bool texts_checked) {
  std::vector<std::string_view> unknown;
  for (const Value& key : request.keys()) {
    const bool known = key.is_string() && std::find(std::begin(kRequestKeys), std::end(kRequestKeys),
                                                    key.as_string()) != std::end(kRequestKeys);
    if (!known) unknown.push_back(key.is_string() ? key.as_string() : std::string_view("?"));
  }
  if (!unknown.empty()) {
    operand_error(c, 1, "invalid request parameters(s): " + shown_names(c, unknown));
    return false;
  }
  std::vector<std::string_view> missing;
  std::vector<std::string_view> invalid;
  for (const std::string_view name : {std::string_view("method"), std::string_view("url")}) {
    if (!request.get(name).defined()) missing.push_back(name);
    if (texts_checked && request.get(name).defined() && !request.get(name).is_string()) invalid.push_back(name);
  }
  if (!missing.empty()) {
    operand_error(c, 1, "missing required request parameters(s): " + shown_names(c, missing));
    return false;
  }
  if (!invalid.empty()) {
    operand_error(c, 1, "invalid values for required request parameters(s): " + shown_names(c, invalid));
    return false;
  }
  return true;
}

std::string shown_names(BuiltinContext& c, const std::vector<std::string_view>& names) {
  std::vector<Value> values;
  for (const std::string_view name : names) values.push_back(Value::string(name));
  return to_rego(make_set(c.arena, values));
}

Value http_send(BuiltinContext& c, Args a) {
  if (!object_operand(c, a, 0)) return {};
  const Value raise = a[0].get("raise_error");
  if (raise.defined() && !raise.is_bool()) return c.fail("invalid value for raise_error field");
  const bool raises = !raise.is_false();
  std::string error;
  std::string raised;  // where an error that is raised reads otherwise
  bool network = false;
  Value out;
  if (check_http_request(c, a[0], false)) {
    out = send(c, a[0], error, raised, network);
  } else if (!raises) {
    error = "eval_type_error: http.send: " + c.error;
    c.error.clear();
    c.error_is_type = false;
  } else {
    return {};
  }
  if (c.over_budget()) return c.abort("http.send: timed out (context deadline exceeded)");
  if (error.empty()) return out;
  if (raises) return c.fail(raised.empty() ? std::move(error) : std::move(raised));
  return error_answer(c, network ? "eval_http_send_network_error" : "eval_http_send_internal_error", error);
}

}  // namespace portcullis::rego::builtins
