#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/dispatch/record/record.pb.h"

namespace ridestream::dispatch {

/// What the format of records is called. Raised by every change that lets an older record be read
/// or replayed differently.
inline constexpr std::uint32_t kRecordFormat = 1;

/// A file that is a record of one market in one life of a process: the header and then batches,
/// each a gzip member, so that `zcat` reads it and a kill costs at most the batch that was being
/// written. Not thread-safe.
class RecordFile {
 public:
  /// A new file in the folder, which is made if it is missing: MARKET.NUMBER.record.gz, with the
  /// next number. Sets the header's format. `limit_bytes` bounds this market's records in the
  /// folder, older ones included. UNAVAILABLE if it can't be written.
  static absl::StatusOr<std::unique_ptr<RecordFile>> Create(const std::string& folder,
                                                            record::Header header,
                                                            std::uint64_t limit_bytes);
  ~RecordFile();

  /// Writes a batch of length-delimited Records. Removes the market's oldest records where the
  /// limit asks for it, but never this one: RESOURCE_EXHAUSTED if it alone would exceed the limit.
  /// UNAVAILABLE if it can't be written. No more may be written after an error.
  absl::Status Write(std::string_view batch);

  const std::string& path() const { return path_; }
  /// Size of this file.
  std::uint64_t bytes() const { return bytes_; }

 private:
  RecordFile(std::string path, int file, std::uint64_t limit_bytes);
  absl::Status MakeRoom(std::uint64_t bytes);

  const std::string path_;
  const int file_;
  const std::uint64_t limit_bytes_;
  std::uint64_t bytes_ = 0;
  struct Older {
    std::string path;
    std::uint64_t bytes = 0;
  };
  /// The oldest last.
  std::vector<Older> older_;
};

/// The market's records in the folder, the oldest first; of all markets if `market` is empty.
/// NOT_FOUND if there is no such folder.
absl::StatusOr<std::vector<std::string>> ListRecords(const std::string& folder,
                                                     const std::string& market);

}  // namespace ridestream::dispatch
