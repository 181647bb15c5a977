#include "ridestream/client/driver.h"

#include <cmath>
#include <limits>
#include <random>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "clients/cpp/src/channel.h"
#include "clients/cpp/src/checks.h"
#include "clients/cpp/src/driver_protocol.h"
#include "clients/cpp/src/errors.h"
#include "clients/cpp/src/stream_loop.h"
#include "ridestream/client/place.h"

namespace ridestream::client {
namespace {

namespace pb = ::ridestream::dispatch::v1;

constexpr char kDrive[] = "/ridestream.dispatch.v1.DispatchService/Drive";

/// Checks a shift, and makes the Hello of it.
absl::StatusOr<pb::Hello> ToHello(const Shift& shift) {
  absl::Status status =
      FirstOf(CheckRange(shift.seats, 1, kMaxSeats, "hello.seats"),
              CheckId(shift.market, "hello.market"), CheckText(shift.name, kMaxName, "hello.name"),
              CheckText(shift.vehicle.model(), kMaxName, "hello.vehicle.model"),
              CheckText(shift.vehicle.plate(), kMaxPlate, "hello.vehicle.plate"));
  if (!status.ok()) return status;
  pb::Hello hello;
  hello.set_market(shift.market);
  hello.set_seats(static_cast<std::uint32_t>(shift.seats));
  hello.set_name(shift.name);
  *hello.mutable_vehicle() = shift.vehicle;
  hello.set_accepts_insertions(shift.accepts_insertions);
  return hello;
}

std::int64_t MillisecondsSince1970() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

/// The protocol under a lock, and the thread that carries out what it wants.
class Driver::Impl {
 public:
  Impl(Connection connection, pb::Hello hello)
      : connection_(std::move(connection)),
        market_(hello.market()),
        protocol_(std::move(hello), connection_.address, std::random_device()()),
        thread_([this] { Run(); }) {}

  ~Impl() { Close(); }

  std::optional<Event> Next() {
    std::optional<Event> event;
    {
      absl::MutexLock lock(&mu_);
      while (!(event = protocol_.TakeEvent()) && !protocol_.has_ended()) changed_.Wait(&mu_);
    }
    if (event) loop_.Wake();  // For the ack.
    return event;
  }

  absl::Status status() const {
    absl::MutexLock lock(&mu_);
    return protocol_.status();
  }

  std::optional<pb::Plan> plan() const {
    absl::MutexLock lock(&mu_);
    return protocol_.plan();
  }

  std::chrono::nanoseconds TimeLeft(const pb::Offer& offer) const {
    absl::MutexLock lock(&mu_);
    return protocol_.TimeLeft(offer, std::chrono::steady_clock::now());
  }

  void Close() {
    {
      absl::MutexLock lock(&mu_);
      protocol_.Stop(absl::OkStatus());
      changed_.SignalAll();
    }
    loop_.Wake();
    absl::MutexLock lock(&join_mu_);
    if (thread_.joinable()) thread_.join();
  }

  void MoveTo(const pb::Position& position) {
    {
      absl::MutexLock lock(&mu_);
      protocol_.MoveTo(position);
    }
    loop_.Wake();
  }

  /// Gives the command if `error` is OK. The result is a `Result`, or OK for an absl::Status.
  template <typename Result, typename Answer = absl::StatusOr<Result>>
  std::future<Answer> Command(const absl::Status& error, pb::DriveRequest request) {
    auto promise = std::make_shared<std::promise<Answer>>();
    std::future<Answer> future = promise->get_future();
    if (!error.ok()) {
      promise->set_value(error);
      return future;
    }
    {
      absl::MutexLock lock(&mu_);
      protocol_.Command(std::move(request), [promise](const absl::StatusOr<CommandResult>& result) {
        promise->set_value(ToAnswer<Result, Answer>(result));
      });
    }
    loop_.Wake();
    return future;
  }

 private:
  template <typename Result, typename Answer>
  static Answer ToAnswer(const absl::StatusOr<CommandResult>& result) {
    if (!result.ok()) return result.status();
    if constexpr (std::is_same_v<Answer, absl::Status>) {
      return absl::OkStatus();
    } else {
      return std::get<Result>(*result);
    }
  }

  void Run() {
    for (;;) {
      const auto now = std::chrono::steady_clock::now();
      std::optional<pb::DriveRequest> request;
      bool opens = false, cuts = false;
      StreamLoop::Time wake_at;
      {
        absl::MutexLock lock(&mu_);
        protocol_.OnTime(now);
        cuts = !protocol_.is_connected();
        opens = protocol_.MustOpen(now);
        if (loop_.CanSend()) request = protocol_.NextRequest(now);
        wake_at = protocol_.wake_at(loop_.CanSend());
        changed_.SignalAll();
        if (protocol_.has_ended()) break;
      }
      if (cuts) loop_.Cut();
      if (opens) {
        Open();
      } else if (request) {
        Send(*request);
      } else {
        Await(wake_at);
      }
    }
    loop_.Cut();
  }

  void Open() {
    const absl::StatusOr<Proof> proof = Prove(connection_);
    std::string address;
    {
      absl::MutexLock lock(&mu_);
      if (!proof.ok()) return protocol_.Stop(proof.status());
      address = protocol_.address();
      protocol_.OnOpen(proof->value, std::chrono::steady_clock::now());
    }
    loop_.Open(OpenChannel(connection_, address), kDrive, *proof, market_);
  }

  void Send(pb::DriveRequest& request) {
    if (request.has_position()) {
      request.mutable_position()->set_device_time_ms(
          static_cast<std::uint64_t>(MillisecondsSince1970()));
    }
    loop_.Send(request);
  }

  void Await(StreamLoop::Time deadline) {
    switch (loop_.Next(deadline)) {
      case StreamLoop::Event::kMessage: {
        pb::DriveResponse message;
        const bool is_valid = loop_.Parse(message);
        absl::MutexLock lock(&mu_);
        if (!is_valid) return protocol_.Stop(ProtocolError("the service sent no valid message"));
        return protocol_.OnMessage(message, std::chrono::steady_clock::now());
      }
      case StreamLoop::Event::kClosed: {
        absl::MutexLock lock(&mu_);
        return protocol_.OnClosed(loop_.status(), std::chrono::steady_clock::now());
      }
      case StreamLoop::Event::kSent:
      case StreamLoop::Event::kWoken:
      case StreamLoop::Event::kTimeout:
        return;
    }
  }

  const Connection connection_;
  const std::string market_;
  StreamLoop loop_;  // Used by the thread, except for Wake().
  mutable absl::Mutex mu_;
  absl::CondVar changed_;  // There may be an event, or the end.
  DriverProtocol protocol_ ABSL_GUARDED_BY(mu_);
  absl::Mutex join_mu_;
  std::thread thread_ ABSL_GUARDED_BY(join_mu_);  // The last member: it uses the others.
};

absl::StatusOr<std::unique_ptr<Driver>> Driver::Start(Connection connection, const Shift& shift) {
  absl::StatusOr<pb::Hello> hello = ToHello(shift);
  if (!hello.ok()) return hello.status();
  return std::unique_ptr<Driver>(
      new Driver(std::make_unique<Impl>(std::move(connection), *std::move(hello))));
}

Driver::Driver(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Driver::~Driver() = default;

std::optional<Event> Driver::Next() { return impl_->Next(); }
absl::Status Driver::status() const { return impl_->status(); }
void Driver::Close() { impl_->Close(); }
std::optional<pb::Plan> Driver::plan() const { return impl_->plan(); }
std::chrono::nanoseconds Driver::TimeLeft(const pb::Offer& offer) const {
  return impl_->TimeLeft(offer);
}

absl::Status Driver::MoveTo(double lat, double lng, int heading_deg, double speed_m_per_s) {
  const common::v1::LatLng place = Place(lat, lng);
  const double speed_dm_per_s = std::round(speed_m_per_s * 10);
  constexpr std::uint32_t kFastest = std::numeric_limits<std::uint32_t>::max();
  absl::Status status = FirstOf(CheckPlace(place, "position"),
                                CheckRange(heading_deg, 0, 359, "position.heading_deg"));
  if (!(speed_dm_per_s >= 0 && speed_dm_per_s <= kFastest)) {
    status.Update(Invalid("position.speed_dm_per_s: must be 0 to 4294967295"));
  }
  if (!status.ok()) return status;
  pb::Position position;
  position.set_lat_e7(place.lat_e7());
  position.set_lng_e7(place.lng_e7());
  position.set_heading_deg(static_cast<std::uint32_t>(heading_deg));
  position.set_speed_dm_per_s(static_cast<std::uint32_t>(speed_dm_per_s));
  impl_->MoveTo(position);
  return absl::OkStatus();
}

namespace {

pb::DriveRequest AnswerOf(const std::string& offer_id, bool accept) {
  pb::DriveRequest request;
  request.mutable_offer_answer()->set_offer_id(offer_id);
  request.mutable_offer_answer()->set_accept(accept);
  return request;
}

pb::DriveRequest StepOf(const std::string& trip_id, pb::StopAction action) {
  pb::DriveRequest request;
  request.mutable_stop_update()->set_trip_id(trip_id);
  request.mutable_stop_update()->set_action(action);
  return request;
}

}  // namespace

Driver::OfferResult Driver::Accept(const std::string& offer_id) {
  return impl_->Command<pb::OfferEnded>(CheckId(offer_id, "offer_answer.offer_id"),
                                        AnswerOf(offer_id, true));
}

Driver::OfferResult Driver::Decline(const std::string& offer_id) {
  return impl_->Command<pb::OfferEnded>(CheckId(offer_id, "offer_answer.offer_id"),
                                        AnswerOf(offer_id, false));
}

Driver::PlanResult Driver::Arrived(const std::string& trip_id) {
  return impl_->Command<pb::Plan>(CheckId(trip_id, "stop_update.trip_id"),
                                  StepOf(trip_id, pb::STOP_ACTION_ARRIVED));
}

Driver::PlanResult Driver::PickedUp(const std::string& trip_id) {
  return impl_->Command<pb::Plan>(CheckId(trip_id, "stop_update.trip_id"),
                                  StepOf(trip_id, pb::STOP_ACTION_PICKED_UP));
}

Driver::PlanResult Driver::DroppedOff(const std::string& trip_id) {
  return impl_->Command<pb::Plan>(CheckId(trip_id, "stop_update.trip_id"),
                                  StepOf(trip_id, pb::STOP_ACTION_DROPPED_OFF));
}

Driver::PlanResult Driver::GiveUp(const std::string& trip_id, const std::string& reason,
                                  pb::GiveUpCause cause) {
  pb::DriveRequest request;
  request.mutable_give_up()->set_trip_id(trip_id);
  request.mutable_give_up()->set_reason(reason);
  request.mutable_give_up()->set_cause(cause);
  absl::Status status =
      FirstOf(CheckId(trip_id, "give_up.trip_id"), CheckText(reason, kMaxText, "give_up.reason"));
  if (!pb::GiveUpCause_IsValid(cause)) {
    status.Update(
        Invalid(absl::StrCat("give_up.cause: ", static_cast<int>(cause), " is not a cause")));
  }
  return impl_->Command<pb::Plan>(status, std::move(request));
}

std::future<absl::Status> Driver::EndShift() {
  pb::DriveRequest request;
  request.mutable_end_shift();
  return impl_->Command<std::monostate, absl::Status>(absl::OkStatus(), std::move(request));
}

}  // namespace ridestream::client
