#include "services/exporter/domain/record.h"

namespace ridestream::exporter {

Record ToRecord(const trip::v1::TripEvent& event) {
  Record record{.key = event.trip().trip_id(),
                .value = event.SerializeAsString(),
                .headers = {{"sequence", std::to_string(event.sequence())}}};
  if (const std::string& request = event.trip().x_request_id(); !request.empty()) {
    record.headers.emplace_back("x-request-id", request);
  }
  return record;
}

}  // namespace ridestream::exporter
