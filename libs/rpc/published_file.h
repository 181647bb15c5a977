#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace ridestream::rpc {

/// A file in memory that other code of this process reads by path, and whose content is replaced at
/// once: who opens it sees the whole of one version. It never touches a disk. Thread-compatible.
class PublishedFile {
 public:
  PublishedFile() = default;
  ~PublishedFile();
  PublishedFile(const PublishedFile&) = delete;
  PublishedFile& operator=(const PublishedFile&) = delete;

  absl::Status Publish(std::string_view content);
  /// Empty before the first Publish; always the same afterwards.
  const std::string& path() const { return path_; }

 private:
  int descriptor_ = -1;
  std::string path_;
};

}  // namespace ridestream::rpc
