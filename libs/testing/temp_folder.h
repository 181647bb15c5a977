#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "gtest/gtest.h"

namespace ridestream::testing {

/// A new folder that is removed by the destructor.
class TempFolder {
 public:
  TempFolder() {
    std::string pattern = ::testing::TempDir() + "/ridestream-XXXXXX";
    const char* made = mkdtemp(pattern.data());
    EXPECT_NE(made, nullptr) << "can't make a folder in " << ::testing::TempDir();
    path_ = pattern;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Drops this process's special rights while it exists, so that a test that runs as root is refused
/// access like any other user.
class WithoutRights {
 public:
  WithoutRights() {
    if (geteuid() == 0) dropped_ = seteuid(65534) == 0;
  }
  ~WithoutRights() {
    if (!dropped_) return;
    EXPECT_EQ(seteuid(0), 0);
  }
  WithoutRights(const WithoutRights&) = delete;
  WithoutRights& operator=(const WithoutRights&) = delete;

 private:
  bool dropped_ = false;
};

}  // namespace ridestream::testing
