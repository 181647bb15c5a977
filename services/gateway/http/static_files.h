#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "services/gateway/http/message.h"

namespace ridestream::gateway {

/// The files of a folder, as a page is made of them. They are read once, into memory: a path is
/// looked up, never opened, so no path leads out of the folder. Immutable.
class StaticFiles {
 public:
  /// NOT_FOUND if there is no such folder or no index.html in it, RESOURCE_EXHAUSTED if it holds
  /// more than 128 MiB.
  static absl::StatusOr<StaticFiles> Load(const std::string& folder);
  StaticFiles() = default;

  /// Answers GET and HEAD; 404 for what isn't there. A path whose last part has no extension is the
  /// page's own matter, and gets index.html. Files in assets/ have their hash in their names, and
  /// is cached by browsers forever; the rest is requested again, and answered by 304 if it is the
  /// same.
  Response Serve(const Request& request) const;
  bool empty() const { return files_.empty(); }

 private:
  struct File {
    SharedBytes bytes;
    std::string type;
    std::string etag;
    bool keeps = false;
  };
  std::map<std::string, File, std::less<>> files_;
};

}  // namespace ridestream::gateway
