#include "tests/kafka/export_system.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <sstream>
#include <utility>

#include "libs/metrics/testing/scrape.h"
#include "libs/process/authority.h"
#include "libs/proto_values/proto_values.h"
#include "libs/roads/streets.h"
#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/development_security.h"
#include "libs/rpc/tls_credentials.h"
#include "libs/testing/status_matchers.h"

namespace ridestream::kafka_tests {
namespace {

std::string Binary(const std::string& name) {
  const char* bin = std::getenv("RIDESTREAM_BIN");
  EXPECT_NE(bin, nullptr) << "run by ctest, or set RIDESTREAM_BIN to the folder of the binaries";
  return fmt::format("{}/{}", bin == nullptr ? "" : bin, name);
}

}  // namespace

ExportSystem::ExportSystem(std::string kafka) : kafka_(std::move(kafka)) {
  EXPECT_THAT(process::MakeAuthority(authority()), testing::IsOk());
  EXPECT_THAT(rpc::UseDevelopmentAuthority(authority()), testing::IsOk());
}

absl::StatusOr<std::unique_ptr<process::ChildProcess>> ExportSystem::Launch(
    const std::string& name, const std::string& log, const std::vector<std::string>& flags) const {
  std::vector<std::string> arguments = process::SecurityFlags(authority(), name);
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  return process::ChildProcess::Start(
      {.binary = Binary(name), .arguments = std::move(arguments), .log_path = folder_.File(log)});
}

void ExportSystem::StartTrip(const std::string& data, const std::vector<std::string>& flags) {
  trip_.reset();
  std::vector<std::string> arguments = {
      "--data=" + folder_.File(data), "--metrics_listen=off", "--max_calls_per_s=0",
      "--listen=" + (trip_address_.empty() ? "127.0.0.1:0" : trip_address_)};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  auto trip = Launch("trip", "trip.log", arguments);
  ASSERT_THAT(trip, testing::IsOk());
  trip_ = *std::move(trip);
  const auto address = trip_->WaitUntilServing();
  ASSERT_THAT(address, testing::IsOk());
  trip_address_ = *address;
}

std::string ExportSystem::StartLocation() {
  auto location =
      Launch("location", "location.log", {"--listen=127.0.0.1:0", "--metrics_listen=off"});
  EXPECT_THAT(location, testing::IsOk());
  location_ = *std::move(location);
  const auto address = location_->WaitUntilServing();
  EXPECT_THAT(address, testing::IsOk());
  return *address;
}

void ExportSystem::ReportPositions(
    const std::string& location, const std::vector<location::v1::PositionReport>& positions) const {
  const auto tls = rpc::TlsCredentials::Load({.certificate = authority() + "/dispatch.pem",
                                              .key = authority() + "/dispatch.key",
                                              .authorities = authority() + "/authority.pem"});
  ASSERT_THAT(tls, testing::IsOk());
  const auto stub = location::v1::LocationService::NewStub(
      rpc::MakeChannel(location, {.credentials = (*tls)->ForChannel({"location"})}));
  grpc::ClientContext context;
  location::v1::ReportPositionsResponse response;
  const auto stream = stub->ReportPositions(&context, &response);
  location::v1::ReportPositionsRequest request;
  request.set_market("city");
  request.mutable_positions()->Assign(positions.begin(), positions.end());
  stream->Write(request);
  stream->WritesDone();
  const grpc::Status status = stream->Finish();
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(response.applied(), positions.size());
}

std::unique_ptr<process::ChildProcess> ExportSystem::StartExporter(
    const std::vector<std::string>& flags, bool wait) {
  std::vector<std::string> arguments = {
      "--listen=127.0.0.1:0", "--metrics_listen=127.0.0.1:0", "--kafka=" + kafka_, "--topic=trips",
      "--trip=" + (trip_address_.empty() ? "127.0.0.1:1" : trip_address_)};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  auto exporter = Launch("exporter", fmt::format("exporter-{}.log", ++exporters_), arguments);
  EXPECT_THAT(exporter, testing::IsOk());
  if (wait) {
    EXPECT_THAT((*exporter)->WaitUntilServing(), testing::IsOk());
  }
  return *std::move(exporter);
}

std::map<std::uint64_t, std::string> ExportSystem::ReadLog() const {
  const auto stub = trip::v1::TripService::NewStub(rpc::MakeChannel(trip_address_));
  grpc::ClientContext context;
  rpc::SetCaller(context, {rpc::CallerKind::kOperator, "test"});
  context.set_wait_for_ready(true);
  trip::v1::FollowTripsRequest request;
  request.add_markets("city");
  request.set_after_sequence(0);
  const auto reader = stub->FollowTrips(&context, request);
  std::map<std::uint64_t, std::string> log;
  for (trip::v1::FollowTripsResponse message; reader->Read(&message);) {
    if (message.has_caught_up()) {
      context.TryCancel();
      return log;
    }
    log[message.event().sequence()] = message.event().SerializeAsString();
  }
  ADD_FAILURE() << "the log ended: " << reader->Finish().error_message();
  return log;
}

void WaitForMetric(const process::ChildProcess& exporter, const std::string& metric, double value) {
  while (!exporter.HasEnded()) {
    const auto metrics = metrics::testing::ScrapeMetrics(exporter.Announced("metrics"));
    if (metrics.ok() && metrics::testing::Sum(*metrics, metric) >= value) return;
  }
  FAIL() << "the exporter ended: " << exporter.LogEnd();
}

void WaitForSequence(const process::ChildProcess& exporter, std::uint64_t sequence) {
  WaitForMetric(exporter, "exporter_sequence", static_cast<double>(sequence));
}

TripLoad::TripLoad(const std::string& trip_address, int riders, std::chrono::milliseconds pause)
    : channel_(rpc::MakeChannel(trip_address)), pause_(pause) {
  const auto streets = roads::Streets::Load("city:1");
  std::mt19937_64 random(7);
  for (LatLng& place : places_) place = roads::RandomPointOnStreet((*streets)->graph(), random);
  for (int i = 0; i < riders; ++i) {
    riders_.emplace_back([this, i] { Ride(fmt::format("rider-{}", i)); });
  }
}

void TripLoad::Stop() {
  stopping_ = true;
  for (std::thread& rider : riders_) {
    if (rider.joinable()) rider.join();
  }
}

void TripLoad::Ride(const std::string& name) {
  const auto stub = trip::v1::TripService::NewStub(channel_);
  const auto call = [&](auto method, const auto& request, auto& response) {
    for (;;) {
      grpc::ClientContext context;
      rpc::SetCaller(context, {rpc::CallerKind::kRider, name});
      context.set_wait_for_ready(true);
      rpc::SetTimeout(context, std::chrono::seconds(2));
      const grpc::Status status = (stub.get()->*method)(&context, request, &response);
      if (status.ok()) return;
      if (status.error_code() != grpc::StatusCode::UNAVAILABLE &&
          status.error_code() != grpc::StatusCode::DEADLINE_EXCEEDED) {
        ADD_FAILURE() << status.error_message();
        return;
      }
    }
  };
  using Stub = trip::v1::TripService::Stub;
  for (int number = 1; !stopping_; ++number) {
    trip::v1::QuoteTripRequest quote;
    quote.set_market("city");
    *quote.mutable_pickup() = ToProto(places_[0]);
    *quote.mutable_dropoff() = ToProto(places_[1]);
    quote.set_party_size(1);
    trip::v1::QuoteTripResponse quoted;
    call(&Stub::QuoteTrip, quote, quoted);
    trip::v1::RequestTripRequest request;
    request.set_request_id(fmt::format("request-{}", number));
    request.set_quote_id(quoted.quote_id());
    request.set_rider_name(name);
    trip::v1::RequestTripResponse requested;
    call(&Stub::RequestTrip, request, requested);
    trip::v1::CancelTripRequest cancel;
    cancel.set_request_id(fmt::format("cancel-{}", number));
    cancel.set_trip_id(requested.trip().trip_id());
    cancel.set_reason(trip::v1::CANCEL_REASON_CHANGED_MIND);
    trip::v1::CancelTripResponse cancelled;
    call(&Stub::CancelTrip, cancel, cancelled);
    ++trips_;
    if (pause_ > pause_.zero()) std::this_thread::sleep_for(pause_);
  }
}

std::vector<ReadRecord> ReadTopic(const std::string& kafka, const std::string& topic) {
  // For each record a line with its size, then the record.
  const auto output = OutputOf(fmt::format(
      "timeout 60 kcat -C -q -e -b {} -t {} -o beginning -X isolation.level=read_committed"
      " -f '%p %S %k %h\\n%s\\n'",
      kafka, topic));
  EXPECT_THAT(output, testing::IsOk());
  std::vector<ReadRecord> records;
  if (!output.ok()) return records;
  std::istringstream text(*output);
  ReadRecord record;
  for (std::size_t size = 0; text >> record.partition >> size >> record.key;) {
    text.get();
    std::getline(text, record.headers);
    record.value.resize(size);
    text.read(record.value.data(), static_cast<std::streamsize>(size));
    records.push_back(record);
  }
  return records;
}

}  // namespace ridestream::kafka_tests
