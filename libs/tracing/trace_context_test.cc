#include "libs/tracing/trace_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace ridestream::tracing {
namespace {

constexpr char kValid[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceContextTest, ReadsAndWritesTheHeader) {
  const auto context = ParseTraceContext(kValid, "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_id, (TraceId{0x0af7651916cd43dd, 0x8448eb211c80319c}));
  EXPECT_EQ(context->span_id, SpanId{0xb7ad6b7169203331});
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(context->trace_state, "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
  EXPECT_EQ(FormatTraceParent(*context), kValid);
  EXPECT_EQ(context->trace_id.ToHex(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(context->span_id.ToHex(), "b7ad6b7169203331");
}

TEST(TraceContextTest, AcceptsWhatTheSpecificationAllows) {
  struct Case {
    const char* what;
    const char* traceparent;
    const char* sent_on;
  } const cases[] = {
      {"not sampled", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
       "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"},
      {"unknown flags are not sent on", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff",
       "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
      {"unknown flags, not sampled", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-fe",
       "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"},
      {"a trace id of 64 bits", "00-0000000000000000000000000000000a-000000000000000b-01",
       "00-0000000000000000000000000000000a-000000000000000b-01"},
      {"a later version of the same length",
       "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", kValid},
      {"a later version with a further field",
       "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-will-be", kValid},
      {"a later version with an empty further field",
       "fe-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-", kValid},
  };
  for (const Case& each : cases) {
    const auto context = ParseTraceContext(each.traceparent);
    ASSERT_TRUE(context) << each.what;
    EXPECT_EQ(FormatTraceParent(*context), each.sent_on) << each.what;
  }
}

TEST(TraceContextTest, RejectsEverythingElse) {
  struct Case {
    const char* what;
    std::string traceparent;
  } const cases[] = {
      {"nothing", ""},
      {"one field", "00"},
      {"a trace id of zeros", "00-00000000000000000000000000000000-b7ad6b7169203331-01"},
      {"a span id of zeros", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"},
      {"the forbidden version", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
      {"a version with a capital", "CC-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
      {"a version that isn't a number", ".0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
      {"a trace id with a capital", "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
      {"a trace id with a dot", "00-.af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
      {"a span id with a capital", "00-0af7651916cd43dd8448eb211c80319c-B7ad6b7169203331-01"},
      {"flags with a dot", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-.1"},
      {"flags with a sign", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-+1"},
      {"short flags", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"},
      {"a short trace id", "00-af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
      {"a long trace id", "00-00af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
      {"no dashes", "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01"},
      {"version 00 with a further field", std::string(kValid) + "-x"},
      {"version 00 with a dash at the end", std::string(kValid) + "-"},
      {"a later version with more and no dash",
       "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.x"},
      {"a space before", std::string(" ") + kValid},
      {"a space after", std::string(kValid) + " "},
      {"a zero byte", std::string(kValid).replace(10, 1, 1, '\0')},
      {"bytes beyond ASCII", std::string(kValid).replace(10, 2, "\xc3\xa9")},
      {"two headers", std::string(kValid) + "," + kValid},
      {"a megabyte", std::string(1 << 20, '0')},
  };
  for (const Case& each : cases) {
    EXPECT_FALSE(ParseTraceContext(each.traceparent)) << each.what;
  }
}

std::string Members(int count) {
  std::string text = "k0=v";
  for (int i = 1; i < count; ++i) text += ",k" + std::to_string(i) + "=v";
  return text;
}

TEST(TraceContextTest, DropsATraceStateThatIsMalformedAndKeepsTheParent) {
  struct Case {
    const char* what;
    std::string tracestate;
    bool is_kept;
  } const cases[] = {
      {"one member", "foo=1", true},
      {"spaces and empty members", "foo=1 , , bar=2\t,", true},
      {"a tenant", "0tenant@vendor=1", true},
      {"all characters of a key", "a0_-*/=1", true},
      {"spaces within a value", "foo=a b", true},
      {"32 members", Members(32), true},
      {"33 members", Members(33), false},
      {"512 bytes", "a=" + std::string(250, 'x') + ",b=" + std::string(250, 'y') + ",c=1234", true},
      {"513 bytes", "a=" + std::string(250, 'x') + ",b=" + std::string(250, 'y') + ",c=12345",
       false},
      {"a key twice", "foo=1,foo=1", false},
      {"no value", "foo=", false},
      {"no equals sign", "foo", false},
      {"two equals signs", "foo=1=2", false},
      {"a key that begins with a digit", "0foo=1", false},
      {"a key with a capital", "Foo=1", false},
      {"an empty tenant", "@vendor=1", false},
      {"an empty vendor", "tenant@=1", false},
      {"two at signs", "a@b@c=1", false},
      {"a vendor of 15 characters", "a@" + std::string(15, 'v') + "=1", false},
      {"a value of 257 bytes", "a=" + std::string(257, 'x'), false},
      {"a control character", "foo=\x01", false},
      {"bytes beyond ASCII", "foo=\xc3\xa9", false},
  };
  for (const Case& each : cases) {
    const auto context = ParseTraceContext(kValid, each.tracestate);
    ASSERT_TRUE(context) << each.what;
    EXPECT_EQ(context->trace_state, each.is_kept ? each.tracestate : "") << each.what;
  }
}

}  // namespace
}  // namespace ridestream::tracing
