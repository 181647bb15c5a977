#include "services/dispatch/runner/trip_times.h"

#include "libs/proto_values/proto_values.h"

namespace ridestream::dispatch {
namespace {

void Shift(Duration by, google::protobuf::Timestamp& at) { at = ToProto(FromProto(at) + by); }

}  // namespace

void ShiftTimes(Duration by, trip::v1::Trip& trip) {
  if (by == Duration::zero()) return;
  if (trip.has_requested_at()) Shift(by, *trip.mutable_requested_at());
  if (trip.has_assigned_at()) Shift(by, *trip.mutable_assigned_at());
  if (trip.has_arrived_at()) Shift(by, *trip.mutable_arrived_at());
  if (trip.has_aboard_at()) Shift(by, *trip.mutable_aboard_at());
  if (trip.has_ended_at()) Shift(by, *trip.mutable_ended_at());
  if (trip.has_driver_lost_at()) Shift(by, *trip.mutable_driver_lost_at());
  if (!trip.has_promise()) return;
  trip::v1::Promise& promise = *trip.mutable_promise();
  if (promise.has_latest_pickup_at()) Shift(by, *promise.mutable_latest_pickup_at());
  if (promise.has_latest_dropoff_at()) Shift(by, *promise.mutable_latest_dropoff_at());
}

}  // namespace ridestream::dispatch
