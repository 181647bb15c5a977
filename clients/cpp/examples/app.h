#pragma once

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "absl/strings/ascii.h"
#include "ridestream/client/connection.h"

namespace app {

inline std::string Read(const char* variable) {
  const char* path = std::getenv(variable);
  std::ostringstream content;
  content << std::ifstream(path == nullptr ? "" : path).rdbuf();
  return content.str();
}

/// From the environment: RIDESTREAM_ADDRESS, and the files RIDESTREAM_ROOTS with the authorities
/// and RIDESTREAM_TOKEN_FILE with a token.
inline ridestream::client::Connection Connection() {
  const char* address = std::getenv("RIDESTREAM_ADDRESS");
  return {.address = address == nullptr ? "127.0.0.1:7443" : address,
          .token =
              [] { return std::string(absl::StripAsciiWhitespace(Read("RIDESTREAM_TOKEN_FILE"))); },
          .roots = Read("RIDESTREAM_ROOTS")};
}

/// Ends the program at the first error.
inline void Check(const absl::Status& status) {
  if (status.ok()) return;
  std::cerr << status << '\n';
  std::exit(1);
}

template <typename T>
T Check(absl::StatusOr<T> result) {
  Check(result.status());
  return *std::move(result);
}

}  // namespace app
