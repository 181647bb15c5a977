#include "services/dispatch/domain/session/drive_request_checks.h"

#include <cstdint>

#include "libs/base/validation.h"

namespace ridestream::dispatch {
namespace {

// Epochs and versions continue from the driver's values. No real client reaches this bound by
// counting.
constexpr std::uint64_t kMaxCount = 1ull << 62;

absl::Status ValidateResume(const v1::Resume& resume) {
  if (resume.epoch() > kMaxCount) {
    return absl::InvalidArgumentError("hello.resume.epoch: was never assigned");
  }
  if (resume.plan_version() > kMaxCount) {
    return absl::InvalidArgumentError("hello.resume.plan_version: was never assigned");
  }
  return ValidateOptionalId(resume.session_id(), "hello.resume.session_id");
}

}  // namespace

absl::Status ValidateHello(const v1::Hello& hello) {
  const common::v1::Vehicle& vehicle = hello.vehicle();
  for (const absl::Status& status :
       {ValidateRange(hello.seats(), 1, kMaxSeats, "hello.seats"),
        ValidateId(hello.market(), "hello.market"),
        ValidateText(hello.name(), kMaxNameCharacters, "hello.name"),
        ValidateText(vehicle.model(), kMaxNameCharacters, "hello.vehicle.model"),
        ValidateText(vehicle.plate(), kMaxPlateCharacters, "hello.vehicle.plate"),
        ValidateResume(hello.resume())}) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ValidateCommand(const v1::DriveRequest& request) {
  switch (request.message_case()) {
    case v1::DriveRequest::kOfferAnswer:
      return ValidateId(request.offer_answer().offer_id(), "offer_answer.offer_id");
    case v1::DriveRequest::kStopUpdate:
      return ValidateId(request.stop_update().trip_id(), "stop_update.trip_id");
    case v1::DriveRequest::kGiveUp: {
      absl::Status status = ValidateId(request.give_up().trip_id(), "give_up.trip_id");
      if (!status.ok()) return status;
      return ValidateText(request.give_up().reason(), kMaxTextCharacters, "give_up.reason");
    }
    default:
      return absl::OkStatus();
  }
}

}  // namespace ridestream::dispatch
