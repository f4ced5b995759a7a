// URLs as Go's net/url reads them.
#pragma once

#include <string>
#include <string_view>

namespace portcullis::rego::builtins {

struct Url {
  std::string scheme;
  std::string host;
  std::string path;
  std::string raw_path;  // only where it differs from the default escaping of path
  std::string raw_query;
  std::string fragment;

  std::string escaped_path() const;
};

// False: `error` is Go's message without the text in front.
bool parse_url(std::string_view text, Url& out, std::string& error);

}  // namespace portcullis::rego::builtins
