#include "services/gateway/http/static_files.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <utility>

#include "absl/strings/ascii.h"
#include "services/gateway/http/problem.h"
#include "services/gateway/http/query.h"

namespace ridestream::gateway {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMaxBytes = 128 << 20;
constexpr std::string_view kIndex = "/index.html";

constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".geojson", "application/geo+json"},
    {".map", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".webp", "image/webp"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".wasm", "application/wasm"},
    {".pbf", "application/x-protobuf"},
    {".txt", "text/plain; charset=utf-8"},
};

std::string TypeOf(const fs::path& path) {
  const std::string extension = absl::AsciiStrToLower(path.extension().string());
  for (const auto& [known, type] : kTypes) {
    if (extension == known) return std::string(type);
  }
  return "application/octet-stream";
}

}  // namespace

absl::StatusOr<StaticFiles> StaticFiles::Load(const std::string& folder) {
  StaticFiles files;
  std::error_code error;
  std::uintmax_t total = 0;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (!entry->is_regular_file(error)) continue;
    std::ifstream in(entry->path(), std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    if (!in) return absl::NotFoundError(fmt::format("{}: can't be read", entry->path().string()));
    total += bytes.size();
    if (total > kMaxBytes) {
      return absl::ResourceExhaustedError(
          fmt::format("{}: has more than {} bytes", folder, kMaxBytes));
    }
    const std::string path = "/" + fs::relative(entry->path(), folder).generic_string();
    File& file = files.files_[path];
    file.etag = fmt::format("\"{:016x}-{:x}\"", std::hash<std::string_view>()(bytes), bytes.size());
    file.bytes = Share(std::move(bytes));
    file.type = TypeOf(entry->path());
    file.keeps = path.starts_with("/assets/");
  }
  if (error) return absl::NotFoundError(fmt::format("{}: {}", folder, error.message()));
  if (!files.files_.contains(kIndex)) {
    return absl::NotFoundError(fmt::format("{}: has no index.html", folder));
  }
  return files;
}

Response StaticFiles::Serve(const Request& request) const {
  const std::string path = PercentDecode(request.path);
  auto found = files_.find(path);
  const std::size_t last = path.rfind('/');
  if (found == files_.end() &&
      path.find('.', last == std::string::npos ? 0 : last) == std::string::npos) {
    found = files_.find(kIndex);
  }
  if (found == files_.end()) {
    return Problem(404, absl::StatusCode::kNotFound, fmt::format("there is no {}", path));
  }
  if (request.method != "GET" && request.method != "HEAD") {
    Response response = Problem(405, absl::StatusCode::kUnimplemented,
                                fmt::format("{} takes GET, HEAD, not {}", path, request.method));
    response.headers.Add("allow", "GET, HEAD");
    return response;
  }
  const File& file = found->second;
  Response response{.status = 200,
                    .headers = {{"etag", file.etag},
                                {"cache-control",
                                 file.keeps ? "public, max-age=31536000, immutable" : "no-cache"}}};
  if (request.headers.Get("if-none-match").find(file.etag) != std::string_view::npos) {
    response.status = 304;
    return response;
  }
  response.headers.Add("content-type", file.type);
  response.body = file.bytes;
  return response;
}

}  // namespace ridestream::gateway
