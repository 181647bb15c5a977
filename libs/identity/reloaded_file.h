#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "libs/base/mutex.h"

namespace ridestream::identity {

/// Reads a whole file. NOT_FOUND, PERMISSION_DENIED or another system error if it can't be read;
/// RESOURCE_EXHAUSTED beyond `max_bytes`.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path, std::size_t max_bytes);

/// Logs that a file was reloaded; or, with an error, why it wasn't and that the earlier content
/// stays in use.
void LogReload(const std::string& path, const absl::Status& status);

/// What metrics say about a file that is read again and again. Thread-safe.
class FileHealth {
 public:
  virtual ~FileHealth() = default;
  /// Number of times that the file couldn't be used when it was read again.
  std::uint64_t failures() const { return failures_; }
  /// Whether the file currently can't be used and an earlier value is in use.
  bool stale() const { return stale_; }

 protected:
  std::atomic<std::uint64_t> failures_ = 0;
  std::atomic<bool> stale_ = false;
};

/// The parsed content of a file, or of another source, kept up to date. Reload reads it again;
/// while it is missing or can't be parsed, the last good value stays in use. The owner calls
/// Reload, e.g. every second. Thread-safe.
template <class T>
class ReloadedFile final : public FileHealth {
 public:
  using Parser = std::function<absl::StatusOr<std::shared_ptr<const T>>(std::string_view)>;
  using Reader = std::function<absl::StatusOr<std::string>()>;

  /// Fails if the file can't be used, because there is no earlier value yet.
  static absl::StatusOr<std::unique_ptr<ReloadedFile>> Open(std::string path, std::size_t max_bytes,
                                                            Parser parse) {
    return Open(
        path, [path, max_bytes] { return ReadWholeFile(path, max_bytes); }, std::move(parse));
  }
  /// `read` returns the content of the source that `path` names; Open and Reload call it.
  static absl::StatusOr<std::unique_ptr<ReloadedFile>> Open(std::string path, Reader read,
                                                            Parser parse) {
    std::unique_ptr<ReloadedFile> file(
        new ReloadedFile(std::move(path), std::move(read), std::move(parse)));
    if (absl::Status status = file->Read(); !status.ok()) {
      return absl::Status(status.code(), file->path_ + ": " + std::string(status.message()));
    }
    return file;
  }

  std::shared_ptr<const T> value() const {
    MutexLock lock(mu_);
    return value_;
  }

  /// Logs each change, and each new failure once.
  void Reload() {
    std::string error;
    std::uint64_t loads = loads_;
    const absl::Status status = Read();
    if (status.ok()) {
      stale_ = false;
    } else {
      error = std::string(status.message());
      ++failures_;  // First, so that a stale file has at least one.
      stale_ = true;
    }
    MutexLock lock(mu_);
    if (loads != loads_ || error != last_error_) LogReload(path_, status);
    last_error_ = std::move(error);
  }

 private:
  ReloadedFile(std::string path, Reader read, Parser parse)
      : path_(std::move(path)), read_(std::move(read)), parse_(std::move(parse)) {}

  absl::Status Read() {
    absl::StatusOr<std::string> content = read_();
    if (!content.ok()) return content.status();
    {
      MutexLock lock(mu_);
      if (value_ != nullptr && *content == content_) return absl::OkStatus();
    }
    absl::StatusOr<std::shared_ptr<const T>> value = parse_(*content);
    if (!value.ok()) return value.status();
    MutexLock lock(mu_);
    value_ = *std::move(value);
    content_ = *std::move(content);
    ++loads_;
    return absl::OkStatus();
  }

  const std::string path_;
  const Reader read_;
  const Parser parse_;
  std::atomic<std::uint64_t> loads_ = 0;

  mutable Mutex mu_;
  std::shared_ptr<const T> value_ ABSL_GUARDED_BY(mu_);
  std::string content_ ABSL_GUARDED_BY(mu_);
  std::string last_error_ ABSL_GUARDED_BY(mu_);
};

}  // namespace ridestream::identity
