#include "services/trip/trip_metrics.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "libs/metrics/buckets.h"
#include "libs/proto_values/proto_values.h"
#include "libs/rpc/call_span.h"
#include "prometheus/family.h"

namespace ridestream::trip {
namespace {

prometheus::Counter& Counter(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

/// One second to ten minutes: what riders wait.
prometheus::Histogram::BucketBoundaries SecondsOfAWait() {
  return {1, 2, 5, 10, 20, 30, 60, 120, 300, 600};
}

/// The trace of the ride, if it is sampled.
tracing::TraceId SampledTraceOf(const v1::Trip& trip) {
  const auto context = tracing::ParseTraceContext(trip.traceparent(), "");
  return context ? rpc::SampledTrace(*context) : tracing::TraceId();
}

}  // namespace

StoreMeter::StoreMeter(prometheus::Registry& registry)
    : commit_seconds_(
          prometheus::BuildHistogram()
              .Name("trip_commit_seconds")
              .Help("Duration of a transaction, from BEGIN until it is durable, in seconds")
              .Register(registry)
              .Add({}, metrics::SecondsOfACall())),
      commit_commands_(prometheus::BuildHistogram()
                           .Name("trip_commit_commands")
                           .Help("Commands per transaction")
                           .Register(registry)
                           .Add({}, metrics::SizeOfABatch())),
      failed_(Counter(registry, "trip_commands_failed_total",
                      "Commands whose transaction failed in the disk or the database")),
      states_(prometheus::BuildCounter()
                  .Name("trip_transitions_total")
                  .Help("Durable transitions of trips, by new state")
                  .Register(registry),
              "state", {}),
      destinations_changed_(
          Counter(registry, "trip_destinations_changed_total", "Durable changes of destination")),
      released_(Counter(registry, "trip_released_total",
                        "Trips that lost their driver before the pick-up and wait again")),
      cancellations_(prometheus::BuildCounter()
                         .Name("trip_cancellations_total")
                         .Help("Durable cancellations, by reason")
                         .Register(registry),
                     "reason", {}),
      drivers_lost_(Counter(registry, "trip_drivers_lost_total",
                            "Drivers who were lost with the rider aboard")),
      waits_(prometheus::BuildHistogram()
                 .Name("trip_wait_seconds")
                 .Help("From the request until the first driver, or until it ended without one, "
                       "in seconds of the city's clock")
                 .Register(registry)),
      wait_until_assigned_(waits_, {{"outcome", "assigned"}}, SecondsOfAWait()),
      wait_until_unserved_(waits_, {{"outcome", "unserved"}}, SecondsOfAWait()),
      wait_until_cancelled_(waits_, {{"outcome", "cancelled"}}, SecondsOfAWait()) {}

void StoreMeter::Committed(size_t commands, std::chrono::nanoseconds took) {
  commit_seconds_.Observe(std::chrono::duration<double>(took).count());
  commit_commands_.Observe(static_cast<double>(commands));
}

void StoreMeter::Failed(size_t commands) { failed_.Increment(static_cast<double>(commands)); }

void StoreMeter::Logged(const std::vector<EventPtr>& events) {
  for (const EventPtr& event : events) Count(*event);
}

void StoreMeter::Count(const v1::TripEvent& event) {
  const v1::TripState state = event.trip().state();
  if (event.change() == v1::TRIP_CHANGE_DESTINATION) destinations_changed_.Increment();
  if (event.change() == v1::TRIP_CHANGE_DRIVER_LOST) drivers_lost_.Increment();
  if (event.change() != v1::TRIP_CHANGE_STATE) return;
  states_.Count(state);
  if (state == v1::TRIP_STATE_CANCELLED) cancellations_.Count(event.trip().cancellation().reason());
  const bool waits_again =
      state == v1::TRIP_STATE_REQUESTED && event.previous_state() != v1::TRIP_STATE_UNSPECIFIED;
  if (waits_again) released_.Increment();
  ObserveWait(event);
}

void StoreMeter::ObserveWait(const v1::TripEvent& event) {
  const v1::Trip& trip = event.trip();
  // A trip whose driver was released was matched once, and is counted.
  if (event.previous_state() != v1::TRIP_STATE_REQUESTED || trip.released_driver_ids_size() > 0) {
    return;
  }
  const auto observe = [&trip](metrics::TracedHistogram& waits,
                               const google::protobuf::Timestamp& until) {
    waits.Observe(FromProto(until) - FromProto(trip.requested_at()), SampledTraceOf(trip));
  };
  if (trip.state() == v1::TRIP_STATE_ASSIGNED) {
    observe(wait_until_assigned_, trip.assigned_at());
  } else if (trip.state() == v1::TRIP_STATE_UNSERVED) {
    observe(wait_until_unserved_, trip.ended_at());
  } else if (trip.state() == v1::TRIP_STATE_CANCELLED) {
    observe(wait_until_cancelled_, trip.ended_at());
  }
}

void AddStreetReadings(metrics::ServiceMetrics& metrics,
                       const std::map<std::string, const roads::Streets*>& markets) {
  std::vector<metrics::Readings::Sample> samples;
  for (const auto& [market, streets] : markets) {
    const roads::LeftOut& left_out = streets->left_out();
    const std::pair<const char*, std::uint32_t> reasons[] = {
        {"not_connected", left_out.unconnected_segments},
        {"closed_barrier", left_out.closed_barriers},
        {"ferry_without_cars", left_out.tags.ferries},
        {"unknown_kind", left_out.tags.unknown_highways},
        {"conditional", left_out.tags.conditional},
        {"unknown_value", left_out.tags.unknown_values}};
    for (const auto& [reason, count] : reasons) {
      samples.push_back({{{"market", market}, {"reason", reason}}, double{1} * count});
    }
  }
  metrics.readings().Add(metrics::Readings::Kind::kGauge, "trip_streets_left_out",
                         "Map elements that a market's streets leave out, by reason",
                         [samples] { return samples; });
}

void AddReadings(metrics::ServiceMetrics& metrics, const TripStore& store,
                 const TripHandlers& handlers) {
  metrics.readings().AddOne(metrics::Readings::Kind::kCounter, "trip_log_sequence",
                            "Last durable sequence of the log that the process knows",
                            [&store] { return static_cast<double>(store.LastSequence()); });
  metrics.AddQueue(
      {{"queue", "commands"}}, [&store] { return static_cast<double>(store.waiting()); },
      static_cast<double>(TripStore::kMaxQueue));
  metrics.AddQueue(
      {{"queue", "reads"}}, [&handlers] { return static_cast<double>(handlers.waiting_reads()); },
      static_cast<double>(TripHandlers::kMaxWaiting));
  metrics.AddQueue(
      {{"queue", "quotes"}}, [&handlers] { return static_cast<double>(handlers.waiting_quotes()); },
      static_cast<double>(TripHandlers::kMaxWaiting));
}

}  // namespace ridestream::trip
