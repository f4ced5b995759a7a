// providers.aws.sign_req, and the builtins that ask the host: http.send (http_send.cpp), net.lookup_ip_addr.
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "base/text.h"
#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"
#include "engine/rego/builtins/go_time.h"
#include "engine/rego/builtins/go_url.h"
#include "engine/rego/builtins/http_send.h"
#include "engine/rego/builtins/ip_net.h"
#include "engine/value/json.h"

namespace portcullis::rego::builtins {
namespace {

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) {
    out += "0123456789abcdef"[static_cast<unsigned char>(byte) >> 4];
    out += "0123456789abcdef"[static_cast<unsigned char>(byte) & 15u];
  }
  return out;
}

std::string sha256_hex(std::string_view text) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), out, &size, EVP_sha256(), nullptr);
  return hex({reinterpret_cast<const char*>(out), size});
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), out, &size);
  return {reinterpret_cast<const char*>(out), size};
}

constexpr std::string_view kAwsKeys[] = {"aws_access_key", "aws_region", "aws_secret_access_key", "aws_service"};

bool check_config(BuiltinContext& c, const Value& config) {
  std::vector<std::string_view> missing;
  std::vector<std::string_view> invalid;
  for (const std::string_view name : kAwsKeys) {
    const Value found = config.get(name);
    if (!found.defined()) missing.push_back(name);
    if (found.defined() && !found.is_string()) invalid.push_back(name);
  }
  if (!missing.empty()) {
    operand_error(c, 2, "missing required AWS config parameters(s): " + shown_names(c, missing));
    return false;
  }
  if (!invalid.empty()) {
    operand_error(c, 2, "invalid values for required AWS config parameters(s): " + shown_names(c, invalid));
    return false;
  }
  const Value unsigned_payload = config.get("disable_payload_signing");
  if (unsigned_payload.defined() && !unsigned_payload.is_bool()) {
    operand_error(c, 2, "invalid value for 'disable_payload_signing' in AWS config");
    return false;
  }
  return true;
}

std::string body_of(const Value& request) {
  const Value raw = request.get("raw_body");
  if (raw.defined()) return std::string(raw.is_string() ? raw.as_string() : std::string_view{});
  const Value body = request.get("body");
  return body.defined() ? to_json(body, {.escape_html = true}) : std::string();
}

struct Signing {
  std::string_view service;
  std::string_view region;
  std::string date;       // 20060102
  std::string timestamp;  // 20060102T150405Z
  std::string payload_hash;
  std::map<std::string, std::string> own_headers;
  std::map<std::string, std::string> headers;  // all that are signed, lower case
};

Signing prepare(const Value& request, const Value& config, const Url& url, std::int64_t ns) {
  Signing out;
  out.service = config.string_or("aws_service");
  out.region = config.string_or("aws_region");
  const std::int64_t seconds = ns / 1000000000 - (ns % 1000000000 < 0 ? 1 : 0);
  const CivilTime time = TimeZone().at(seconds, 0);
  out.date = format_time(time, "20060102");
  out.timestamp = format_time(time, "20060102T150405Z");
  out.payload_hash =
      config.get("disable_payload_signing").is_true() ? "UNSIGNED-PAYLOAD" : sha256_hex(body_of(request));
  out.own_headers = {{"host", url.host}, {"x-amz-date", out.timestamp}};
  if (out.service == "s3" || out.service == "glacier") out.own_headers["x-amz-content-sha256"] = out.payload_hash;
  const std::string_view token = config.string_or("aws_session_token");
  if (!token.empty()) out.own_headers["x-amz-security-token"] = token;
  out.headers = out.own_headers;
  const Value headers = request.get("headers");
  for (std::uint32_t i = 0; i < (headers.is_object() ? headers.size() : 0); ++i) {
    const Value& name = headers.keys()[i];
    const Value& value = headers.values()[i];
    const std::string lower = text::to_lower_ascii(name.is_string() ? name.as_string() : std::string_view{});
    if (lower == "authorization" || lower == "user-agent" || lower == "x-amzn-trace-id") continue;
    out.headers[lower] = value.is_string() ? value.as_string() : std::string_view{};
  }
  return out;
}

std::string authorization(const Signing& signing, const Value& request, const Value& config, const Url& url) {
  std::string names;
  std::string canonical =
      std::string(request.string_or("method")) + "\n" + url.escaped_path() + "\n" + url.raw_query + "\n";
  for (const auto& [name, value] : signing.headers) {
    canonical += name + ":" + value + "\n";
    names += (names.empty() ? "" : ";") + name;
  }
  canonical += "\n" + names + "\n" + signing.payload_hash;
  const std::string scope =
      signing.date + "/" + std::string(signing.region) + "/" + std::string(signing.service) + "/aws4_request";
  const std::string to_sign = "AWS4-HMAC-SHA256\n" + signing.timestamp + "\n" + scope + "\n" + sha256_hex(canonical);
  std::string key = hmac_sha256("AWS4" + std::string(config.string_or("aws_secret_access_key")), signing.date);
  key = hmac_sha256(key, signing.region);
  key = hmac_sha256(key, signing.service);
  key = hmac_sha256(key, "aws4_request");
  return "AWS4-HMAC-SHA256 Credential=" + std::string(config.string_or("aws_access_key")) + "/" + scope +
         ",SignedHeaders=" + names + ",Signature=" + hex(hmac_sha256(key, to_sign));
}

Value sign_request(BuiltinContext& c, Args a) {
  if (!object_operand(c, a, 0)) return {};
  if (!a[1].is_object()) return c.fail_operand(1, "object", a[1]);
  if (!check_config(c, a[1])) return {};
  if (!a[2].is_number()) return c.fail_operand(1, "number", a[2]);
  const auto ns = plain_int(a[2]);
  if (!ns) return operand_error(c, 3, "could not convert time_ns value into a unix timestamp");
  if (!check_http_request(c, a[0], true)) return {};
  const Value headers = a[0].get("headers");
  if (headers.defined() && !headers.is_object()) return c.fail_operand(0, "object", headers);
  Url url;
  std::string error;
  if (!parse_url(a[0].string_or("url"), url, error)) {
    return c.fail("parse " + text::go_quote(a[0].string_or("url")) + ": " + error);
  }
  const Signing signing = prepare(a[0], a[1], url, *ns);
  std::vector<Member> out;
  for (std::uint32_t i = 0; i < (headers.defined() ? headers.size() : 0); ++i) {
    const Value& value = headers.values()[i];
    out.push_back({headers.keys()[i], value.is_string() ? value : Value::string("")});
  }
  out.push_back({Value::string("Authorization"), make_string(c.arena, authorization(signing, a[0], a[1], url))});
  for (const auto& [name, value] : signing.own_headers) {
    out.push_back({make_string(c.arena, name), make_string(c.arena, value)});
  }
  return with_member(c.arena, a[0], Value::string("headers"), make_object(c.arena, out));
}

Value ask_host(BuiltinContext& c, std::string_view name, Args a) {
  std::string error;
  const Value out = c.host.call_out(name, c.arena, a, error);
  return error.empty() ? out : c.fail(std::move(error));
}

Value lookup_ip_addr(BuiltinContext& c, Args a) {
  const auto name = string_operand(c, a, 0);
  if (!name) return {};
  if (const auto ip = parse_ip(*name)) {  // an address is its own answer
    const Value text = make_string(c.arena, ip->text());
    return make_set(c.arena, {&text, 1});
  }
  return ask_host(c, "net.lookup_ip_addr", a);
}

constexpr BuiltinDecl kTable[] = {
    {"providers.aws.sign_req",
     {"object[string:any]", "object[string:any]", "number"},
     "object[any:any]",
     &sign_request},
    {"http.send", {"object[string:any]"}, "object[any:any]", &http_send, kNondeterministic},
    {"net.lookup_ip_addr", {"string"}, "set[string]", &lookup_ip_addr, kNondeterministic},
};

}  // namespace

std::span<const BuiltinDecl> provider_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
