#include "opa/load.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "base/text.h"
#include "engine/rego/syntax/parser.h"
#include "engine/value/document.h"
#include "engine/value/yaml.h"

namespace portcullis::opa {
namespace {

namespace fs = std::filesystem;

bool has_extension(std::string_view path, std::initializer_list<std::string_view> extensions) {
  return std::any_of(extensions.begin(), extensions.end(),
                     [&](std::string_view extension) { return path.ends_with(extension); });
}

std::string joined(const std::vector<std::string>& path) {
  std::string out = "data";
  for (const std::string& step : path) out += "." + step;
  return out;
}

// Collects documents into one tree and remembers which file put what where, for the messages about conflicts.
class Loader {
 public:
  Loader(Loaded& out, const std::vector<std::string>& ignored, rego::RegoVersion version, LoadMode mode)
      : out_(out), ignored_(ignored), version_(version), mode_(mode) {}

  void load(std::string path) {
    std::vector<std::string> prefix;
    const std::size_t colon = path.find(':');
    if (path.starts_with("file://")) {
      path = path.substr(7);
    } else if (colon != std::string::npos && colon > 0) {
      for (const std::string_view step : text::split(std::string_view(path).substr(0, colon), '.')) {
        prefix.emplace_back(step == "data" && prefix.empty() ? std::string_view{} : step);
      }
      std::erase(prefix, "");
      path = path.substr(colon + 1);
      if (path.starts_with("file://")) path = path.substr(7);
    }
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) return fail("stat " + path + ": no such file or directory");
    if (fs::is_directory(status)) {
      load_folder(path, prefix, 0);
    } else if (mode_ == LoadMode::kBundle) {
      fail("bundle " + path + ": archives of bundles are not supported; name the bundle's folder");
    } else {
      load_file(path, prefix, true);
    }
  }

 private:
  static constexpr int kMaxDepth = 200;

  void fail(std::string message) {
    for (Failure& failure : failures_of(std::move(message))) out_.failures.push_back(std::move(failure));
  }

  bool is_ignored(const std::string& name) const {
    return std::any_of(ignored_.begin(), ignored_.end(), [&](const std::string& pattern) {
      if (pattern == name) return true;
      if (pattern.starts_with('*')) return name.ends_with(pattern.substr(1));
      return pattern.ends_with('*') && name.starts_with(pattern.substr(0, pattern.size() - 1));
    });
  }

  void load_folder(const std::string& folder, const std::vector<std::string>& prefix, int depth) {
    if (depth > kMaxDepth) return fail(folder + ": folders are nested too deeply");
    std::error_code error;
    std::vector<fs::directory_entry> entries;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
      entries.push_back(*at);
    if (error) return fail("open " + folder + ": " + error.message());
    std::sort(entries.begin(), entries.end(),
              [](const fs::directory_entry& a, const fs::directory_entry& b) { return a.path() < b.path(); });
    for (const fs::directory_entry& entry : entries) {
      const std::string name = entry.path().filename().string();
      if (is_ignored(name)) continue;
      const std::string path = (fs::path(folder) / name).lexically_normal().string();
      if (entry.is_directory(error)) {
        std::vector<std::string> inner = prefix;
        inner.push_back(name);
        load_folder(path, inner, depth + 1);
      } else {
        load_file(path, prefix, false);
      }
    }
  }

  void load_file(const std::string& path, const std::vector<std::string>& prefix, bool named) {
    const bool policy = path.ends_with(".rego");
    if (!policy && mode_ == LoadMode::kOnlyRego) return;
    if (!policy && mode_ == LoadMode::kBundle && !is_bundle_data(path)) return;
    if (!policy && !named && !has_extension(path, {".json", ".yaml", ".yml"})) return;
    Result<std::string> text = read_file(path);
    if (!text.ok()) return fail(text.error().message);
    if (policy) return load_policy(path, *text);
    Result<Value> document = parse_document(out_.arena, *text, false);
    if (!document.ok()) return fail(path + ": " + document.error().message);
    if (!document->defined()) document = Value::null();
    if (!document->is_object() && prefix.empty()) {
      if (!document->is_null()) fail(path + ": document must be of type object");
      return;
    }
    merge(path, prefix, *document);
  }

  static bool is_bundle_data(const std::string& path) {
    const std::string name = fs::path(path).filename().string();
    return name == "data.json" || name == "data.yaml" || name == "data.yml";
  }

  void load_policy(const std::string& path, const std::string& text) {
    rego::ParseOptions options;
    options.version = version_;
    options.process_annotations = true;
    auto module = rego::parse_module(path, text, options);
    if (module.ok()) {
      out_.modules.push_back(std::move(*module));
      return;
    }
    Failures failures = failures_of(module.error());
    find_excerpts(failures, text);
    for (Failure& failure : failures) out_.failures.push_back(std::move(failure));
  }

  void merge(const std::string& path, const std::vector<std::string>& prefix, const Value& document) {
    Value wrapped = document;
    for (auto step = prefix.rbegin(); step != prefix.rend(); ++step) {
      const Member member{make_string(out_.arena, *step), wrapped};
      wrapped = make_object(out_.arena, {&member, 1});
    }
    std::vector<std::string> at;
    std::string conflict;
    const Value merged = merged_objects(out_.data, wrapped, at, conflict);
    if (conflict.empty()) {
      out_.data = merged;
      sources_.emplace_back(path, wrapped);
      return;
    }
    std::string message = path + ": merge error: conflicting values at " + conflict;
    const std::string other = first_with(conflict);
    if (!other.empty()) message += ", also defined in " + other;
    fail(std::move(message));
  }

  Value merged_objects(const Value& a, const Value& b, std::vector<std::string>& at, std::string& conflict) {
    std::vector<Member> members;
    for (std::uint32_t i = 0; i < a.size(); ++i) members.push_back({a.keys()[i], a.values()[i]});
    for (std::uint32_t i = 0; i < b.size(); ++i) {
      const Value held = a.get(b.keys()[i]);
      at.emplace_back(b.keys()[i].as_string());
      if (!held.defined()) {
        members.push_back({b.keys()[i], b.values()[i]});
      } else if (held.is_object() && b.values()[i].is_object()) {
        members.push_back({b.keys()[i], merged_objects(held, b.values()[i], at, conflict)});
      } else if (conflict.empty()) {
        conflict = joined(at);
      }
      at.pop_back();
    }
    return make_object(out_.arena, members);
  }

  // The first file that gave a value at `place` ("data.a.b").
  std::string first_with(std::string_view place) const {
    for (const auto& [path, document] : sources_) {
      Value at = document;
      bool first = true;
      for (const std::string_view step : text::split(place, '.')) {
        if (!first) at = at.get(step);
        first = false;
      }
      if (at.defined()) return path;
    }
    return {};
  }

  Loaded& out_;
  const std::vector<std::string>& ignored_;
  rego::RegoVersion version_;
  LoadMode mode_;
  std::vector<std::pair<std::string, Value>> sources_;
};

}  // namespace

bool Loaded::has_data(std::span<const std::string_view> path) const {
  Value at = data;
  for (const std::string_view step : path) {
    at = at.get(step);
    if (!at.defined()) return false;
  }
  return at.defined();
}

void load_paths(const std::vector<std::string>& paths, const std::vector<std::string>& ignored,
                rego::RegoVersion version, Loaded& out, LoadMode mode) {
  if (!out.data.defined()) out.data = make_object(out.arena, {});
  Loader loader(out, ignored, version, mode);
  for (const std::string& path : paths) loader.load(path);
}

Result<std::string> read_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) {
    const int why = errno;
    std::string reason = std::generic_category().message(why);
    if (!reason.empty()) reason.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(reason.front())));
    return make_error(Code::kNotFound, "open " + path + ": " + reason);
  }
  std::string out;
  char buffer[65536];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, file.get())) > 0;) out.append(buffer, n);
  if (std::ferror(file.get()) != 0) return make_error(Code::kNotFound, "read " + path + ": is a directory");
  return out;
}

Result<Value> parse_document(Arena& arena, std::string_view text, bool comments) {
  ParseLimits limits;
  limits.max_bytes = std::size_t{1} << 30;
  limits.allow_comments = comments;
  const std::string_view kept = arena.copy(text);
  Result<Value> json = parse_json_into(arena, kept, limits);
  if (json.ok()) return json;
  limits.allow_comments = false;
  Result<Document> yaml = parse_yaml(text, YamlSchema::kOpa, limits);
  // What begins as JSON is meant as JSON: its error says more than the YAML reader's.
  if (!yaml.ok()) return comments && text.find("//") != std::string_view::npos ? json.error() : yaml.error();
  return yaml->root().defined() ? deep_copy(arena, yaml->root()) : Value::undefined();
}

}  // namespace portcullis::opa
