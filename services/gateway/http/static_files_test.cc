#include "services/gateway/http/static_files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"

namespace ridestream::gateway {
namespace {

namespace fs = std::filesystem;

class StaticFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Write("secret.txt", "not for the web");
    Write("page/index.html", "<html>");
    Write("page/assets/app-1a2b.js", "let x;");
    Write("page/icon.svg", "<svg/>");
    auto files = StaticFiles::Load(folder_.path() + "/page");
    ASSERT_THAT(files, testing::IsOk());
    files_ = *std::move(files);
  }
  void Write(const std::string& name, const std::string& text) {
    const fs::path path = fs::path(folder_.path()) / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  Response Get(const std::string& path, const Headers& headers = {}) {
    Request request;
    request.method = "GET";
    request.path = path;
    request.headers = headers;
    return files_.Serve(request);
  }

  ridestream::testing::TempFolder folder_;
  StaticFiles files_;
};

TEST_F(StaticFilesTest, ServesFilesWithTheirTypes) {
  EXPECT_EQ(*Get("/").body, "<html>");
  EXPECT_EQ(Get("/").headers.Get("content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(Get("/assets/app-1a2b.js").headers.Get("content-type"),
            "text/javascript; charset=utf-8");
  EXPECT_EQ(Get("/icon%2Esvg").headers.Get("content-type"), "image/svg+xml");
}

TEST_F(StaticFilesTest, LeavesPathsOfThePageToThePage) {
  EXPECT_EQ(*Get("/trips/t-17").body, "<html>");
  EXPECT_EQ(Get("/missing.js").status, 404);
}

TEST_F(StaticFilesTest, ServesNoFileOutsideTheFolder) {
  for (const char* path : {"/../secret.txt", "/%2e%2e/secret.txt", "/assets/../../secret.txt",
                           "//secret.txt", "/..%2fsecret.txt", "secret.txt"}) {
    EXPECT_EQ(Get(path).status, 404) << path;
  }
}

TEST_F(StaticFilesTest, LetsBrowsersCacheFilesThatNeverChange) {
  EXPECT_EQ(Get("/assets/app-1a2b.js").headers.Get("cache-control"),
            "public, max-age=31536000, immutable");
  const Response first = Get("/");
  EXPECT_EQ(first.headers.Get("cache-control"), "no-cache");
  const Response again = Get("/", {{"if-none-match", std::string(first.headers.Get("etag"))}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, nullptr);
  EXPECT_EQ(Get("/", {{"if-none-match", "\"other\""}}).status, 200);
}

TEST_F(StaticFilesTest, CanOnlyBeRead) {
  Request request;
  request.method = "DELETE";
  request.path = "/";
  const Response response = files_.Serve(request);
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.headers.Get("allow"), "GET, HEAD");
}

TEST_F(StaticFilesTest, RefusesAFolderWithoutAnIndex) {
  EXPECT_THAT(StaticFiles::Load(folder_.path()),
              testing::StatusIs(absl::StatusCode::kNotFound, "no index.html"));
  EXPECT_THAT(StaticFiles::Load(folder_.path() + "/nowhere"),
              testing::StatusIs(absl::StatusCode::kNotFound, "nowhere"));
}

}  // namespace
}  // namespace ridestream::gateway
