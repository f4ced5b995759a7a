#include "engine/rego/builtins/x509_values.h"

#include <arpa/inet.h>

#include <array>
#include <string>
#include <vector>

#include "base/text.h"
#include "engine/rego/builtins/base64.h"
#include "engine/rego/builtins/der.h"
#include "engine/rego/builtins/go_url.h"
#include "engine/value/number.h"

namespace portcullis::rego::builtins {
namespace {

using Members = std::vector<Member>;

Error malformed(std::string_view what) { return Error{Code::kInvalid, "x509: malformed " + std::string(what), {}}; }

// One object under construction.
class Builder {
 public:
  explicit Builder(Arena& a) : arena(a) {}
  Arena& arena;
  Members members;

  void put(std::string_view key, const Value& value) { members.push_back({Value::string(key), value}); }
  void text(std::string_view key, std::string_view value) { put(key, make_string(arena, value)); }
  void bytes(std::string_view key, std::string_view value) { put(key, base64(value)); }
  void number(std::string_view key, std::int64_t value) { put(key, Value::integer(value)); }
  void flag(std::string_view key, bool value) { put(key, Value::boolean(value)); }
  // Null when there is none, as Go's nil slices are.
  void list(std::string_view key, const std::vector<Value>& values) {
    put(key, values.empty() ? Value::null() : make_array(arena, values));
  }
  Value base64(std::string_view value) { return make_string(arena, to_base64(value, kBase64Standard, true)); }
  Value oid(std::string_view dotted) {
    std::vector<Value> parts;
    for (const std::string_view part : text::split(dotted, '.')) parts.push_back(make_number(arena, part));
    return make_array(arena, parts);
  }
  Value finish() { return make_object(arena, members); }
};

constexpr std::string_view kNameLists[][2] = {
    {"2.5.4.6", "Country"},  {"2.5.4.10", "Organization"}, {"2.5.4.11", "OrganizationalUnit"}, {"2.5.4.7", "Locality"},
    {"2.5.4.8", "Province"}, {"2.5.4.9", "StreetAddress"}, {"2.5.4.17", "PostalCode"}};

// Text of any of the string types, as UTF-8; nullopt for what is no string.
std::optional<std::string> string_of(const DerItem& item) {
  switch (item.tag) {
    case 0x0c:  // UTF8String
    case 0x12:  // NumericString
    case 0x13:  // PrintableString
    case 0x16:  // IA5String
    case 0x1b:  // GeneralString
      return std::string(item.content);
    case 0x14: {  // T61String: Latin-1
      std::string out;
      for (const char c : item.content) text::append_rune(out, static_cast<std::uint8_t>(c));
      return out;
    }
    case 0x1e: {  // BMPString: UTF-16
      std::string out;
      for (std::size_t i = 0; i + 1 < item.content.size(); i += 2) {
        const auto high = static_cast<std::uint8_t>(item.content[i]);
        const auto low = static_cast<std::uint8_t>(item.content[i + 1]);
        text::append_rune(out, static_cast<char32_t>(high << 8 | low));
      }
      return out;
    }
    default: return std::nullopt;
  }
}

Result<Value> name_value(Arena& arena, std::string_view rdns) {
  std::array<std::vector<Value>, std::size(kNameLists)> lists;
  std::vector<Value> names;
  Value serial = Value::string("");
  Value common = Value::string("");
  DerReader sequence(rdns);
  while (!sequence.empty()) {
    const auto set = sequence.expect(kDerSet);
    if (!set) return malformed("RDNSequence");
    DerReader attributes(set->content);
    while (!attributes.empty()) {
      const auto attribute = attributes.expect(kDerSequence);
      if (!attribute) return malformed("RDNSequence attribute");
      DerReader parts(attribute->content);
      const auto type = parts.expect(kDerOid);
      const auto item = parts.next();
      if (!type || !item) return malformed("RDNSequence attribute");
      const std::optional<std::string> text = string_of(*item);
      if (!text) return Error{Code::kInvalid, "x509: invalid RDNSequence: invalid attribute value", {}};
      const std::string oid = der_oid(type->content);
      const Value value = make_string(arena, *text);
      Builder name(arena);
      name.put("Type", name.oid(oid));
      name.put("Value", value);
      names.push_back(name.finish());
      if (oid == "2.5.4.3") common = value;
      if (oid == "2.5.4.5") serial = value;
      for (std::size_t i = 0; i < lists.size(); ++i) {
        if (oid == kNameLists[i][0]) lists[i].push_back(value);
      }
    }
  }
  Builder out(arena);
  for (std::size_t i = 0; i < lists.size(); ++i) out.list(kNameLists[i][1], lists[i]);
  out.put("SerialNumber", serial);
  out.put("CommonName", common);
  out.list("Names", names);
  out.put("ExtraNames", Value::null());
  return out.finish();
}

// 2026-11-24T14:30:37Z of UTCTime or GeneralizedTime.
std::optional<std::string> time_of(const DerItem& item) {
  std::string digits(item.content);
  if (item.tag == 0x17 && digits.size() == 13) {
    digits.insert(0, digits < "5" ? "20" : "19");
  } else if (item.tag != 0x18 || digits.size() != 15) {
    return std::nullopt;
  }
  if (digits.back() != 'Z' || digits.find_first_not_of("0123456789") != 14) return std::nullopt;
  return digits.substr(0, 4) + "-" + digits.substr(4, 2) + "-" + digits.substr(6, 2) + "T" + digits.substr(8, 2) + ":" +
         digits.substr(10, 2) + ":" + digits.substr(12, 2) + "Z";
}

std::string address_text(std::string_view bytes) {
  char out[INET6_ADDRSTRLEN] = {};
  if (bytes.size() == 4) ::inet_ntop(AF_INET, bytes.data(), out, sizeof out);
  if (bytes.size() == 16) ::inet_ntop(AF_INET6, bytes.data(), out, sizeof out);
  return out;
}

struct AlgorithmNumber {
  std::string_view oid;
  int number;
};
constexpr AlgorithmNumber kSignatures[] = {
    {"1.2.840.113549.1.1.2", 1},  {"1.2.840.113549.1.1.4", 2},  {"1.2.840.113549.1.1.5", 3},
    {"1.3.14.3.2.29", 3},         {"1.2.840.113549.1.1.11", 4}, {"1.2.840.113549.1.1.12", 5},
    {"1.2.840.113549.1.1.13", 6}, {"1.2.840.10040.4.3", 7},     {"2.16.840.1.101.3.4.3.2", 8},
    {"1.2.840.10045.4.1", 9},     {"1.2.840.10045.4.3.2", 10},  {"1.2.840.10045.4.3.3", 11},
    {"1.2.840.10045.4.3.4", 12},  {"1.3.101.112", 16}};
constexpr AlgorithmNumber kKeys[] = {
    {"1.2.840.113549.1.1.1", 1}, {"1.2.840.10040.4.1", 2}, {"1.2.840.10045.2.1", 3}, {"1.3.101.112", 4}};
constexpr AlgorithmNumber kUsages[] = {{"2.5.29.37.0", 0},
                                       {"1.3.6.1.5.5.7.3.1", 1},
                                       {"1.3.6.1.5.5.7.3.2", 2},
                                       {"1.3.6.1.5.5.7.3.3", 3},
                                       {"1.3.6.1.5.5.7.3.4", 4},
                                       {"1.3.6.1.5.5.7.3.5", 5},
                                       {"1.3.6.1.5.5.7.3.6", 6},
                                       {"1.3.6.1.5.5.7.3.7", 7},
                                       {"1.3.6.1.5.5.7.3.8", 8},
                                       {"1.3.6.1.5.5.7.3.9", 9},
                                       {"1.3.6.1.4.1.311.10.3.3", 10},
                                       {"2.16.840.1.113730.4.1", 11},
                                       {"1.3.6.1.4.1.311.2.1.22", 12},
                                       {"1.3.6.1.4.1.311.61.1.1", 13}};

template <std::size_t N>
int number_of(const AlgorithmNumber (&table)[N], std::string_view oid, int otherwise) {
  for (const AlgorithmNumber& each : table) {
    if (each.oid == oid) return each.number;
  }
  return otherwise;
}

int signature_number(std::string_view algorithm) {
  DerReader parts(algorithm);
  const auto oid = parts.expect(kDerOid);
  if (!oid) return 0;
  const std::string name = der_oid(oid->content);
  if (name != "1.2.840.113549.1.1.10") return number_of(kSignatures, name, 0);
  // RSASSA-PSS: which hash is in the parameters.
  constexpr std::string_view kHashes[] = {{"\x60\x86\x48\x01\x65\x03\x04\x02\x01", 9},
                                          {"\x60\x86\x48\x01\x65\x03\x04\x02\x02", 9},
                                          {"\x60\x86\x48\x01\x65\x03\x04\x02\x03", 9}};
  for (std::size_t i = 0; i < std::size(kHashes); ++i) {
    if (algorithm.find(kHashes[i]) != std::string_view::npos) return static_cast<int>(13 + i);
  }
  return 0;
}

// PublicKeyAlgorithm and PublicKey of a SubjectPublicKeyInfo.
bool add_public_key(Builder& out, std::string_view info) {
  DerReader parts(info);
  const auto algorithm = parts.expect(kDerSequence);
  const auto bits = parts.expect(kDerBitString);
  if (!algorithm || !bits) return false;
  const auto key = der_bits(bits->content);
  DerReader algorithm_parts(algorithm->content);
  const auto oid = algorithm_parts.expect(kDerOid);
  if (!key || !oid) return false;
  const int number = number_of(kKeys, der_oid(oid->content), 0);
  out.number("PublicKeyAlgorithm", number);
  Value value = Value::null();
  if (number == 1) {
    DerReader sequence(*key);
    const auto rsa = sequence.expect(kDerSequence);
    if (!rsa) return false;
    DerReader numbers(rsa->content);
    const auto modulus = numbers.expect(kDerInteger);
    const auto exponent = numbers.expect(kDerInteger);
    if (!modulus || !exponent) return false;
    Builder object(out.arena);
    object.put("N", make_number(out.arena, der_integer(modulus->content)));
    object.put("E", make_number(out.arena, der_integer(exponent->content)));
    value = object.finish();
  } else if (number == 3 && key->size() % 2 == 1 && key->front() == 4) {
    const std::size_t half = key->size() / 2;
    Builder object(out.arena);
    object.put("Curve", make_object(out.arena, {}));
    object.put("X", make_number(out.arena, unsigned_decimal(key->substr(1, half))));
    object.put("Y", make_number(out.arena, unsigned_decimal(key->substr(1 + half))));
    value = object.finish();
  } else if (number == 4) {
    value = out.base64(*key);
  }
  out.put("PublicKey", value);
  return true;
}

// The fields of Go's url.URL; undefined when it is none.
Value uri_value(Arena& arena, std::string_view text) {
  Url url;
  std::string error;
  if (!parse_url(text, url, error)) return {};
  const std::size_t colon = text.find(':');
  const bool opaque = !url.scheme.empty() && colon + 1 < text.size() && text[colon + 1] != '/';
  const std::string_view rest = colon == std::string_view::npos ? text : text.substr(colon + 1);
  const bool has_user = rest.starts_with("//") && rest.substr(0, rest.find('/', 2)).find('@') != std::string_view::npos;
  Builder out(arena);
  out.text("Scheme", url.scheme);
  out.text("Opaque", opaque ? rest.substr(0, rest.find_first_of("?#")) : std::string_view());
  out.put("User", has_user ? make_object(arena, {}) : Value::null());
  out.text("Host", url.host);
  out.text("Path", opaque ? std::string_view() : std::string_view(url.path));
  out.text("RawPath", opaque ? std::string_view() : std::string_view(url.raw_path));
  out.flag("ForceQuery", text.ends_with('?'));
  out.text("RawQuery", url.raw_query);
  out.text("Fragment", url.fragment);
  out.text("RawFragment", "");
  out.flag("OmitHost", false);
  return out.finish();
}

struct AlternativeNames {
  std::vector<Value> dns, emails, addresses, uris, uri_strings;
};

bool read_alternative_names(Arena& arena, std::string_view value, AlternativeNames& out) {
  DerReader outer(value);
  const auto sequence = outer.expect(kDerSequence);
  if (!sequence) return false;
  DerReader names(sequence->content);
  while (!names.empty()) {
    const auto name = names.next();
    if (!name) return false;
    if (name->tag == der_context(2, false)) out.dns.push_back(make_string(arena, name->content));
    if (name->tag == der_context(1, false)) out.emails.push_back(make_string(arena, name->content));
    if (name->tag == der_context(7, false)) {
      if (name->content.size() != 4 && name->content.size() != 16) return false;
      out.addresses.push_back(make_string(arena, address_text(name->content)));
    }
    if (name->tag == der_context(6, false)) {
      const Value uri = uri_value(arena, name->content);
      if (!uri.defined()) return false;
      out.uris.push_back(uri);
      out.uri_strings.push_back(make_string(arena, name->content));
    }
  }
  return true;
}

void add_alternative_names(Builder& out, const AlternativeNames& names) {
  out.list("DNSNames", names.dns);
  out.list("EmailAddresses", names.emails);
  out.list("IPAddresses", names.addresses);
  out.list("URIs", names.uris);
}

struct Extension {
  std::string oid;
  bool critical = false;
  bool has_critical = false;  // was written out
  std::string_view value;
};

bool read_extensions(std::string_view sequence, std::vector<Extension>& out) {
  DerReader reader(sequence);
  while (!reader.empty()) {
    const auto item = reader.expect(kDerSequence);
    if (!item) return false;
    DerReader parts(item->content);
    const auto oid = parts.expect(kDerOid);
    const auto critical = parts.next_if(kDerBoolean);
    const auto value = parts.expect(kDerOctetString);
    if (!oid || !value || !parts.empty()) return false;
    const bool is_critical = critical && !critical->content.empty() && critical->content[0] != 0;
    out.push_back({der_oid(oid->content), is_critical, critical.has_value(), value->content});
  }
  return true;
}

Value extensions_value(Arena& arena, const std::vector<Extension>& extensions) {
  std::vector<Value> out;
  for (const Extension& extension : extensions) {
    Builder object(arena);
    object.put("Id", object.oid(extension.oid));
    object.flag("Critical", extension.critical);
    object.bytes("Value", extension.value);
    out.push_back(object.finish());
  }
  return out.empty() ? Value::null() : make_array(arena, out);
}

// What the extensions of a certificate say, with Go's zero values to begin with.
struct Extended {
  AlternativeNames names;
  int key_usage = 0;
  std::vector<Value> usages, unknown_usages, crl_points, ocsp, issuing, policies, policy_ids, mappings, unhandled;
  bool basic = false;
  bool ca = false;
  std::int64_t max_path = 0;
  std::string_view subject_key, authority_key;
  std::array<std::vector<Value>, 4> permitted;  // DNS, IP, email, URI
  std::array<std::vector<Value>, 4> excluded;
  bool permitted_critical = false;
  std::int64_t inhibit_any = 0, inhibit_mapping = 0, explicit_policy = 0;
  bool has_inhibit_any = false, has_inhibit_mapping = false, has_explicit_policy = false;
};

std::int64_t small_integer(std::string_view content) {
  std::int64_t out = 0;
  for (const char c : content.substr(0, 7)) out = out << 8 | static_cast<std::uint8_t>(c);
  return out;
}

bool read_basic(std::string_view value, Extended& out) {
  DerReader outer(value);
  const auto sequence = outer.expect(kDerSequence);
  if (!sequence) return false;
  DerReader parts(sequence->content);
  const auto ca = parts.next_if(kDerBoolean);
  const auto path = parts.next_if(kDerInteger);
  out.basic = true;
  out.ca = ca && !ca->content.empty() && ca->content[0] != 0;
  out.max_path = path ? small_integer(path->content) : -1;
  return parts.empty();
}

bool read_usages(Builder& maker, std::string_view value, Extended& out) {
  DerReader outer(value);
  const auto sequence = outer.expect(kDerSequence);
  if (!sequence) return false;
  DerReader parts(sequence->content);
  while (!parts.empty()) {
    const auto oid = parts.expect(kDerOid);
    if (!oid) return false;
    const std::string dotted = der_oid(oid->content);
    const int number = number_of(kUsages, dotted, -1);
    if (number >= 0) {
      out.usages.push_back(Value::integer(number));
    } else {
      out.unknown_usages.push_back(maker.oid(dotted));
    }
  }
  return true;
}

bool read_key_usage(std::string_view value, Extended& out) {
  DerReader outer(value);
  const auto bits = outer.expect(kDerBitString);
  if (!bits) return false;
  const auto bytes = der_bits(bits->content);
  if (!bytes) return false;
  for (std::size_t i = 0; i < 9 && i / 8 < bytes->size(); ++i) {
    const auto byte = static_cast<std::uint8_t>((*bytes)[i / 8]);
    if ((byte >> (7 - i % 8) & 1u) != 0) out.key_usage |= 1 << i;
  }
  return true;
}

// The URIs of distribution points: full names only.
bool read_crl_points(Arena& arena, std::string_view value, Extended& out) {
  DerReader outer(value);
  const auto sequence = outer.expect(kDerSequence);
  if (!sequence) return false;
  DerReader points(sequence->content);
  while (!points.empty()) {
    const auto point = points.expect(kDerSequence);
    if (!point) return false;
    DerReader parts(point->content);
    const auto name = parts.next_if(der_context(0, true));
    if (!name) continue;
    DerReader name_parts(name->content);
    const auto full = name_parts.next_if(der_context(0, true));
    if (!full) continue;
    DerReader names(full->content);
    while (const auto each = names.next()) {
      if (each->tag == der_context(6, false)) out.crl_points.push_back(make_string(arena, each->content));
    }
    if (!names.ok()) return false;
  }
  return true;
}

bool read_authority_access(Arena& arena, std::string_view value, Extended& out) {
  DerReader outer(value);
  const auto sequence = outer.expect(kDerSequence);
  if (!sequence) return false;
  DerReader entries(sequence->content);
  while (!entries.empty()) {
    const auto entry = entries.expect(kDerSequence);
    if (!entry) return false;
    DerReader parts(entry->content);
    const auto method = parts.expect(kDerOid);
    const auto place = parts.next();
    if (!method || !place) return false;
    if (place->tag != der_context(6, false)) continue;
    const std::string oid = der_oid(method->content);
    if (oid == "1.3.6.1.5.5.7.48.1") out.ocsp.push_back(make_string(arena, place->content));
    if (oid == "1.3.6.1.5.5.7.48.2") out.issuing.push_back(make_string(arena, place->content));
  }
  return true;
}

bool read_policies(Builder& maker, std::string_view value, Extended& out) {
  DerReader outer(value);
  const auto sequence = outer.expect(kDerSequence);
  if (!sequence) return false;
  DerReader policies(sequence->content);
  while (!policies.empty()) {
    const auto policy = policies.expect(kDerSequence);
    if (!policy) return false;
    DerReader parts(policy->content);
    const auto oid = parts.expect(kDerOid);
    if (!oid) return false;
    const std::string dotted = der_oid(oid->content);
    out.policies.push_back(make_string(maker.arena, dotted));
    out.policy_ids.push_back(maker.oid(dotted));
  }
  return true;
}

bool read_constraint_list(Arena& arena, std::string_view subtrees, std::array<std::vector<Value>, 4>& out) {
  DerReader reader(subtrees);
  while (!reader.empty()) {
    const auto tree = reader.expect(kDerSequence);
    if (!tree) return false;
    DerReader parts(tree->content);
    const auto name = parts.next();
    if (!name) return false;
    if (name->tag == der_context(2, false)) out[0].push_back(make_string(arena, name->content));
    if (name->tag == der_context(1, false)) out[2].push_back(make_string(arena, name->content));
    if (name->tag == der_context(6, false)) out[3].push_back(make_string(arena, name->content));
    if (name->tag == der_context(7, false)) {
      const std::size_t half = name->content.size() / 2;
      if (half != 4 && half != 16) return false;
      Builder range(arena);
      range.text("IP", address_text(name->content.substr(0, half)));
      range.bytes("Mask", name->content.substr(half));
      out[1].push_back(range.finish());
    }
  }
  return true;
}

bool read_name_constraints(Arena& arena, const Extension& extension, Extended& out) {
  DerReader outer(extension.value);
  const auto sequence = outer.expect(kDerSequence);
  if (!sequence) return false;
  DerReader parts(sequence->content);
  const auto permitted = parts.next_if(der_context(0, true));
  const auto excluded = parts.next_if(der_context(1, true));
  out.permitted_critical = extension.critical;
  return (!permitted || read_constraint_list(arena, permitted->content, out.permitted)) &&
         (!excluded || read_constraint_list(arena, excluded->content, out.excluded));
}

bool read_policy_constraints(std::string_view value, Extended& out) {
  DerReader outer(value);
  const auto sequence = outer.expect(kDerSequence);
  if (!sequence) return false;
  DerReader parts(sequence->content);
  if (const auto required = parts.next_if(der_context(0, false))) {
    out.explicit_policy = small_integer(required->content);
    out.has_explicit_policy = true;
  }
  if (const auto inhibit = parts.next_if(der_context(1, false))) {
    out.inhibit_mapping = small_integer(inhibit->content);
    out.has_inhibit_mapping = true;
  }
  return parts.empty();
}

bool read_policy_mappings(Arena& arena, std::string_view value, Extended& out) {
  DerReader outer(value);
  const auto sequence = outer.expect(kDerSequence);
  if (!sequence) return false;
  DerReader mappings(sequence->content);
  while (!mappings.empty()) {
    const auto mapping = mappings.expect(kDerSequence);
    if (!mapping) return false;
    DerReader parts(mapping->content);
    const auto issuer = parts.expect(kDerOid);
    const auto subject = parts.expect(kDerOid);
    if (!issuer || !subject) return false;
    Builder object(arena);
    object.text("IssuerDomainPolicy", der_oid(issuer->content));
    object.text("SubjectDomainPolicy", der_oid(subject->content));
    out.mappings.push_back(object.finish());
  }
  return true;
}

bool read_extension(Builder& maker, const Extension& extension, Extended& out) {
  const std::string_view oid = extension.oid;
  if (oid == "2.5.29.15") return read_key_usage(extension.value, out);
  if (oid == "2.5.29.19") return read_basic(extension.value, out);
  if (oid == "2.5.29.17") return read_alternative_names(maker.arena, extension.value, out.names);
  if (oid == "2.5.29.30") return read_name_constraints(maker.arena, extension, out);
  if (oid == "2.5.29.31") return read_crl_points(maker.arena, extension.value, out);
  if (oid == "2.5.29.37") return read_usages(maker, extension.value, out);
  if (oid == "2.5.29.32") return read_policies(maker, extension.value, out);
  if (oid == "2.5.29.33") return read_policy_mappings(maker.arena, extension.value, out);
  if (oid == "2.5.29.36") return read_policy_constraints(extension.value, out);
  if (oid == "1.3.6.1.5.5.7.1.1") return read_authority_access(maker.arena, extension.value, out);
  DerReader outer(extension.value);
  if (oid == "2.5.29.14") {
    const auto key = outer.expect(kDerOctetString);
    if (key) out.subject_key = key->content;
    return key.has_value();
  }
  if (oid == "2.5.29.35") {
    const auto sequence = outer.expect(kDerSequence);
    if (!sequence) return false;
    const auto key = DerReader(sequence->content).next_if(der_context(0, false));
    if (key) out.authority_key = key->content;
    return true;
  }
  if (oid == "2.5.29.54") {
    const auto number = outer.expect(kDerInteger);
    if (number) out.inhibit_any = small_integer(number->content);
    out.has_inhibit_any = number.has_value();
    return number.has_value();
  }
  if (extension.critical) out.unhandled.push_back(maker.oid(oid));
  return true;
}

void add_extended(Builder& out, const Extended& e) {
  add_alternative_names(out, e.names);
  const auto key_id = [&](std::string_view key, std::string_view bytes) {
    if (bytes.empty()) {
      out.put(key, Value::null());
    } else {
      out.bytes(key, bytes);
    }
  };
  key_id("SubjectKeyId", e.subject_key);
  key_id("AuthorityKeyId", e.authority_key);
  out.number("KeyUsage", e.key_usage);
  out.list("ExtKeyUsage", e.usages);
  out.list("UnknownExtKeyUsage", e.unknown_usages);
  out.flag("BasicConstraintsValid", e.basic);
  out.flag("IsCA", e.ca);
  out.number("MaxPathLen", e.max_path);
  out.flag("MaxPathLenZero", e.basic && e.max_path == 0);
  out.list("OCSPServer", e.ocsp);
  out.list("IssuingCertificateURL", e.issuing);
  out.list("CRLDistributionPoints", e.crl_points);
  out.list("Policies", e.policies);
  out.list("PolicyIdentifiers", e.policy_ids);
  out.list("PolicyMappings", e.mappings);
  out.number("InhibitAnyPolicy", e.inhibit_any);
  out.flag("InhibitAnyPolicyZero", e.has_inhibit_any && e.inhibit_any == 0);
  out.number("InhibitPolicyMapping", e.inhibit_mapping);
  out.flag("InhibitPolicyMappingZero", e.has_inhibit_mapping && e.inhibit_mapping == 0);
  out.number("RequireExplicitPolicy", e.explicit_policy);
  out.flag("RequireExplicitPolicyZero", e.has_explicit_policy && e.explicit_policy == 0);
  out.flag("PermittedDNSDomainsCritical", e.permitted_critical);
  constexpr std::string_view kConstraints[] = {"DNSDomains", "IPRanges", "EmailAddresses", "URIDomains"};
  for (std::size_t i = 0; i < std::size(kConstraints); ++i) {
    out.list(out.arena.copy("Permitted" + std::string(kConstraints[i])), e.permitted[i]);
    out.list(out.arena.copy("Excluded" + std::string(kConstraints[i])), e.excluded[i]);
  }
  out.list("UnhandledCriticalExtensions", e.unhandled);
}

// The parts of a certificate before its fields are looked into.
struct Parts {
  DerItem whole, tbs, serial, issuer, not_before, not_after, subject, key_info, algorithm;
  std::int64_t version = 1;
  std::string_view signature;
  std::vector<Extension> extensions;
};

bool read_validity(DerReader& reader, Parts& out) {
  const auto validity = reader.expect(kDerSequence);
  if (!validity) return false;
  DerReader times(validity->content);
  const auto from = times.next();
  const auto until = times.next();
  if (!from || !until) return false;
  out.not_before = *from;
  out.not_after = *until;
  return true;
}

bool split_certificate(std::string_view der, Parts& out) {
  DerReader outer(der);
  const auto certificate = outer.expect(kDerSequence);
  if (!certificate || !outer.empty()) return false;
  DerReader parts(certificate->content);
  const auto tbs = parts.expect(kDerSequence);
  const auto algorithm = parts.expect(kDerSequence);
  const auto signature = parts.expect(kDerBitString);
  if (!tbs || !algorithm || !signature) return false;
  const auto bits = der_bits(signature->content);
  if (!bits) return false;
  out.whole = *certificate;
  out.tbs = *tbs;
  out.algorithm = *algorithm;
  out.signature = *bits;
  DerReader reader(tbs->content);
  if (const auto version = reader.next_if(der_context(0, true))) {
    const auto number = DerReader(version->content).expect(kDerInteger);
    if (!number) return false;
    out.version = small_integer(number->content) + 1;
  }
  const auto serial = reader.expect(kDerInteger);
  const auto inner = reader.expect(kDerSequence);
  const auto issuer = reader.expect(kDerSequence);
  if (!serial || !inner || !issuer || inner->whole != algorithm->whole || !read_validity(reader, out)) return false;
  const auto subject = reader.expect(kDerSequence);
  const auto key_info = reader.expect(kDerSequence);
  if (!subject || !key_info) return false;
  out.serial = *serial;
  out.issuer = *issuer;
  out.subject = *subject;
  out.key_info = *key_info;
  while (const auto rest = reader.next()) {
    if (rest->tag != der_context(3, true)) continue;
    const auto sequence = DerReader(rest->content).expect(kDerSequence);
    if (!sequence || !read_extensions(sequence->content, out.extensions)) return false;
  }
  return reader.ok();
}

}  // namespace

Result<Value> certificate_value(Arena& arena, std::string_view der, bool uri_strings) {
  Parts parts;
  if (!split_certificate(der, parts)) return malformed("certificate");
  PC_TRY(const Value issuer, name_value(arena, parts.issuer.content));
  PC_TRY(const Value subject, name_value(arena, parts.subject.content));
  const auto from = time_of(parts.not_before);
  const auto until = time_of(parts.not_after);
  if (!from || !until) return malformed("validity");
  Builder out(arena);
  out.bytes("Raw", parts.whole.whole);
  out.bytes("RawTBSCertificate", parts.tbs.whole);
  out.bytes("RawSubjectPublicKeyInfo", parts.key_info.whole);
  out.bytes("RawSubject", parts.subject.whole);
  out.bytes("RawIssuer", parts.issuer.whole);
  out.bytes("Signature", parts.signature);
  out.number("SignatureAlgorithm", signature_number(parts.algorithm.content));
  if (!add_public_key(out, parts.key_info.content)) return malformed("spki");
  out.number("Version", parts.version);
  out.put("SerialNumber", make_number(arena, der_integer(parts.serial.content)));
  out.put("Issuer", issuer);
  out.put("Subject", subject);
  out.text("NotBefore", *from);
  out.text("NotAfter", *until);
  out.put("Extensions", extensions_value(arena, parts.extensions));
  out.put("ExtraExtensions", Value::null());
  Extended extended;
  for (const Extension& extension : parts.extensions) {
    if (!read_extension(out, extension, extended)) return malformed("extension " + extension.oid);
  }
  add_extended(out, extended);
  if (uri_strings) out.list("URIStrings", extended.names.uri_strings);
  return out.finish();
}

KeyUsages extended_usages(std::string_view der) {
  KeyUsages out;
  Parts parts;
  if (!split_certificate(der, parts)) return out;
  Arena arena;
  Builder maker(arena);
  Extended extended;
  for (const Extension& extension : parts.extensions) {
    if (extension.oid == "2.5.29.37") read_usages(maker, extension.value, extended);
  }
  out.any_named = !extended.usages.empty() || !extended.unknown_usages.empty();
  for (const Value& usage : extended.usages) out.known.push_back(static_cast<int>(usage.as_integer()));
  return out;
}

namespace {

// Extensions that a request asks for, as an attribute shows them: without the critical ones, which have no place there.
void add_attributes(Builder& out, std::string_view attributes, std::vector<Extension>& extensions, bool& ok) {
  constexpr std::string_view kExtensionRequest = "1.2.840.113549.1.9.14";
  std::vector<Value> list;
  DerReader reader(attributes);
  while (const auto attribute = reader.next()) {
    DerReader parts(attribute->content);
    const auto oid = parts.expect(kDerOid);
    const auto values = parts.expect(kDerSet);
    if (!oid || !values) continue;
    const std::string dotted = der_oid(oid->content);
    if (dotted != kExtensionRequest) continue;
    const auto sequence = DerReader(values->content).expect(kDerSequence);
    if (!sequence) continue;
    const std::size_t before = extensions.size();
    ok = ok && read_extensions(sequence->content, extensions);
    std::vector<Value> inner;
    bool plain = true;
    for (std::size_t i = before; i < extensions.size(); ++i) {
      plain = plain && !extensions[i].has_critical;
      Builder each(out.arena);
      each.put("Type", each.oid(extensions[i].oid));
      each.bytes("Value", extensions[i].value);
      inner.push_back(each.finish());
    }
    if (!plain) continue;
    const Value one[] = {make_array(out.arena, inner)};
    Builder object(out.arena);
    object.put("Type", object.oid(dotted));
    object.put("Value", make_array(out.arena, one));
    list.push_back(object.finish());
  }
  ok = ok && reader.ok();
  out.list("Attributes", list);
}

}  // namespace

Result<Value> certificate_request_value(Arena& arena, std::string_view der) {
  const Error bad{Code::kInvalid, "asn1: structure error: malformed certificate request", {}};
  DerReader outer(der);
  const auto request = outer.expect(kDerSequence);
  if (!request) return bad;
  if (!outer.empty()) return Error{Code::kInvalid, "asn1: syntax error: trailing data", {}};
  DerReader parts(request->content);
  const auto info = parts.expect(kDerSequence);
  const auto algorithm = parts.expect(kDerSequence);
  const auto signature = parts.expect(kDerBitString);
  if (!info || !algorithm || !signature) return bad;
  const auto bits = der_bits(signature->content);
  DerReader fields(info->content);
  const auto version = fields.expect(kDerInteger);
  const auto subject = fields.expect(kDerSequence);
  const auto key_info = fields.expect(kDerSequence);
  const auto attributes = fields.next_if(der_context(0, true));
  if (!bits || !version || !subject || !key_info) return bad;
  PC_TRY(const Value name, name_value(arena, subject->content));
  Builder out(arena);
  out.bytes("Raw", request->whole);
  out.bytes("RawTBSCertificateRequest", info->whole);
  out.bytes("RawSubjectPublicKeyInfo", key_info->whole);
  out.bytes("RawSubject", subject->whole);
  out.number("Version", small_integer(version->content));
  out.bytes("Signature", *bits);
  out.number("SignatureAlgorithm", signature_number(algorithm->content));
  if (!add_public_key(out, key_info->content)) return bad;
  out.put("Subject", name);
  std::vector<Extension> extensions;
  bool ok = true;
  add_attributes(out, attributes ? attributes->content : std::string_view(), extensions, ok);
  AlternativeNames names;
  for (const Extension& extension : extensions) {
    if (extension.oid == "2.5.29.17") ok = ok && read_alternative_names(arena, extension.value, names);
  }
  if (!ok) return bad;
  out.put("Extensions", extensions_value(arena, extensions));
  out.put("ExtraExtensions", Value::null());
  add_alternative_names(out, names);
  return out.finish();
}

}  // namespace portcullis::rego::builtins
