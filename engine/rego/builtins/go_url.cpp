#include "engine/rego/builtins/go_url.h"

#include <algorithm>

#include "base/text.h"
#include "engine/rego/builtins/ip_net.h"
#include "engine/rego/builtins/url_escape.h"

namespace portcullis::rego::builtins {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_one_of(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

std::string escape_path(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (is_letter(c) || is_digit(c) || is_one_of(c, "-_.~$&+,/:;=@")) {
      out += c;
    } else {
      out += '%';
      out += "0123456789ABCDEF"[static_cast<unsigned char>(c) >> 4];
      out += "0123456789ABCDEF"[static_cast<unsigned char>(c) & 15u];
    }
  }
  return out;
}

class UrlParser {
 public:
  std::string error;

  bool run(std::string_view text, Url& out) {
    const std::size_t hash = text.find('#');
    if (!main_part(text.substr(0, hash), out)) return false;
    if (hash == std::string_view::npos) return true;
    const auto fragment = percent_unescape(text.substr(hash + 1), false, error);
    if (!fragment) return false;
    out.fragment = *fragment;
    return true;
  }

 private:
  bool fail(std::string what) {
    error = std::move(what);
    return false;
  }

  bool scheme(std::string_view& text, Url& out) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (is_letter(c)) continue;
      if (is_digit(c) || is_one_of(c, "+-.")) {
        if (i == 0) return true;
        continue;
      }
      if (c != ':') return true;
      if (i == 0) return fail("missing protocol scheme");
      out.scheme = text::to_lower_ascii(text.substr(0, i));
      text.remove_prefix(i + 1);
      return true;
    }
    return true;
  }

  bool main_part(std::string_view text, Url& out) {
    for (const char c : text) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return fail("net/url: invalid control character in URL");
    }
    if (!scheme(text, out)) return false;
    const std::size_t mark = text.find('?');
    if (mark != std::string_view::npos) out.raw_query = text.substr(mark + 1);
    text = text.substr(0, mark);
    if (!text.starts_with('/')) {
      if (!out.scheme.empty()) return true;  // opaque
      if (text.substr(0, text.find('/')).find(':') != std::string_view::npos) {
        return fail("first path segment in URL cannot contain colon");
      }
    }
    if (text.starts_with("//") && (!out.scheme.empty() || !text.starts_with("///"))) {
      const std::string_view rest = text.substr(2);
      const std::size_t slash = rest.find('/');
      if (!authority(rest.substr(0, slash), out)) return false;
      text = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash);
    }
    return path(text, out);
  }

  bool path(std::string_view text, Url& out) {
    const auto decoded = percent_unescape(text, false, error);
    if (!decoded) return false;
    out.path = *decoded;
    if (escape_path(out.path) != text) out.raw_path = text;
    return true;
  }

  static bool optional_port(std::string_view text) {
    return text.empty() || (text.front() == ':' && std::all_of(text.begin() + 1, text.end(), is_digit));
  }

  bool host_text(std::string_view text, Url& out) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (c == '%') {
        // Only bytes beyond ASCII, and the percent sign, may be escaped in a host.
        const bool ascii = i + 1 < text.size() && text[i + 1] >= '0' && text[i + 1] < '8';
        if (ascii && text.substr(i, 3) != "%25") return fail("invalid URL escape " + text::go_quote(text.substr(i, 3)));
        i += 2;
        continue;
      }
      const bool fine = (static_cast<unsigned char>(c) & 0x80u) != 0 || is_letter(c) || is_digit(c) ||
                        is_one_of(c, "-_.~!$&'()*+,;=:[]<>\"");
      if (!fine) return fail("invalid character " + text::go_quote(text.substr(i, 1)) + " in host name");
    }
    const auto decoded = percent_unescape(text, false, error);
    if (!decoded) return false;
    out.host = *decoded;
    return true;
  }

  bool authority(std::string_view text, Url& out) {
    const std::size_t at = text.rfind('@');
    const std::string_view host = at == std::string_view::npos ? text : text.substr(at + 1);
    if (at != std::string_view::npos) {
      for (const char c : text.substr(0, at)) {
        if (!is_letter(c) && !is_digit(c) && !is_one_of(c, "-._:~!$&'()*+,;=%@")) {
          return fail("net/url: invalid userinfo");
        }
      }
      if (!percent_unescape(text.substr(0, at), false, error)) return false;
    }
    if (host.starts_with('[')) {
      const std::size_t close = host.rfind(']');
      if (close == std::string_view::npos) return fail("missing ']' in host");
      if (!optional_port(host.substr(close + 1))) {
        return fail("invalid port " + text::go_quote(host.substr(close + 1)) + " after host");
      }
      const std::string_view inner = host.substr(1, close - 1);
      const auto ip = parse_ip(inner.substr(0, inner.find("%25")));
      if (!ip || ip->written_as_v4)
        return fail("invalid host: address " + std::string(inner) + " is not an IPv6 address");
    } else {
      if (host.find('[') != std::string_view::npos) return fail("invalid host: '[' not at its start");
      const std::size_t colon = host.find(':');
      if (colon != std::string_view::npos && !optional_port(host.substr(colon))) {
        return fail("invalid port " + text::go_quote(host.substr(colon)) + " after host");
      }
    }
    return host_text(host, out);
  }
};

}  // namespace

std::string Url::escaped_path() const { return raw_path.empty() ? escape_path(path) : raw_path; }

bool parse_url(std::string_view text, Url& out, std::string& error) {
  UrlParser parser;
  if (parser.run(text, out)) return true;
  error = std::move(parser.error);
  return false;
}

}  // namespace portcullis::rego::builtins
