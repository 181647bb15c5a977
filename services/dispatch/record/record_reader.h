#pragma once

#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/dispatch/record/record.pb.h"

namespace ridestream::dispatch {

/// Reads a record, batch by batch. Not thread-safe.
class RecordReader {
 public:
  /// NOT_FOUND if the file can't be opened, INVALID_ARGUMENT if it is no record,
  /// FAILED_PRECONDITION if it has another format than kRecordFormat.
  static absl::StatusOr<std::unique_ptr<RecordReader>> Open(const std::string& path);

  const record::Header& header() const { return header_; }
  /// The next entry or gap; nullopt after the last of the last whole batch. DATA_LOSS if the file
  /// is damaged there.
  absl::StatusOr<std::optional<record::Record>> Next();
  /// After the end: the last batch wasn't whole, as after a kill, and was left out.
  bool torn() const { return torn_; }

 private:
  explicit RecordReader(const std::string& path);
  /// Inflates the next member into batch_. False at the end.
  absl::StatusOr<bool> ReadBatch();
  absl::Status Damaged(const std::string& how) const;

  const std::string path_;
  std::ifstream file_;
  record::Header header_;
  /// Read from the file and not inflated.
  std::string input_;
  std::string batch_;
  std::size_t batch_read_ = 0;
  std::uint64_t batches_ = 0;
  bool torn_ = false;
};

}  // namespace ridestream::dispatch
