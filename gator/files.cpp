#include "gator/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/text.h"

namespace portcullis::gator {
namespace {

// Bounds a file that somebody names by mistake.
constexpr std::size_t kMaxFile = std::size_t{1} << 30;

// Go's words for errno values begin in lower case.
std::string errno_text(int error) {
  std::string out = std::strerror(error);
  if (!out.empty() && out[0] >= 'A' && out[0] <= 'Z') out[0] = static_cast<char>(out[0] - 'A' + 'a');
  return out;
}

Error path_error(std::string_view operation, std::string_view shown, int error) {
  const Code code = error == ENOENT ? Code::kNotFound : Code::kInvalid;
  return make_error(code, std::string(operation) + " " + std::string(shown) + ": " + errno_text(error));
}

Result<void> walk(const std::string& path, bool recursive, int depth, std::vector<std::string>& out) {
  std::error_code error;
  std::filesystem::directory_iterator entries(path, error);
  if (error) return path_error("open", path, error.value());
  std::vector<std::string> names;
  for (const auto& entry : entries) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    const std::string below = path.ends_with('/') ? path + name : path + "/" + name;
    struct stat info{};
    if (::lstat(below.c_str(), &info) != 0) return path_error("lstat", below, errno);
    if (S_ISDIR(info.st_mode)) {
      if (recursive && depth > 0) PC_TRY_VOID(walk(below, recursive, depth - 1, out));
    } else {
      out.push_back(below);
    }
  }
  return ok();
}

constexpr int kMaxDepth = 200;

}  // namespace

Result<std::string> read_file(const std::string& path, std::string_view shown) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return path_error("open", shown, errno);
  std::string out;
  char buffer[65536];
  for (;;) {
    const ssize_t n = ::read(fd, buffer, sizeof buffer);
    if (n == 0) break;
    if (n < 0) {
      if (errno == EINTR) continue;
      const int error = errno;
      ::close(fd);
      return path_error("read", shown, error);
    }
    out.append(buffer, static_cast<std::size_t>(n));
    if (out.size() > kMaxFile) {
      ::close(fd);
      return make_error(Code::kLimit, "read " + std::string(shown) + ": file is larger than 1 GiB");
    }
  }
  ::close(fd);
  return out;
}

Result<PathKind> stat_path(const std::string& path, std::string_view shown) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return path_error("stat", shown, errno);
  return S_ISDIR(info.st_mode) ? PathKind::kDirectory : PathKind::kFile;
}

Result<std::vector<std::string>> files_below(const std::string& path) {
  std::vector<std::string> out;
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) return path_error("lstat", path, errno);
  if (!S_ISDIR(info.st_mode)) {
    out.push_back(path);
    return out;
  }
  // A walk joins names to the cleaned path, but for the root that was given.
  PC_TRY_VOID(walk(clean_path(path), true, kMaxDepth, out));
  return out;
}

Result<std::vector<std::string>> files_in(const std::string& path) {
  std::vector<std::string> out;
  PC_TRY_VOID(walk(path, false, 0, out));
  return out;
}

std::string_view extension(std::string_view path) noexcept {
  for (std::size_t i = path.size(); i > 0 && path[i - 1] != '/'; --i) {
    if (path[i - 1] == '.') return path.substr(i - 1);
  }
  return {};
}

bool is_yaml(std::string_view path) noexcept {
  const std::string_view ext = extension(path);
  return ext == ".yaml" || ext == ".yml";
}

std::string clean_path(std::string_view path) {
  if (path.empty()) return ".";
  const bool rooted = path.front() == '/';
  std::vector<std::string_view> kept;
  for (const std::string_view part : text::split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == ".." && !kept.empty() && kept.back() != "..") {
      kept.pop_back();
    } else if (part != ".." || !rooted) {
      kept.push_back(part);
    }
  }
  std::string out = rooted ? "/" : "";
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (i != 0) out += '/';
    out += kept[i];
  }
  return out.empty() ? "." : out;
}

std::string join_path(std::string_view a, std::string_view b) {
  if (a.empty() && b.empty()) return {};
  if (a.empty()) return clean_path(b);
  if (b.empty()) return clean_path(a);
  return clean_path(std::string(a) + "/" + std::string(b));
}

std::string directory_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return clean_path(path.substr(0, slash + 1));
}

std::string absolute_path(std::string_view path) {
  if (!path.empty() && path.front() == '/') return clean_path(path);
  std::error_code error;
  const std::string here = std::filesystem::current_path(error).string();
  return join_path(here, path);
}

}  // namespace portcullis::gator
