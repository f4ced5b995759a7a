// io.jwt.*: decoding, verifying and signing JSON Web Tokens.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "engine/rego/builtins/base64.h"
#include "engine/rego/builtins/common.h"
#include "engine/rego/builtins/families.h"
#include "engine/rego/builtins/jose_keys.h"
#include "engine/value/document.h"
#include "engine/value/json.h"
#include "engine/value/number.h"

namespace portcullis::rego::builtins {
namespace {

constexpr int kMaxNesting = 32;

struct Token {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signed_part;  // header.payload
};

std::optional<Token> split_token(BuiltinContext& c, std::string_view text) {
  const auto dots = static_cast<std::size_t>(std::count(text.begin(), text.end(), '.'));
  if (dots == 0) {
    c.fail("encoded JWT had no period separators");
    return std::nullopt;
  }
  if (dots != 2) {
    c.fail("encoded JWT must have 3 sections, found " + std::to_string(dots + 1));
    return std::nullopt;
  }
  const std::size_t first = text.find('.');
  const std::size_t second = text.find('.', first + 1);
  return Token{text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1),
               text.substr(0, second)};
}

// The text of a part; undefined: the error is recorded with `what` in front.
Value decoded_part(BuiltinContext& c, std::string_view part, std::string_view what) {
  std::string error;
  const auto out = from_base64url(part, error);
  return out ? make_string(c.arena, *out) : c.fail(std::string(what) + error);
}

Value json_object(BuiltinContext& c, const Value& text, std::string_view what) {
  Result<Value> out = parse_json_into(c.arena, text.as_string());
  if (!out.ok()) return c.fail(std::string(what) + "invalid JSON: " + out.error().message);
  if (!out->is_object()) return c.fail(std::string(what) + "decoded JSON type was not an Object");
  return *out;
}

Value decode_header(BuiltinContext& c, const Token& token) {
  const Value text = decoded_part(c, token.header, "JWT header had invalid encoding: ");
  if (!text.defined()) return text;
  const Value header = json_object(c, text, "bad JWT header: ");
  if (header.defined() && header.get("enc").defined()) return c.fail("JWT is a JWE object, which is not supported");
  return header;
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) {
    out += "0123456789abcdef"[static_cast<unsigned char>(byte) >> 4];
    out += "0123456789abcdef"[static_cast<unsigned char>(byte) & 15u];
  }
  return out;
}

Value decode(BuiltinContext& c, Args a) {
  const auto argument = string_operand(c, a, 0);
  if (!argument) return {};
  std::string_view text = *argument;
  for (int level = 0; level < kMaxNesting; ++level) {
    const auto token = split_token(c, text);
    if (!token) return {};
    const Value header = decode_header(c, *token);
    if (!header.defined()) return {};
    const Value payload_text = decoded_part(c, token->payload, "JWT payload had invalid encoding: ");
    if (!payload_text.defined()) return {};
    if (header.string_or("cty") == "JWT") {
      // The token inside stands in quotes.
      text = payload_text.as_string();
      while (!text.empty() && (text.front() == '"' || text.front() == '\'')) text.remove_prefix(1);
      while (!text.empty() && (text.back() == '"' || text.back() == '\'')) text.remove_suffix(1);
      continue;
    }
    const Value payload = json_object(c, payload_text, "");
    if (!payload.defined()) return {};
    const Value signature = decoded_part(c, token->signature, "JWT signature had invalid encoding: ");
    if (!signature.defined()) return {};
    const Value parts[] = {header, payload, make_string(c.arena, hex(signature.as_string()))};
    return make_array(c.arena, parts);
  }
  return c.fail("JWT is nested too deeply");
}

// What a header says that matters; "crit" must name nothing unknown.
struct Header {
  std::string_view alg;
  std::string_view kid;
  std::string_view cty;
  bool valid = true;
};

std::optional<Header> parse_header(BuiltinContext& c, const Value& object) {
  Header out;
  std::set<std::string_view> critical;
  std::vector<std::string_view> unknown;
  for (std::uint32_t i = 0; i < object.size(); ++i) {
    const std::string_view name = object.keys()[i].as_string();
    const Value& value = object.values()[i];
    if (name == "crit") {
      if (!value.is_array()) {
        c.fail("crit: must be a list");
        return std::nullopt;
      }
      for (const Value& element : value.elements()) {
        if (!element.is_string()) break;
        critical.insert(element.as_string());
      }
      if (critical.empty()) {
        c.fail("crit: must be a nonempty list");
        return std::nullopt;
      }
      continue;
    }
    if (name != "alg" && name != "kid" && name != "typ" && name != "cty") {
      unknown.push_back(name);
      continue;
    }
    if (!value.is_string()) {
      c.fail(std::string(name) + ": must be a string");
      return std::nullopt;
    }
    if (name == "alg") out.alg = value.as_string();
    if (name == "kid") out.kid = value.as_string();
    if (name == "cty") out.cty = value.as_string();
  }
  out.valid = !out.alg.empty();
  for (const std::string_view name : unknown) out.valid = out.valid && !critical.contains(name);
  return out;
}

// The key with the token's kid alone, else any whose own algorithm does not contradict.
bool verify_with(const std::vector<Key>& keys, const Header& header, const Algorithm& algorithm, const Token& token,
                 std::string_view signature) {
  if (!header.kid.empty()) {
    for (const Key& key : keys) {
      if (key.kid == header.kid) return verify_signature(algorithm, key, token.signed_part, signature);
    }
  }
  for (const Key& key : keys) {
    if (!key.alg.empty() && key.alg != header.alg) continue;
    if (verify_signature(algorithm, key, token.signed_part, signature)) return true;
  }
  return false;
}

Value verify_asymmetric(BuiltinContext& c, Args a, const Algorithm& algorithm) {
  const auto text = string_operand(c, a, 0);
  if (!text) return {};
  const auto token = split_token(c, *text);
  if (!token) return {};
  const auto key_text = string_operand(c, a, 1);
  if (!key_text) return {};
  const auto keys = parse_verification_keys(*key_text);
  if (!keys.ok()) return c.fail(keys.error().message);
  const Value signature = decoded_part(c, token->signature, "");
  if (!signature.defined()) return {};
  const Value header_object = decode_header(c, *token);
  if (!header_object.defined()) return {};
  const auto header = parse_header(c, header_object);
  if (!header) return {};
  return Value::boolean(verify_with(*keys, *header, algorithm, *token, signature.as_string()));
}

Value verify_secret(BuiltinContext& c, Args a, const Algorithm& algorithm) {
  const auto text = string_operand(c, a, 0);
  if (!text) return {};
  const auto secret = string_operand(c, a, 1);
  if (!secret) return {};
  const auto token = split_token(c, *text);
  if (!token) return {};
  const Value signature = decoded_part(c, token->signature, "");
  if (!signature.defined()) return {};
  const Key key{{}, {}, nullptr, std::string(*secret)};
  return Value::boolean(verify_signature(algorithm, key, token->signed_part, signature.as_string()));
}

enum class Verify : std::uint8_t {
  kHs256,
  kHs384,
  kHs512,
  kRs256,
  kRs384,
  kRs512,
  kPs256,
  kPs384,
  kPs512,
  kEs256,
  kEs384,
  kEs512,
  kEddsa
};
constexpr std::string_view kVerifyNames[] = {"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256",
                                             "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"};

template <Verify Which>
Value verify(BuiltinContext& c, Args a) {
  const Algorithm& algorithm = *find_algorithm(kVerifyNames[static_cast<std::size_t>(Which)]);
  return algorithm.kind == SignatureKind::kHmac ? verify_secret(c, a, algorithm) : verify_asymmetric(c, a, algorithm);
}

// --- decode_verify ---

struct Constraints {
  std::optional<std::vector<Key>> keys;
  std::string_view secret;
  std::string_view alg;
  std::string_view iss;
  std::string_view aud;
  double time = -1;
};

bool read_constraint(BuiltinContext& c, std::string_view name, const Value& value, Constraints& out) {
  if (name == "time") {
    if (!value.is_number()) return c.fail("token time constraint: must be a number").defined();
    out.time = to_double(value);
    if (out.time < 0) return c.fail("token time constraint: must not be negative").defined();
    return true;
  }
  const bool known = name == "cert" || name == "secret" || name == "alg" || name == "iss" || name == "aud";
  if (!known) return c.fail("unknown token validation constraint: " + std::string(name)).defined();
  if (!value.is_string()) return c.fail(std::string(name) + " constraint: must be a string").defined();
  const std::string_view text = value.as_string();
  if (name == "cert") {
    Result<std::vector<Key>> keys = parse_verification_keys(text);
    if (!keys.ok()) return c.fail(keys.error().message).defined();
    out.keys = std::move(*keys);
  }
  if (name == "secret") out.secret = text;
  if (name == "alg") out.alg = text;
  if (name == "iss") out.iss = text;
  if (name == "aud") out.aud = text;
  return true;
}

std::optional<Constraints> read_constraints(BuiltinContext& c, const Value& object) {
  Constraints out;
  for (std::uint32_t i = 0; i < object.size(); ++i) {
    if (!object.keys()[i].is_string()) {
      c.fail("token validation constraints must have string keys");
      return std::nullopt;
    }
    if (!read_constraint(c, object.keys()[i].as_string(), object.values()[i], out)) return std::nullopt;
  }
  if (out.time < 0) out.time = static_cast<double>(c.now_ns);
  if (out.keys && !out.secret.empty()) {
    c.fail("duplicate key constraints");
    return std::nullopt;
  }
  if (!out.keys && out.secret.empty()) {
    c.fail("no key constraint");
    return std::nullopt;
  }
  return out;
}

bool signature_holds(const Constraints& constraints, const Header& header, const Token& token,
                     std::string_view signature) {
  const Algorithm* algorithm = find_algorithm(header.alg);
  if (algorithm == nullptr) return false;
  if (constraints.keys) return verify_with(*constraints.keys, header, *algorithm, token, signature);
  const Key key{{}, {}, nullptr, std::string(constraints.secret)};
  return algorithm->kind == SignatureKind::kHmac && verify_signature(*algorithm, key, token.signed_part, signature);
}

bool audience_fits(const Value& audience, std::string_view want) {
  if (audience.is_string()) return audience.as_string() == want;
  for (const Value& each : audience.is_array() ? audience.elements() : std::span<const Value>{}) {
    if (each.is_string() && each.as_string() == want) return true;
  }
  return false;
}

// Whether issuer, audience and times allow the token; nullopt: the error is recorded.
std::optional<bool> claims_hold(BuiltinContext& c, const Constraints& constraints, const Value& payload) {
  if (!constraints.iss.empty()) {
    const Value issuer = payload.get("iss");
    if (!issuer.is_string() || issuer.as_string() != constraints.iss) return false;
  }
  const Value audience = payload.get("aud");
  if (audience.defined() ? !audience_fits(audience, constraints.aud) : !constraints.aud.empty()) return false;
  const Value now = make_number(c.arena, constraints.time / 1e9);
  const Value expires = payload.get("exp");
  if (expires.defined()) {
    if (!expires.is_number()) {
      c.fail("exp value must be a number");
      return std::nullopt;
    }
    if (compare_numbers(now, expires) >= 0) return false;
  }
  const Value from = payload.get("nbf");
  if (from.defined()) {
    if (!from.is_number()) {
      c.fail("nbf value must be a number");
      return std::nullopt;
    }
    if (compare_numbers(now, from) < 0) return false;
  }
  return true;
}

Value verdict(BuiltinContext& c, bool valid, const Value& header, const Value& payload) {
  const Value empty = make_object(c.arena, {});
  const Value parts[] = {Value::boolean(valid), valid ? header : empty, valid ? payload : empty};
  return make_array(c.arena, parts);
}

bool is_jwt(std::string_view cty) {
  return cty.size() == 3 && (cty[0] | 0x20) == 'j' && (cty[1] | 0x20) == 'w' && (cty[2] | 0x20) == 't';
}

Value decode_verify(BuiltinContext& c, Args a) {
  if (!object_operand(c, a, 1)) return {};
  const auto constraints = read_constraints(c, a[1]);
  if (!constraints) return {};
  const auto argument = string_operand(c, a, 0);
  if (!argument) return {};
  std::string_view text = *argument;
  for (int level = 0; level < kMaxNesting; ++level) {
    const auto token = split_token(c, text);
    if (!token) return {};
    const Value header_object = decode_header(c, *token);
    if (!header_object.defined()) return {};
    const auto header = parse_header(c, header_object);
    if (!header) return {};
    if (!header->valid || (!constraints->alg.empty() && constraints->alg != header->alg))
      return verdict(c, false, {}, {});
    const Value signature = decoded_part(c, token->signature, "");
    if (!signature.defined()) return {};
    if (!signature_holds(*constraints, *header, *token, signature.as_string())) return verdict(c, false, {}, {});
    const Value payload_text = decoded_part(c, token->payload, "JWT payload had invalid encoding: ");
    if (!payload_text.defined()) return {};
    if (is_jwt(header->cty)) {
      text = payload_text.as_string();
      continue;
    }
    const Value payload = json_object(c, payload_text, "");
    if (!payload.defined()) return {};
    const std::optional<bool> fits = claims_hold(c, *constraints, payload);
    return fits ? verdict(c, *fits, header_object, payload) : Value::undefined();
  }
  return c.fail("JWT is nested too deeply");
}

// --- signing ---

Value sign(BuiltinContext& c, std::string_view headers, std::string_view payload, std::string_view jwk) {
  const auto keys = parse_jwks(jwk);
  if (!keys.ok()) return c.fail(keys.error().message);
  if (keys->empty()) return c.fail("no keys found in JWK set");
  const Result<Document> parsed = Document::parse_json(headers);
  const Value object = parsed.ok() ? parsed->root() : Value::undefined();
  const Value alg = object.get("alg");
  if (!alg.is_string()) {
    // The library that OPA reads headers with takes any run of these for a number, which has no members.
    const bool number = headers.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
    const std::string why = headers.empty()           ? "cannot parse JSON: cannot parse empty string"
                            : !parsed.ok() && !number ? "cannot parse JSON"
                                                      : "jwsbb: header \"alg\" not found";
    return c.fail("missing or invalid 'alg' header: " + why);
  }
  const Algorithm* algorithm = find_algorithm(alg.as_string());
  if (algorithm == nullptr) return c.fail("unknown JWS algorithm: " + std::string(alg.as_string()));
  const Value type = object.get("typ");
  if ((!type.is_string() || type.as_string() == "JWT") && !Document::parse_json_borrowed(payload).ok()) {
    return c.fail("type is JWT but payload is not JSON");
  }
  const std::string text = to_base64(headers, kBase64Url, false) + "." + to_base64(payload, kBase64Url, false);
  const Result<std::string> signature = make_signature(*algorithm, keys->front(), text);
  if (!signature.ok()) return c.fail(signature.error().message);
  return text_result(c, text + "." + to_base64(*signature, kBase64Url, false));
}

Value encode_sign_raw(BuiltinContext& c, Args a) {
  const auto jwk = string_operand(c, a, 2);
  if (!jwk) return {};
  const auto headers = string_operand(c, a, 0);
  if (!headers) return {};
  const auto payload = string_operand(c, a, 1);
  return payload ? sign(c, *headers, *payload, *jwk) : Value::undefined();
}

Value encode_sign(BuiltinContext& c, Args a) {
  constexpr JsonStyle kGo{.escape_html = true};
  return sign(c, to_json(a[0], kGo), to_json(a[1], kGo), to_json(a[2], kGo));
}

constexpr std::string_view kObject = "object[string:any]";

constexpr BuiltinDecl kTable[] = {
    {"io.jwt.decode", {"string"}, "[object[any:any], object[any:any], string]", &decode},
    {"io.jwt.decode_verify",
     {"string", kObject},
     "[boolean, object[any:any], object[any:any]]",
     &decode_verify,
     kNondeterministic},
    {"io.jwt.encode_sign", {kObject, kObject, kObject}, "string", &encode_sign, kNondeterministic},
    {"io.jwt.encode_sign_raw", {"string", "string", "string"}, "string", &encode_sign_raw, kNondeterministic},
    {"io.jwt.verify_hs256", {"string", "string"}, "boolean", &verify<Verify::kHs256>},
    {"io.jwt.verify_hs384", {"string", "string"}, "boolean", &verify<Verify::kHs384>},
    {"io.jwt.verify_hs512", {"string", "string"}, "boolean", &verify<Verify::kHs512>},
    {"io.jwt.verify_rs256", {"string", "string"}, "boolean", &verify<Verify::kRs256>},
    {"io.jwt.verify_rs384", {"string", "string"}, "boolean", &verify<Verify::kRs384>},
    {"io.jwt.verify_rs512", {"string", "string"}, "boolean", &verify<Verify::kRs512>},
    {"io.jwt.verify_ps256", {"string", "string"}, "boolean", &verify<Verify::kPs256>},
    {"io.jwt.verify_ps384", {"string", "string"}, "boolean", &verify<Verify::kPs384>},
    {"io.jwt.verify_ps512", {"string", "string"}, "boolean", &verify<Verify::kPs512>},
    {"io.jwt.verify_es256", {"string", "string"}, "boolean", &verify<Verify::kEs256>},
    {"io.jwt.verify_es384", {"string", "string"}, "boolean", &verify<Verify::kEs384>},
    {"io.jwt.verify_es512", {"string", "string"}, "boolean", &verify<Verify::kEs512>},
    {"io.jwt.verify_eddsa", {"string", "string"}, "boolean", &verify<Verify::kEddsa>},
};

}  // namespace

std::span<const BuiltinDecl> jwt_builtins() { return kTable; }

}  // namespace portcullis::rego::builtins
