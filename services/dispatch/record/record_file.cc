#include "services/dispatch/record/record_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "libs/base/invariant.h"
#include "services/dispatch/record/event_recorder.h"

namespace ridestream::dispatch {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".record.gz";
constexpr int kGzip = 16;  // Added to the window's bits.
constexpr int kMemoryLevel = 8;

struct RecordName {
  std::string market;
  std::uint64_t number = 0;

  friend auto operator<=>(const RecordName&, const RecordName&) = default;
};

/// Nothing for a file that is no record.
std::optional<RecordName> ParseName(std::string_view file) {
  if (!file.ends_with(kSuffix)) return std::nullopt;
  file.remove_suffix(kSuffix.size());
  const std::size_t dot = file.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  RecordName name{std::string(file.substr(0, dot))};
  const std::string_view digits = file.substr(dot + 1);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), name.number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return name;
}

absl::Status CannotWrite(const std::string& path, int error) {
  return absl::UnavailableError(
      fmt::format("{}: can't be written: {}", path, std::generic_category().message(error)));
}

absl::Status WriteAll(int file, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return CannotWrite(path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return absl::OkStatus();
}

/// One gzip member. The fastest level: most of a record is numbers that hardly compress better.
std::string Gzip(std::string_view bytes) {
  z_stream stream{};
  const bool begun = deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + kGzip,
                                  kMemoryLevel, Z_DEFAULT_STRATEGY) == Z_OK;
  if (!RIDESTREAM_INVARIANT(begun, "zlib accepts its own levels")) return "";
  std::string member(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(member.data());
  stream.avail_out = static_cast<uInt>(member.size());
  const bool ended = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  member.resize(stream.total_out);
  deflateEnd(&stream);
  if (!RIDESTREAM_INVARIANT(ended, "a deflated batch fits deflateBound")) return "";
  return member;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ListRecords(const std::string& folder,
                                                     const std::string& market) {
  std::error_code error;
  std::vector<std::pair<RecordName, std::string>> found;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    auto name = ParseName(entry->path().filename().string());
    if (name && (market.empty() || name->market == market)) {
      found.emplace_back(*std::move(name), entry->path().string());
    }
  }
  if (error) return absl::NotFoundError(fmt::format("{}: {}", folder, error.message()));
  std::sort(found.begin(), found.end());
  std::vector<std::string> paths;
  for (auto& [name, path] : found) paths.push_back(std::move(path));
  return paths;
}

absl::StatusOr<std::unique_ptr<RecordFile>> RecordFile::Create(const std::string& folder,
                                                               record::Header header,
                                                               std::uint64_t limit_bytes) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return CannotWrite(folder, error.value());
  const auto older = ListRecords(folder, header.market());
  if (!older.ok()) return older.status();
  std::uint64_t number = 1;
  if (!older->empty()) number += ParseName(fs::path(older->back()).filename().string())->number;
  const std::string path = fmt::format("{}/{}.{:06}{}", folder, header.market(), number, kSuffix);
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  if (file < 0) return CannotWrite(path, errno);
  std::unique_ptr<RecordFile> made(new RecordFile(path, file, limit_bytes));
  for (auto old = older->rbegin(); old != older->rend(); ++old) {
    const std::uintmax_t bytes = fs::file_size(*old, error);
    if (!error) made->older_.push_back({*old, bytes});
  }
  header.set_format(kRecordFormat);
  record::Record record;
  *record.mutable_header() = std::move(header);
  std::string batch;
  AppendDelimited(record, batch);
  if (absl::Status status = made->Write(batch); !status.ok()) return status;
  return made;
}

RecordFile::RecordFile(std::string path, int file, std::uint64_t limit_bytes)
    : path_(std::move(path)), file_(file), limit_bytes_(limit_bytes) {}

RecordFile::~RecordFile() { close(file_); }

absl::Status RecordFile::Write(std::string_view batch) {
  const std::string member = Gzip(batch);
  if (absl::Status status = MakeRoom(member.size()); !status.ok()) return status;
  if (absl::Status status = WriteAll(file_, member, path_); !status.ok()) return status;
  bytes_ += member.size();
  return absl::OkStatus();
}

absl::Status RecordFile::MakeRoom(std::uint64_t bytes) {
  std::uint64_t used = bytes_ + bytes;
  if (used > limit_bytes_) {
    return absl::ResourceExhaustedError(
        fmt::format("{}: has reached the limit of {} bytes", path_, limit_bytes_));
  }
  for (const Older& older : older_) used += older.bytes;
  for (; used > limit_bytes_; older_.pop_back()) {
    std::error_code error;
    // A file that somebody else removed needs no room either.
    fs::remove(older_.back().path, error);
    if (error) return CannotWrite(older_.back().path, error.value());
    used -= older_.back().bytes;
  }
  return absl::OkStatus();
}

}  // namespace ridestream::dispatch
