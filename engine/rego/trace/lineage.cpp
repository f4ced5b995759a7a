// Which events an explanation shows, and how it prints them.
#include <algorithm>
#include <set>
#include <unordered_map>

#include "engine/rego/trace/explain.h"

namespace portcullis::rego::trace {

namespace {

constexpr std::size_t kWidestPlace = 64;  // longer ones are shortened
constexpr std::size_t kPadding = 5;

// Keeps what `wanted` says, each with the rules and bodies that lead to it.
template <typename Wanted>
std::vector<Explainer::Line> with_paths(const std::vector<Explainer::Line>& all, Wanted wanted) {
  std::vector<Explainer::Line> out;
  std::unordered_map<std::uint64_t, const Explainer::Line*> frames;
  for (const Explainer::Line& line : all) {
    if (wanted(line)) {
      std::vector<const Explainer::Line*> path{&line};
      const Explainer::Line* previous = nullptr;
      const auto frame = [&](std::uint64_t query) {
        const auto at = frames.find(query);
        return at == frames.end() ? nullptr : at->second;
      };
      for (const Explainer::Line* at = frame(line.query); at != nullptr && at != previous; at = frame(at->parent)) {
        path.push_back(at);
        previous = at;
      }
      for (auto at = path.rbegin(); at != path.rend(); ++at) out.push_back(**at);
      frames.clear();
    }
    if (line.frame && (line.op == Op::kEnter || line.op == Op::kRedo)) frames[line.query] = &line;
  }
  return out;
}

std::string folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  std::string out(slash == std::string_view::npos ? std::string_view() : path.substr(0, slash));
  if (out.starts_with('/')) out.erase(0, 1);
  return out;
}

std::string common_part(const std::vector<std::string>& folders) {
  const std::string& first = folders.front();
  for (std::size_t size = first.size(); size > 0; --size) {
    for (std::size_t at = 0; at + size <= first.size(); ++at) {
      const std::string part = first.substr(at, size);
      if (std::all_of(folders.begin(), folders.end(),
                      [&](const std::string& folder) { return folder.find(part) != std::string::npos; })) {
        return part;
      }
    }
  }
  return {};
}

// What the files are called in the column of places: the part that all share is cut to "..." where names are long.
std::unordered_map<std::string, std::string> short_names(const std::vector<Explainer::Line>& lines) {
  std::unordered_map<std::string, std::string> out;
  std::vector<std::string> folders;
  std::size_t widest = 0;
  for (const Explainer::Line& line : lines) {
    const std::size_t name = line.file.empty() ? std::string_view("query").size() : line.file.size();
    widest = std::max(widest, name + 1 + std::to_string(line.row).size());
    if (!line.file.empty() && out.emplace(line.file, line.file).second) folders.push_back(folder_of(line.file));
  }
  if (folders.empty() || widest <= kWidestPlace) return out;
  std::string common = folders.size() > 1 ? common_part(folders) : folders.front();
  const auto spare = static_cast<std::ptrdiff_t>(kWidestPlace) -
                     (static_cast<std::ptrdiff_t>(widest) - static_cast<std::ptrdiff_t>(common.size()) + 3);
  if (spare > 0) common.resize(common.size() - std::min(common.size(), static_cast<std::size_t>(spare)));
  if (common.size() <= 3) return out;
  for (auto& [file, name] : out) {
    const std::size_t at = name.find(common);
    if (at != std::string::npos) name.replace(at, common.size(), "...");
  }
  return out;
}

}  // namespace

void Explainer::event(const Event& event) {
  if (lines_.size() >= 5'000'000) return;  // an explanation that long is read by nobody
  Line line;
  line.op = event.op;
  line.frame = event.rule != nullptr || event.body != nullptr;
  line.query = event.query;
  line.parent = event.parent;
  if (event.location != nullptr) {
    line.file = event.location->file;
    line.row = event.location->row;
    line.column = event.location->column;
  }
  line.message = event.message;
  line.text = text_of(event, query_.variables);
  lines_.push_back(std::move(line));
}

std::vector<Explainer::Line> Explainer::lines() const {
  std::vector<Line> out;
  if (detail_ == Detail::kNotes) {
    out = with_paths(lines_, [](const Line& line) { return line.op == Op::kNote; });
  } else if (detail_ == Detail::kFails) {
    out = with_paths(lines_, [](const Line& line) { return line.op == Op::kFail; });
  } else {
    out = lines_;
  }
  std::unordered_map<std::uint64_t, std::uint32_t> depths;
  for (Line& line : out) {
    std::uint32_t& depth = depths[line.query];
    if (depth == 0) {
      const auto above = depths.find(line.parent);
      const std::uint32_t of_parent = above == depths.end() ? 0 : above->second;
      depths[line.query] = of_parent + 1;
    }
    line.depth = depths[line.query];
  }
  return out;
}

std::string Explainer::to_string() const {
  const std::vector<Line> shown = lines();
  const auto names = short_names(shown);
  std::vector<std::string> places;
  std::size_t width = 0;
  for (const Line& line : shown) {
    const std::string name = line.file.empty() ? "query" : names.at(line.file);
    places.push_back(line.row == 0 ? std::string() : name + ":" + std::to_string(line.row));
    width = std::max(width, places.back().size());
  }
  std::string out;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const Line& line = shown[i];
    out += places[i] + std::string(width - places[i].size() + kPadding, ' ');
    const bool outside = line.op == Op::kEnter || (line.op == Op::kRedo && line.frame);
    for (std::uint32_t level = outside ? 1 : 0; level < line.depth; ++level) out += "| ";
    out += op_name(line.op);
    if (line.op == Op::kNote) {
      out += " \"" + line.message + "\"\n";
      continue;
    }
    out += " " + line.text;
    if (!line.message.empty()) out += " " + line.message;
    out += "\n";
  }
  return out;
}

}  // namespace portcullis::rego::trace
