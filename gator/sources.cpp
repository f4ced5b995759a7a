#include "gator/sources.h"

#include <ctime>
#include <map>
#include <tuple>
#include <utility>

#include "base/text.h"
#include "engine/value/yaml.h"
#include "gator/files.h"
#include "policy/model/go_error.h"
#include "policy/model/object.h"

namespace portcullis::gator {
namespace {

struct Source {
  std::string shown;  // as warnings name it
  std::vector<SourceObject> objects;
};

Error prefixed(std::string prefix, const Error& error) {
  return make_error(error.code, std::move(prefix) + error.message);
}

bool known_extension(std::string_view path) { return is_yaml(path) || extension(path) == ".json"; }

Result<std::vector<SourceObject>> read_objects(const std::string& input, const std::string& name) {
  ParseLimits limits;
  limits.source = name;
  limits.max_bytes = std::size_t{1} << 30;
  Result<std::vector<YamlDocument>> documents = parse_yaml_stream(input, YamlSchema::kKubernetes, limits);
  if (!documents.ok()) {
    const bool yaml = text::starts_with(documents.error().message, "yaml: ");
    return prefixed(yaml ? "reading yaml source: error converting YAML to JSON: " : "reading yaml source: ",
                    documents.error());
  }
  std::vector<SourceObject> out;
  for (const YamlDocument& document : *documents) {
    const Value root = document.document.root();
    if (!root.defined() || root.is_null()) continue;
    if (!root.is_object()) {
      return make_error(Code::kInvalid, "reading yaml source: error unmarshaling JSON: while decoding JSON: " +
                                            policy::json_value_error(root, "map[string]interface {}"));
    }
    if (root.size() == 0) continue;
    Arena arena(0, 4096);
    const Value object = deep_copy(arena, policy::as_float64(arena, root));
    auto owned = std::make_shared<const Document>(Document::adopt(std::move(arena), object));
    out.push_back({owned, owned->root()});
  }
  return out;
}

Result<void> read_filename(const std::string& filename, std::vector<Source>& out) {
  Result<PathKind> kind = stat_path(filename, filename);
  if (!kind.ok()) return prefixed("stat on path " + text::go_quote(filename) + ": ", kind.error());
  if (*kind == PathKind::kFile && !known_extension(filename)) {
    return make_error(Code::kInvalid,
                      "path " + text::go_quote(filename) + " must be of extensions: [.yaml .yml .json]");
  }
  Result<std::vector<std::string>> files = files_below(filename);
  if (!files.ok()) {
    return prefixed("normalizing filenames: filename " + text::go_quote(filename) + ": walking: ", files.error());
  }
  for (const std::string& file : *files) {
    if (!known_extension(file)) continue;
    Result<std::string> text = read_file(file, file);
    if (!text.ok()) return prefixed("opening file " + text::go_quote(file) + ": ", text.error());
    Result<std::vector<SourceObject>> objects = read_objects(*text, file);
    if (!objects.ok()) return prefixed("reading file " + text::go_quote(file) + ": ", objects.error());
    out.push_back({"file: " + text::go_quote(file), std::move(*objects)});
  }
  return ok();
}

std::string log_time() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  char buffer[32];
  const std::size_t size = std::strftime(buffer, sizeof buffer, "%Y/%m/%d %H:%M:%S", &local);
  return std::string(buffer, size);
}

void warn_of_conflicts(const std::vector<Source>& sources, std::string& err) {
  using Key = std::tuple<std::string, std::string, std::string, std::string>;
  std::map<Key, const Source*> seen;
  for (const Source& source : sources) {
    for (const SourceObject& object : source.objects) {
      const policy::ObjectKind kind = policy::kind_of(object.object);
      const Key key{std::string(kind.group), std::string(object.object.string_or("kind")),
                    std::string(policy::name_of(object.object)), std::string(policy::namespace_of(object.object))};
      const auto [entry, is_new] = seen.emplace(key, &source);
      if (is_new) continue;
      err += log_time() + " WARNING - Resource named " + text::go_quote(policy::name_of(object.object)) + " (from " +
             source.shown + ") is already defined in " + entry->second->shown + "\n";
      entry->second = &source;
    }
  }
}

}  // namespace

Result<std::vector<SourceObject>> read_sources(const std::vector<std::string>& filenames, const Io& io) {
  std::vector<Source> sources;
  for (const std::string& filename : filenames) {
    Result<void> read = read_filename(filename, sources);
    if (!read.ok()) return prefixed("reading from filenames: ", read.error());
  }
  if (const std::optional<std::string> input = io.read_stdin ? io.read_stdin() : std::nullopt) {
    Result<std::vector<SourceObject>> objects = read_objects(*input, "stdin");
    if (!objects.ok()) return prefixed("reading from stdin: reading: ", objects.error());
    sources.push_back({"stdin", std::move(*objects)});
  }
  warn_of_conflicts(sources, *io.err);
  std::vector<SourceObject> out;
  for (Source& source : sources) {
    for (SourceObject& object : source.objects) out.push_back(std::move(object));
  }
  return out;
}

}  // namespace portcullis::gator
