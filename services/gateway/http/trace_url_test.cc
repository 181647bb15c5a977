#include "services/gateway/http/trace_url.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "libs/testing/status_matchers.h"

namespace ridestream::gateway {
namespace {

TEST(TraceUrl, IsAnyPlainHttpUrlWithThePlaceholder) {
  for (const char* url :
       {"http://localhost:16686/trace/{trace_id}", "https://traces.example/?id={trace_id}&tab=1",
        "http://127.0.0.1:3000/d/ridestream-traces/traces?var-trace={trace_id}",
        "https://[2001:db8::1]/#{trace_id}", "http://t/a%20b/{trace_id}"}) {
    EXPECT_THAT(CheckTraceUrl(url), testing::IsOk()) << url;
  }
}

TEST(TraceUrl, RefusesWhatIsNoPlainLink) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "http:// or https://"},
      {"javascript:alert('{trace_id}')", "http:// or https://"},
      {"//t/{trace_id}", "http:// or https://"},
      {" http://t/{trace_id}", "http:// or https://"},
      {"http:///{trace_id}", "a host"},
      {"http://ada:secret@t/{trace_id}", "no user"},
      {"http://{trace_id}.t/", "a host"},
      {"http://t", "{trace_id}"},
      {"http://t/{traceid}", "{trace_id}"},
      {"http://t/{trace_id}/{trace_id}", "once"},
      {"http://t/{trace_id}?a=b c", "percent-encode"},
      {"http://t/{trace_id}\"onclick=", "percent-encode"},
      {"http://t/<{trace_id}>", "percent-encode"},
      {"http://t/{trace_id}\n", "percent-encode"},
      {"http://t/{trace_id}" + std::string(2'048, 'a'), "2,048"}};
  for (const auto& [url, message] : cases) {
    EXPECT_THAT(CheckTraceUrl(url), testing::StatusIs(absl::StatusCode::kInvalidArgument, message))
        << url;
  }
}

}  // namespace
}  // namespace ridestream::gateway
