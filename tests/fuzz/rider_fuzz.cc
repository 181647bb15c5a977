// What riders may send, against the checks of the trip service and a store: a sequence of
// length-delimited messages, cyclically a quote, a request, a change of destination, a cancellation
// and a page of the list.

#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#include "services/trip/domain/fare.h"
#include "services/trip/handlers/page_token.h"
#include "services/trip/handlers/request_checks.h"
#include "services/trip/storage/memory_trip_store.h"
#include "services/trip/testing/trip_samples.h"
#include "tests/fuzz/delimited.h"

namespace ridestream::trip {
namespace {

constexpr std::size_t kMostMessages = 64;  // Longer lines say nothing new and take longer.

class World {
 public:
  World() {
    for (const char* quote : {"q", "q-1", "q-2"}) {
      store_.SaveQuote(
          testing::SampleQuote(quote, rider_.id, clock_.Now() + std::chrono::minutes(5)),
          [](const absl::Status& status) { Require(status.ok()); });
    }
  }

  void Take(const v1::QuoteTripRequest& request) {
    if (!CheckRequest(request).ok()) return;
    Require(LatLng{request.pickup().lat_e7(), request.pickup().lng_e7()}.IsValid());
    Require(request.party_size() >= 1 && request.party_size() <= kMaxPartySize);
  }
  void Take(const v1::RequestTripRequest& request) {
    Submit(ToCommand(rider_, TripId("t-" + std::to_string(++trips_)), request));
  }
  void Take(const v1::CancelTripRequest& request) { Submit(ToCommand(rider_, request)); }
  void Take(const v1::ChangeDestinationRequest& request) {
    auto command = ToCommand(rider_, request);
    if (!command.ok()) return;
    command->fare = MakeFare(testing::SampleTariff(), 4'000, std::chrono::minutes(10));
    Submit(absl::StatusOr<Command>(*std::move(command)));
  }
  void Take(const v1::ListTripsRequest& request) {
    if (!CheckRequest(request).ok()) return;
    const TripFilter filter{RiderId(request.rider_id()), MarketId(request.market())};
    std::uint64_t before = 0;
    if (!request.page_token().empty()) {
      const auto token = ParsePageToken(filter, request.page_token());
      if (!token.ok()) return;
      before = *token;
    }
    Require(store_.ListTrips(filter, before, std::max(1u, request.page_size())).ok());
  }

 private:
  static void Require(bool holds) {
    if (!holds) std::abort();
  }
  void Submit(absl::StatusOr<Command> command) {
    if (!command.ok()) {
      Require(absl::IsInvalidArgument(command.status()));
      return;
    }
    bool answered = false;
    store_.Submit(*std::move(command), [&](const absl::StatusOr<TripPtr>& trip) {
      answered = true;
      if (trip.ok()) Require((*trip)->passenger().rider_id() == rider_.id);
    });
    Require(answered);
  }

  const identity::Principal rider_{identity::Role::kRider, "r"};
  ManualClock clock_;
  MemoryTripStore store_{clock_};
  int trips_ = 0;
};

/// False when the line has ended, or is none.
template <class Message>
bool TakeNext(google::protobuf::io::ZeroCopyInputStream& stream, World& world) {
  const auto message = fuzz::NextMessage<Message>(stream);
  if (message) world.Take(*message);
  return message.has_value();
}

}  // namespace
}  // namespace ridestream::trip

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ridestream::trip;
  google::protobuf::io::ArrayInputStream stream(data, static_cast<int>(size));
  World world;
  for (std::size_t i = 0; i < kMostMessages; ++i) {
    if (!TakeNext<v1::QuoteTripRequest>(stream, world) ||
        !TakeNext<v1::RequestTripRequest>(stream, world) ||
        !TakeNext<v1::ChangeDestinationRequest>(stream, world) ||
        !TakeNext<v1::CancelTripRequest>(stream, world) ||
        !TakeNext<v1::ListTripsRequest>(stream, world)) {
      break;
    }
  }
  return 0;
}
