#pragma once

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "services/gateway/http/message.h"

namespace ridestream::gateway {

/// The files of a folder with a web page. They are read into memory once. A path is looked up there
/// and never opened, so no path leads out of the folder. Immutable.
class StaticFiles {
 public:
  /// NOT_FOUND if there is no such folder or no index.html in it, RESOURCE_EXHAUSTED if it holds
  /// more than 128 MiB.
  static absl::StatusOr<StaticFiles> Load(const std::string& folder);
  StaticFiles() = default;

  /// Answers GET and HEAD, with 404 if there is no such file. A path whose last part has no
  /// extension is a route of the page, and gets index.html. Files in assets/ have their hash in
  /// their names, so browsers cache them forever. Browsers request other files again, and get 304
  /// if they haven't changed.
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
