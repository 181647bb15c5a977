#include <google/protobuf/util/time_util.h>
#include <netinet/in.h>

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "Wire.nsmap"
#include "absl/status/status.h"
#include "soapWireProxy.h"
#include "soapWireService.h"
#include "tests/bench/wire/protocol.h"

namespace ridestream::bench::wire {
namespace {

using google::protobuf::util::TimeUtil;

template <class To, class From>
void CopyPlace(const From& from, To& to) {
  to.latE7 = from.lat_e7();
  to.lngE7 = from.lng_e7();
}

void CopyPlace(const ride__LatLng& from, common::v1::LatLng& to) {
  to.set_lat_e7(from.latE7);
  to.set_lng_e7(from.lngE7);
}

void CopyMoney(const common::v1::Money& from, ride__Money& to) {
  to.currencyCode = from.currency_code();
  to.amountMinor = from.amount_minor();
}

void CopyMoney(const ride__Money& from, common::v1::Money& to) {
  to.set_currency_code(from.currencyCode);
  to.set_amount_minor(from.amountMinor);
}

class SoapService final : public WireService {
 public:
  explicit SoapService(Application& application)
      : WireService(SOAP_IO_KEEPALIVE, SOAP_IO_KEEPALIVE), application_(application) {
    soap->max_keep_alive = 0;  // Without a bound.
  }

  /// With the connection that has been accepted, and a context of its own: the copy constructor of
  /// gSOAP's class would share this one's.
  WireService* copy() override {
    auto* const copy = new SoapService(application_);
    soap_done(copy->soap);
    soap_copy_context(copy->soap, soap);
    return copy;
  }

  int reportPosition(const ride__Position& from, ride__Ack& ack) override {
    Position position;
    position.set_sequence(from.sequence);
    position.set_lat_e7(from.latE7);
    position.set_lng_e7(from.lngE7);
    position.set_heading_deg(from.headingDeg);
    position.set_speed_dm_per_s(from.speedDmPerS);
    position.set_device_time_ms(from.deviceTimeMs);
    ack.sequence = application_.TakePosition(position).sequence();
    return SOAP_OK;
  }

  int quoteTrip(const ride__QuoteTripRequest& from, ride__QuoteTripResponse& to) override {
    QuoteTripRequest request;
    request.set_market(from.market);
    CopyPlace(from.pickup, *request.mutable_pickup());
    CopyPlace(from.dropoff, *request.mutable_dropoff());
    request.set_party_size(from.partySize);
    const QuoteTripResponse response = application_.Quote(request);
    to.quoteId = response.quote_id();
    to.fare.distancePartMinor = response.fare().distance_part_minor();
    to.fare.timePartMinor = response.fare().time_part_minor();
    CopyMoney(response.fare().total(), to.fare.total);
    to.fare.lengthM = response.fare().length_m();
    to.fare.duration = TimeUtil::ToString(response.fare().duration());
    to.expiresAt = TimeUtil::ToString(response.expires_at());
    return SOAP_OK;
  }

  int pollOffer(const ride__Ack& from, ride__DriveResponse& to) override {
    Ack ack;
    ack.set_sequence(from.sequence);
    const DriveResponse response = application_.PollOffer(ack);
    to.sequence = response.sequence();
    to.offer = nullptr;
    if (!response.has_offer()) return SOAP_OK;
    const dispatch::v1::Offer& offer = response.offer();
    to.offer = soap_new_ride__Offer(soap);
    to.offer->offerId = offer.offer_id();
    to.offer->tripId = offer.trip_id();
    CopyPlace(offer.pickup(), to.offer->pickup);
    CopyPlace(offer.dropoff(), to.offer->dropoff);
    to.offer->partySize = offer.party_size();
    CopyMoney(offer.fare(), to.offer->fare);
    to.offer->pickupEtaS = offer.pickup_eta_s();
    to.offer->tripLengthM = offer.trip_length_m();
    to.offer->tripDurationS = offer.trip_duration_s();
    to.offer->expiresAt = TimeUtil::ToString(offer.expires_at());
    to.offer->decidedAt = TimeUtil::ToString(offer.decided_at());
    to.offer->driverId = offer.driver_id();
    return SOAP_OK;
  }

 private:
  Application& application_;
};

/// A thread for each connection, as gSOAP's guide shows it.
absl::Status ServeSoap(Application& application, const std::function<void(int)>& serving) {
  SoapService service(application);
  if (!soap_valid_socket(service.bind("127.0.0.1", 0, 1'000))) {
    return absl::UnavailableError("gSOAP can't listen on a port of 127.0.0.1");
  }
  sockaddr_in address = {};
  socklen_t length = sizeof address;
  if (getsockname(service.soap->master, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return absl::UnavailableError("gSOAP's port can't be read");
  }
  serving(ntohs(address.sin_port));
  while (soap_valid_socket(service.accept())) {
    std::thread([connection = service.copy()] {
      connection->serve();  // Until the peer closes the connection.
      delete connection;
    }).detach();
  }
  return absl::UnavailableError("gSOAP can't accept connections");
}

class SoapClient final : public Client {
 public:
  explicit SoapClient(int port)
      : endpoint_("http://127.0.0.1:" + std::to_string(port)),
        proxy_(endpoint_.c_str(), SOAP_IO_KEEPALIVE) {
    proxy_.soap->user = this;
    post_ = proxy_.soap->fpost;
    proxy_.soap->fpost = CountRequest;
  }
  ~SoapClient() override { proxy_.destroy(); }

  absl::Status Report(std::span<const Position> positions) override {
    for (const Position& position : positions) {
      ride__Position to;
      to.sequence = position.sequence();
      to.latE7 = position.lat_e7();
      to.lngE7 = position.lng_e7();
      to.headingDeg = position.heading_deg();
      to.speedDmPerS = position.speed_dm_per_s();
      to.deviceTimeMs = position.device_time_ms();
      ride__Ack ack;
      if (absl::Status status = Finish(proxy_.reportPosition(to, ack)); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<QuoteTripResponse> Quote(const QuoteTripRequest& request) override {
    ride__QuoteTripRequest to;
    to.market = request.market();
    CopyPlace(request.pickup(), to.pickup);
    CopyPlace(request.dropoff(), to.dropoff);
    to.partySize = request.party_size();
    ride__QuoteTripResponse from;
    if (absl::Status status = Finish(proxy_.quoteTrip(to, from)); !status.ok()) return status;
    QuoteTripResponse response;
    response.set_quote_id(from.quoteId);
    auto& fare = *response.mutable_fare();
    fare.set_distance_part_minor(from.fare.distancePartMinor);
    fare.set_time_part_minor(from.fare.timePartMinor);
    CopyMoney(from.fare.total, *fare.mutable_total());
    fare.set_length_m(from.fare.lengthM);
    if (!TimeUtil::FromString(from.fare.duration, fare.mutable_duration()) ||
        !TimeUtil::FromString(from.expiresAt, response.mutable_expires_at())) {
      return absl::InternalError("the quote has an invalid time");
    }
    return response;
  }

  absl::Status Subscribe() override { return NextOffer().status(); }

  absl::StatusOr<DriveResponse> NextOffer() override {
    ride__DriveResponse from;
    if (absl::Status status = Finish(proxy_.pollOffer(last_, from), false); !status.ok()) {
      return status;
    }
    DriveResponse response;
    if (from.offer != nullptr) {
      last_.sequence = from.sequence;
      response.set_sequence(from.sequence);
      auto& offer = *response.mutable_offer();
      offer.set_offer_id(from.offer->offerId);
      offer.set_trip_id(from.offer->tripId);
      CopyPlace(from.offer->pickup, *offer.mutable_pickup());
      CopyPlace(from.offer->dropoff, *offer.mutable_dropoff());
      offer.set_party_size(from.offer->partySize);
      CopyMoney(from.offer->fare, *offer.mutable_fare());
      offer.set_pickup_eta_s(from.offer->pickupEtaS);
      offer.set_trip_length_m(from.offer->tripLengthM);
      offer.set_trip_duration_s(from.offer->tripDurationS);
      offer.set_driver_id(from.offer->driverId);
      if (!TimeUtil::FromString(from.offer->expiresAt, offer.mutable_expires_at()) ||
          !TimeUtil::FromString(from.offer->decidedAt, offer.mutable_decided_at())) {
        return absl::InternalError("the offer has an invalid time");
      }
    }
    proxy_.destroy();
    return response;
  }

 private:
  /// Counts the request's document on its way to gSOAP's own function.
  static int CountRequest(soap* soap, const char* endpoint, const char* host, int port,
                          const char* path, const char* action, ULONG64 count) {
    auto& client = *static_cast<SoapClient*>(soap->user);
    client.message_bytes_ += count;
    return client.post_(soap, endpoint, host, port, path, action, count);
  }
  absl::Status Finish(int result, bool free = true) {
    if (result != SOAP_OK) {
      const char* const* text = soap_faultstring(proxy_.soap);
      return absl::UnavailableError(text != nullptr && *text != nullptr ? *text : "SOAP failed");
    }
    message_bytes_ += proxy_.soap->length;
    if (free) proxy_.destroy();
    return absl::OkStatus();
  }

  const std::string endpoint_;
  WireProxy proxy_;
  decltype(soap::fpost) post_ = nullptr;
  ride__Ack last_ = {};
};

}  // namespace

Protocol Soap() {
  return {.key = "soap",
          .title = "SOAP, XML (gSOAP)",
          .has_calls = true,
          .has_push = false,
          .serve = ServeSoap,
          .connect = [](int port) { return std::make_unique<SoapClient>(port); },
          .sources = {"soap.cc"},
          .contracts = {"wire.soap"}};
}

}  // namespace ridestream::bench::wire
