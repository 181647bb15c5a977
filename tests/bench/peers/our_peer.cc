#include "tests/bench/peers/our_peer.h"

#include <grpcpp/grpcpp.h>

#include <random>
#include <utility>

#include "libs/rpc/caller.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/status.h"
#include "tests/bench/peers/fleet.h"

namespace ridestream::bench {
namespace {

namespace v1 = location::v1;

constexpr char kMarket[] = "city";

void Prepare(grpc::ClientContext& context) {
  rpc::SetCaller(context, {rpc::CallerKind::kService, "dispatch"});
  rpc::SetTimeout(context, std::chrono::minutes(1));
}

void AddPosition(int driver, LatLng place, v1::ReportPositionsRequest& batch) {
  v1::PositionReport& report = *batch.add_positions();
  report.set_driver_id(DriverName(driver));
  report.set_session_epoch(1);
  report.set_lat_e7(place.lat_e7);
  report.set_lng_e7(place.lng_e7);
  report.set_state(v1::DRIVER_STATE_IDLE);
  report.set_free_seats(4);
}

void AddQuestion(LatLng place, int radius_m, v1::FindNearestRequest& request) {
  v1::NearestQuery& query = *request.add_queries();
  query.mutable_center()->set_lat_e7(place.lat_e7);
  query.mutable_center()->set_lng_e7(place.lng_e7);
  query.set_radius_m(static_cast<std::uint32_t>(radius_m));
  query.set_limit(kNearest);
}

}  // namespace

OurPeer::OurPeer(std::unique_ptr<process::LocalServices> services)
    : services_(std::move(services)),
      stub_(v1::LocationService::NewStub(rpc::MakeChannel(services_->location()))) {}

absl::StatusOr<std::unique_ptr<OurPeer>> OurPeer::Start(const std::string& bin) {
  auto services = process::LocalServices::Start(
      // The fleet stands still while other peers are measured.
      {.bin = bin, .location_flags = {"--staleness=1h"}, .dispatch = false, .insecure = true});
  if (!services.ok()) return services.status();
  return std::unique_ptr<OurPeer>(new OurPeer(*std::move(services)));
}

absl::Status OurPeer::Report(const std::vector<LatLng>& places) {
  grpc::ClientContext context;
  Prepare(context);
  v1::ReportPositionsResponse response;
  const auto stream = stub_->ReportPositions(&context, &response);
  ++sequence_;
  v1::ReportPositionsRequest batch;
  batch.set_market(kMarket);
  for (std::size_t i = 0; i < places.size(); ++i) {
    AddPosition(static_cast<int>(i), places[i], batch);
    batch.mutable_positions()->rbegin()->set_sequence(sequence_);
    if (batch.positions_size() < kBatch && i + 1 < places.size()) continue;
    stream->Write(batch);
    batch.clear_positions();
  }
  stream->WritesDone();
  if (const grpc::Status status = stream->Finish(); !status.ok()) {
    return rpc::FromGrpcStatus(status);
  }
  if (response.applied() == places.size()) return absl::OkStatus();
  return absl::InternalError("location didn't apply all positions");
}

absl::StatusOr<Measured> OurPeer::Ingest(std::chrono::seconds length) {
  std::vector<Caller> callers;
  constexpr int kOfCaller = kDrivers / kBatchCallers;
  for (int i = 0; i < kBatchCallers; ++i) {
    std::vector<v1::ReportPositionsRequest> batches;
    std::mt19937_64 random(static_cast<std::uint64_t>(i));
    // Twice, so that each driver moves between two places.
    for (int driver = 0; driver < 2 * kOfCaller; ++driver) {
      if (driver % kBatch == 0) batches.emplace_back().set_market(kMarket);
      AddPosition(i * kOfCaller + driver % kOfCaller, RandomPlace(random), batches.back());
    }
    callers.emplace_back(
        [this, batches = std::move(batches), first = sequence_](
            std::chrono::steady_clock::time_point until) mutable -> absl::StatusOr<std::size_t> {
          grpc::ClientContext context;
          Prepare(context);
          v1::ReportPositionsResponse response;
          const auto stream = stub_->ReportPositions(&context, &response);
          bool is_open = true;
          for (std::uint64_t call = 0; is_open && std::chrono::steady_clock::now() < until;
               ++call) {
            v1::ReportPositionsRequest& batch = batches[call % batches.size()];
            for (auto& report : *batch.mutable_positions()) report.set_sequence(first + call + 1);
            is_open = stream->Write(batch);
          }
          stream->WritesDone();
          const grpc::Status status = stream->Finish();
          if (!status.ok()) return rpc::FromGrpcStatus(status);
          return response.applied();
        });
  }
  absl::StatusOr<Measured> measured = MeasureRate(callers, length);
  sequence_ += std::uint64_t{1} << 32;  // More than any caller sent.
  return measured;
}

absl::StatusOr<Measured> OurPeer::FindNearest(int radius_m, int questions,
                                              std::chrono::seconds length) {
  std::vector<Caller> callers;
  for (int i = 0; i < CallersOf(questions); ++i) {
    std::vector<v1::FindNearestRequest> requests(kPreparedCalls);
    std::mt19937_64 random(static_cast<std::uint64_t>(i));
    for (auto& request : requests) {
      request.set_market(kMarket);
      for (int k = 0; k < questions; ++k) AddQuestion(RandomPlace(random), radius_m, request);
    }
    callers.push_back(Repeat(static_cast<std::size_t>(questions),
                             [this, requests = std::move(requests), next = std::size_t{0},
                              response = v1::FindNearestResponse()]() mutable -> absl::Status {
                               grpc::ClientContext context;
                               Prepare(context);
                               const grpc::Status status = stub_->FindNearest(
                                   &context, requests[next++ % requests.size()], &response);
                               return rpc::FromGrpcStatus(status);
                             }));
  }
  return MeasureRate(callers, length);
}

absl::StatusOr<std::set<std::string>> OurPeer::NearestTo(LatLng place, int radius_m) {
  grpc::ClientContext context;
  Prepare(context);
  v1::FindNearestRequest request;
  request.set_market(kMarket);
  AddQuestion(place, radius_m, request);
  v1::FindNearestResponse response;
  const grpc::Status status = stub_->FindNearest(&context, request, &response);
  if (!status.ok()) return rpc::FromGrpcStatus(status);
  std::set<std::string> ids;
  for (const auto& driver : response.results(0).drivers()) ids.insert(driver.driver_id());
  return ids;
}

}  // namespace ridestream::bench
