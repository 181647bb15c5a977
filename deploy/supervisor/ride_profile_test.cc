#include "deploy/supervisor/ride_profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libs/rpc/channel.h"
#include "libs/testing/status_matchers.h"
#include "libs/tracing/otlp/to_otlp.h"

namespace ridestream::supervisor {
namespace {

namespace collector_v1 = opentelemetry::proto::collector::trace::v1;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;
using ::testing::StartsWith;
using testing::StatusIs;
using tracing::SpanData;

/// A call that trip served, at this second.
SpanData Served(const tracing::TraceId& trace, std::uint64_t id, const std::string& method,
                int second, int code = 0) {
  SpanData span;
  span.context = {.trace_id = trace, .span_id = {id}, .sampled = true};
  span.parent = {id == 1 ? 0u : 1u};
  span.name = "ridestream.trip.v1.TripService/" + method;
  span.kind = tracing::SpanKind::kServer;
  span.start = Time(std::chrono::seconds(second));
  span.end = Time(std::chrono::milliseconds(1'000 * second + 5));
  span.attributes = {{"rpc.grpc.status_code", std::int64_t{code}}};
  return span;
}

class RideProfileTest : public ::testing::Test {
 protected:
  RideProfileTest() {
    auto profile = RideProfile::Start();
    EXPECT_THAT(profile, IsOk());
    profile_ = *std::move(profile);
  }

  process::LocalServices::Options Flags() const {
    process::LocalServices::Options options;
    profile_->AddFlags(options);
    return options;
  }
  /// As the service trip would, to the address of its flags.
  void Export(const std::vector<SpanData>& spans) {
    constexpr std::string_view kFlag = "--trace_to=";
    const auto flags = Flags().trip_flags;
    const auto flag = std::find_if(flags.begin(), flags.end(), [&](const std::string& each) {
      return each.starts_with(kFlag);
    });
    ASSERT_NE(flag, flags.end());
    const auto stub =
        collector_v1::TraceService::NewStub(rpc::MakeChannel(flag->substr(kFlag.size())));
    grpc::ClientContext context;
    rpc::SetTimeout(context, std::chrono::seconds(30));
    collector_v1::ExportTraceServiceResponse response;
    const grpc::Status status = stub->Export(
        &context, tracing::ToOtlp({{"service.name", std::string("trip")}}, spans), &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }

  std::unique_ptr<RideProfile> profile_;
};

TEST_F(RideProfileTest, MakesEveryServiceSendItOnlyTheTracesThatTheLoadAsksFor) {
  const auto options = Flags();
  for (const auto& flags : {options.trip_flags, options.location_flags, options.dispatch_flags,
                            options.gateway_flags}) {
    EXPECT_THAT(flags, Contains(StartsWith("--trace_to=127.0.0.1:")));
    EXPECT_THAT(flags, Contains("--trace_sample=0"));
  }
  EXPECT_THAT(profile_->LoadEnvironment(),
              Contains(::testing::Pair("RIDESTREAM_TRACE_RIDES", Not("0"))));
}

TEST_F(RideProfileTest, DescribesTheRideThatWasCompletedAfterTheFirstRequest) {
  const tracing::TraceId cancelled{1, 1}, second{2, 2}, first{3, 3};
  std::vector<SpanData> spans = {Served(cancelled, 1, "RequestTrip", 1),
                                 Served(cancelled, 2, "AdvanceTrip", 2),
                                 Served(cancelled, 3, "CancelTrip", 3)};
  for (const auto& [trace, second_of_request] : {std::pair{second, 5}, std::pair{first, 4}}) {
    spans.push_back(Served(trace, 1, "RequestTrip", second_of_request));
    for (std::uint64_t step = 2; step <= 4; ++step) {
      spans.push_back(Served(trace, step, "AdvanceTrip", 10 + static_cast<int>(step)));
    }
  }
  // Services export when they like.
  std::reverse(spans.begin(), spans.end());
  Export(spans);
  const auto text = profile_->Describe();
  ASSERT_THAT(text, IsOk());
  EXPECT_THAT(*text, AllOf(HasSubstr("trace " + first.ToHex()), Not(HasSubstr(second.ToHex())),
                           HasSubstr("0.0        5.0  trip      ridestream.trip.v1.TripService/"
                                     "RequestTrip\n"),
                           HasSubstr("ridestream.trip.v1.TripService/AdvanceTrip")));
}

TEST_F(RideProfileTest, ReportsThatNoTracedRideWasCompleted) {
  EXPECT_THAT(profile_->Describe(), StatusIs(absl::StatusCode::kNotFound, "--seconds"));
  const tracing::TraceId trace{1, 1};
  Export({Served(trace, 1, "RequestTrip", 1), Served(trace, 2, "AdvanceTrip", 2),
          Served(trace, 3, "AdvanceTrip", 3),
          // The last step failed.
          Served(trace, 4, "AdvanceTrip", 4, /*code=*/10)});
  EXPECT_THAT(profile_->Describe(), StatusIs(absl::StatusCode::kNotFound, "--seconds"));
}

}  // namespace
}  // namespace ridestream::supervisor
