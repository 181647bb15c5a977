#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace ridestream::rpc {

/// A file in memory that other code in this process reads by path. Its content is replaced
/// atomically: a reader sees one version as a whole. It never touches a disk. Thread-compatible.
class PublishedFile {
 public:
  PublishedFile() = default;
  ~PublishedFile();
  PublishedFile(const PublishedFile&) = delete;
  PublishedFile& operator=(const PublishedFile&) = delete;

  absl::Status Publish(std::string_view content);
  /// Empty before the first Publish; constant afterwards.
  const std::string& path() const { return path_; }

 private:
  int descriptor_ = -1;
  std::string path_;
};

}  // namespace ridestream::rpc
