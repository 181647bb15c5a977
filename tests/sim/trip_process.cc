#include "tests/sim/trip_process.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "libs/proto_values/proto_values.h"
#include "services/trip/domain/fare.h"
#include "services/trip/domain/names.h"

namespace ridestream::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kQuoteLifetime = minutes(5);

trip::v1::Tariff Tariff() {
  trip::v1::Tariff tariff;
  tariff.set_currency_code("USD");
  tariff.set_base_minor(250);
  tariff.set_per_km_minor(175);
  tariff.set_per_minute_minor(35);
  tariff.set_shared_discount_percent(25);
  tariff.set_no_show_fee_minor(500);
  tariff.mutable_no_show_after()->set_seconds(20);
  return tariff;
}

}  // namespace

TripProcess::TripProcess(Context& context, Host& host, TripDisk& disk, RecordChecker& checker,
                         const trip::SharingTerms& sharing)
    : context_(context),
      host_(host),
      disk_(disk),
      checker_(checker),
      sharing_(sharing),
      last_sequence_(disk.store().LastSequence()),
      tail_(/*max_events=*/16) {}

// -- Commands
// ---------------------------------------------------------------------------------------

void TripProcess::QuoteTrip(const RiderId& rider, const trip::v1::QuoteTripRequest& request,
                            Reply<trip::v1::QuoteTripResponse> reply) {
  const auto way = router_.FindWay(FromProto(request.pickup()), FromProto(request.dropoff()));
  trip::Quote quote{QuoteId(context_.NextId('q')), context_.agenda.now() + kQuoteLifetime, {}};
  quote.trip.set_market(request.market());
  quote.trip.mutable_passenger()->set_rider_id(rider.str());
  quote.trip.mutable_passenger()->set_party_size(request.party_size());
  *quote.trip.mutable_pickup() = request.pickup();
  *quote.trip.mutable_dropoff() = request.dropoff();
  trip::v1::Tariff tariff = Tariff();
  tariff.set_surge_percent(
      surge_.PercentAt(request.market(), FromProto(request.pickup()), context_.agenda.now()));
  *quote.trip.mutable_fare() =
      trip::MakeFare(tariff, way->length_m, way->duration, request.shared());
  trip::v1::QuoteTripResponse response;
  if (request.shared()) {
    *quote.trip.mutable_promise() = trip::MakePromise(sharing_, way->duration);
    *response.mutable_promise() = quote.trip.promise();
  }
  response.set_quote_id(quote.id.str());
  *response.mutable_fare() = quote.trip.fare();
  *response.mutable_expires_at() = ToProto(quote.expires_at);
  Enqueue(std::move(quote), [reply = std::move(reply), response](const TripDisk::Answer& answer) {
    if (answer.ok()) return reply(response);
    reply(answer.status());
  });
}

void TripProcess::ReportSurge(const trip::v1::ReportSurgeRequest& request,
                              const Reply<trip::v1::ReportSurgeResponse>& reply) {
  const absl::Status valid = trip::ValidateSurge(request);
  if (!valid.ok()) context_.Violated("a surge was told that is refused: " + valid.ToString());
  surge_.Replace(request, context_.agenda.now());
  reply(trip::v1::ReportSurgeResponse());
}

void TripProcess::RequestTrip(const RiderId& rider, const trip::v1::RequestTripRequest& request,
                              TripReply reply) {
  const TripId id(context_.NextId('t'));
  Submit(trip::RequestCommand{id, rider, request.request_id(), QuoteId(request.quote_id()),
                              request.rider_name(), request.note()},
         std::move(reply));
}

void TripProcess::CancelTrip(const RiderId& rider, const trip::v1::CancelTripRequest& request,
                             TripReply reply) {
  Submit(trip::CancelCommand{TripId(request.trip_id()), rider, request.reason(), request.comment(),
                             request.request_id()},
         std::move(reply));
}

void TripProcess::ChangeDestination(const RiderId& rider,
                                    const trip::v1::ChangeDestinationRequest& request,
                                    TripReply reply) {
  const auto trip = disk_.store().GetTrip(TripId(request.trip_id()));
  if (!trip.ok()) return reply(trip.status());
  const LatLng dropoff = FromProto(request.dropoff());
  const auto way = router_.FindWay(FromProto(trip->pickup()), dropoff);
  Submit(
      trip::ChangeDestinationCommand{
          TripId(request.trip_id()), rider, request.request_id(), dropoff,
          trip::MakeFare(trip->fare().tariff(), way->length_m, way->duration)},
      std::move(reply));
}

trip::Command TripProcess::ToCommand(const dispatch::TripRequest& request) {
  using namespace trip::v1;  // NOLINT(google-build-using-namespace): six names of one package.
  if (const auto* assign = std::get_if<AssignTripRequest>(&request)) {
    std::string offer = assign->offer_id();
    if (context_.Has(Bug::kOfferIdChanges)) offer += context_.NextId('x');
    return trip::AssignCommand{TripId(assign->trip_id()), OfferId(offer), assign->driver(),
                               assign->seats(), DriverId(assign->from_driver_id())};
  }
  if (const auto* advance = std::get_if<AdvanceTripRequest>(&request)) {
    return trip::AdvanceCommand{TripId(advance->trip_id()), DriverId(advance->driver_id()),
                                advance->to()};
  }
  if (const auto* release = std::get_if<ReleaseTripRequest>(&request)) {
    return trip::ReleaseCommand{TripId(release->trip_id()), DriverId(release->driver_id()),
                                release->reason(), release->note()};
  }
  if (const auto* lost = std::get_if<ReportDriverLostRequest>(&request)) {
    return trip::DriverLostCommand{TripId(lost->trip_id()), DriverId(lost->driver_id()),
                                   lost->lost()};
  }
  if (const auto* cancel = std::get_if<CancelTripRequest>(&request)) {
    return trip::CancelCommand{TripId(cancel->trip_id()), {},
                               cancel->reason(),          cancel->comment(),
                               cancel->request_id(),      "dispatch"};
  }
  return trip::GiveUpCommand{TripId(std::get<GiveUpTripRequest>(request).trip_id())};
}

void TripProcess::Carry(const dispatch::TripRequest& request, TripReply reply) {
  Submit(ToCommand(request), std::move(reply));
}

void TripProcess::Submit(trip::Command command, TripReply reply) {
  Enqueue(std::move(command), [this, reply = std::move(reply)](const TripDisk::Answer& answer) {
    Answer(reply, answer);
  });
}

void TripProcess::Answer(const TripReply& reply, const TripDisk::Answer& answer) {
  if (!answer.ok()) return reply(answer.status());
  checker_.OnTold(**answer);
  reply(**answer);
}

// -- The writer
// -------------------------------------------------------------------------------------

void TripProcess::Enqueue(TripDisk::Row row, std::function<void(TripDisk::Answer)> done) {
  queue_.push_back({std::move(row), std::move(done)});
  if (batch_.empty()) StartBatch();
}

void TripProcess::StartBatch() {
  batch_ = std::exchange(queue_, {});
  Duration sync = context_.random.Between(Duration(milliseconds(1)), Duration(milliseconds(20)));
  if (context_.faults.Strikes(Fault::kDiskSlow)) {
    sync = context_.random.Between(Duration(milliseconds(100)), Duration(seconds(4)));
  }
  if (context_.Has(Bug::kAckBeforeCommit)) {
    for (Work& work : batch_) work.done(disk_.Write(work.row, context_.agenda.now()));
  }
  context_.agenda.After(sync, host_.life(), [this] { Commit(); });
}

void TripProcess::Commit() {
  std::vector<trip::EventPtr> events;
  if (context_.Has(Bug::kAckBeforeCommit)) {
    for (Work& work : batch_) work.done = [](const TripDisk::Answer&) {};
    events = disk_.Sync();
  } else if (context_.faults.Strikes(Fault::kDiskFailed)) {
    for (Work& work : batch_) work.answer = absl::UnavailableError("the trip wasn't written");
  } else {
    for (Work& work : batch_) work.answer = disk_.Write(work.row, context_.agenda.now());
    events = disk_.Sync();
  }
  context_.trace.Line("trip commits {} rows, {} entries of the log", batch_.size(), events.size());
  // Between the commit and the answers the process may die.
  context_.agenda.After(context_.random.Between(Duration(0), Duration(milliseconds(2))),
                        host_.life(), [this, events] { Acknowledge(events); });
}

void TripProcess::Acknowledge(const std::vector<trip::EventPtr>& events) {
  if (!events.empty()) {
    last_sequence_ = events.back()->sequence();
    Publish(events);
  }
  for (Work& work : std::exchange(batch_, {})) work.done(std::move(work.answer));
  if (!queue_.empty() && batch_.empty()) StartBatch();
}

// -- Those who follow and watch
// ---------------------------------------------------------------------

void TripProcess::Publish(const std::vector<trip::EventPtr>& events) {
  tail_.Append(events);
  for (const auto& follower : followers_) Wake(follower);
  for (const trip::EventPtr& event : events) {
    for (const auto& watcher : watchers_) {
      if (watcher->trip.str() != event->trip().trip_id()) continue;
      if (watcher->view.Take(event->trip())) Tell(*watcher);
    }
  }
  watchers_.remove_if([](const auto& watcher) { return !watcher->link->IsOpen(Side::kServer); });
}

void TripProcess::FollowTrips(std::shared_ptr<Link> link,
                              const trip::v1::FollowTripsRequest& request,
                              Deliver<trip::v1::FollowTripsResponse> deliver) {
  if (request.after_sequence() > last_sequence_) {
    link->Close(Side::kServer, absl::OutOfRangeError("after_sequence: lies beyond the log"));
    return;
  }
  auto follower = std::make_shared<Follower>(Follower{link, std::move(deliver)});
  follower->caught_up_at = last_sequence_;
  follower->cursor = request.after_sequence();
  if (request.oldest_open()) {
    const auto oldest = disk_.store().OldestOpen({kMarket});
    follower->cursor =
        oldest->has_value() ? std::min(**oldest - 1, last_sequence_) : last_sequence_;
  }
  followers_.push_back(follower);
  link->WhenClosed(Side::kServer, [this, raw = follower.get()](const absl::Status&) {
    followers_.remove_if([&](const auto& other) { return other.get() == raw; });
  });
  Wake(follower);
}

void TripProcess::Wake(const std::shared_ptr<Follower>& follower) {
  if (std::exchange(follower->pumping, true)) return;
  context_.agenda.After(context_.random.Between(Duration(0), Duration(milliseconds(3))),
                        host_.life(), [this, follower] {
                          follower->pumping = false;
                          Pump(*follower);
                          const bool more =
                              !follower->said_caught_up || follower->cursor < last_sequence_;
                          if (more && follower->link->IsOpen(Side::kServer)) Wake(follower);
                        });
}

/// One page, from the tail or, further back, from the store.
void TripProcess::Pump(Follower& follower) {
  constexpr std::size_t kPage = 4;
  if (const auto page = tail_.Read(follower.cursor, kPage)) {
    std::vector<const trip::v1::TripEvent*> events;
    for (const auto& event : *page) events.push_back(event.get());
    SendPage(follower, events, events.empty() ? follower.cursor : events.back()->sequence());
    return;
  }
  const auto page = disk_.store().ReadLog(follower.cursor, {kMarket}, kPage);
  std::vector<const trip::v1::TripEvent*> events;
  for (const trip::v1::TripEvent& event : page->events) events.push_back(&event);
  SendPage(follower, events, page->last_sequence);
}

void TripProcess::SendPage(Follower& follower,
                           const std::vector<const trip::v1::TripEvent*>& events,
                           std::uint64_t last_sequence) {
  const auto send = [&](const trip::v1::FollowTripsResponse& message) {
    follower.link->Send(Side::kClient, [deliver = follower.deliver, message] { deliver(message); });
  };
  const auto say_caught_up = [&] {
    trip::v1::FollowTripsResponse message;
    message.mutable_caught_up()->set_sequence(follower.caught_up_at);
    follower.said_caught_up = true;
    send(message);
  };
  for (const trip::v1::TripEvent* event : events) {
    if (!follower.said_caught_up && event->sequence() > follower.caught_up_at) say_caught_up();
    checker_.OnTold(event->trip());
    trip::v1::FollowTripsResponse message;
    *message.mutable_event() = *event;
    send(message);
  }
  follower.cursor = last_sequence;
  if (!follower.said_caught_up && follower.cursor >= follower.caught_up_at) say_caught_up();
}

void TripProcess::WatchTrip(std::shared_ptr<Link> link, const TripId& trip,
                            Deliver<trip::v1::WatchTripResponse> deliver) {
  auto watcher = std::make_shared<Watcher>(Watcher{link, trip, std::move(deliver), false, {}});
  // Listens before it reads, so that no change falls in between.
  watchers_.push_back(watcher);
  link->WhenClosed(Side::kServer, [this, raw = watcher.get()](const absl::Status&) {
    watchers_.remove_if([&](const auto& other) { return other.get() == raw; });
  });
  context_.agenda.After(Latency(context_), host_.life(), [this, watcher] {
    const auto read = disk_.store().GetTrip(watcher->trip);
    if (!read.ok()) return watcher->link->Close(Side::kServer, read.status());
    watcher->begun = true;
    watcher->view.Take(*read);
    Tell(*watcher);
  });
}

void TripProcess::Tell(Watcher& watcher) {
  if (!watcher.begun) return;
  const trip::v1::WatchTripResponse& message = watcher.view.message();
  checker_.OnTold(message.trip());
  watcher.link->Send(Side::kClient, [deliver = watcher.deliver, message] { deliver(message); });
  if (!trip::IsOpen(message.trip().state())) watcher.link->Close(Side::kServer, absl::OkStatus());
}

void TripProcess::ReportProgress(const std::shared_ptr<Link>& link) {
  link->WhenClosed(Side::kServer, [](const absl::Status&) {});
}

void TripProcess::TakeProgress(const trip::v1::ReportProgressRequest& report) {
  for (const trip::v1::TripProgress& entry : report.trips()) {
    for (const auto& watcher : watchers_) {
      if (watcher->trip.str() != entry.trip_id()) continue;
      if (watcher->view.Take(entry.progress())) Tell(*watcher);
    }
  }
}

}  // namespace ridestream::sim
