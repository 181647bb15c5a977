#include "loadtest/driver/fleet.h"

#include <algorithm>
#include <utility>

#include "libs/proto_values/proto_values.h"
#include "loadtest/base/wall.h"
#include "loadtest/driver/driver_stream.h"

namespace ridestream::loadtest {

namespace pb = ::ridestream::dispatch::v1;

/// A behaviour, its timer and its stream. gRPC and the timer queue hold their own references.
class Fleet::Driver final : public DriverStream::Listener,
                            public std::enable_shared_from_this<Driver> {
 public:
  Driver(Fleet& fleet, DriverId id, DriverBehaviour behaviour, pb::DispatchService::Stub& stub)
      : fleet_(fleet), id_(std::move(id)), stub_(stub), behaviour_(std::move(behaviour)) {}

  void Start() {
    MutexLock lock(mu_);
    Arm();
  }

  void OnTimer() {
    MutexLock lock(mu_);
    armed_at_ = Time::max();
    if (stopped_) return;
    DriverBehaviour::Actions actions;
    behaviour_.OnTime(fleet_.clock_->Now(), actions);
    Apply(std::move(actions));
    Arm();
  }

  void OnMessage(const DriverStream& stream, const pb::DriveResponse& message) override {
    const Time now = fleet_.clock_->Now();
    MutexLock lock(mu_);
    if (stopped_ || &stream != stream_.get()) return;
    Measure(message, now);
    DriverBehaviour::Actions actions;
    behaviour_.OnMessage(message, now, actions);
    Apply(std::move(actions));
    Arm();
  }

  void OnWritten(const DriverStream& stream, const pb::DriveRequest& message, bool ok) override {
    if (message.has_position()) ++fleet_.tally_.positions_sent;
    if (!ok || !message.has_ack()) return;
    MutexLock lock(mu_);
    if (&stream == stream_.get()) behaviour_.OnAckSent(message.ack().sequence());
  }

  void OnClosed(const DriverStream& stream, const absl::Status& status,
                std::optional<std::chrono::milliseconds> retry_after) override {
    {
      MutexLock lock(mu_);
      if (&stream == stream_.get()) {
        NoteLoss();
        Release();
        if (absl::IsAborted(status)) {
          ++fleet_.tally_.drivers_taken_over;
          behaviour_.OnTakenOver();
        } else if (!stopped_) {
          behaviour_.OnClosed(
              retry_after ? std::optional(FromWall(*fleet_.clock_, *retry_after)) : std::nullopt,
              fleet_.clock_->Now());
          Arm();
        }
      }
    }
    fleet_.OnStreamClosed(status);
  }

  void Park() {
    MutexLock lock(mu_);
    behaviour_.Park(fleet_.clock_->Now());
    Arm();
  }
  void Stop(bool cut) {
    MutexLock lock(mu_);
    stopped_ = true;
    if (stream_ == nullptr) return;
    if (cut) {
      stream_->Cut();
    } else {
      stream_->HalfClose();
    }
  }
  bool welcomed() const {
    MutexLock lock(mu_);
    return had_session_;
  }
  bool settled() const {
    MutexLock lock(mu_);
    return behaviour_.settled();
  }
  DriverHistory history() const {
    MutexLock lock(mu_);
    return behaviour_.history();
  }

 private:
  void Apply(DriverBehaviour::Actions actions) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (actions.disconnect && stream_ != nullptr) {
      stream_->Cut();
      Release();
    }
    if (actions.connect) {
      fleet_.OnStreamOpened();
      stream_ = DriverStream::Open(stub_, fleet_.options_.habits.market, id_, shared_from_this());
    }
    if (!actions.send.empty() && stream_ != nullptr) stream_->Send(std::move(actions.send));
  }

  void NoteLoss() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    if (welcomed_ && !lost_at_) lost_at_ = fleet_.clock_->Now();
  }

  void Release() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    stream_.reset();
    if (std::exchange(welcomed_, false)) fleet_.tally_.streams.Down();
  }

  // Requests only a wake-up earlier than the pending one. The pending one then finds nothing to do,
  // which is harmless.
  void Arm() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const Time wake = behaviour_.wake_at();
    if (wake >= armed_at_) return;
    armed_at_ = wake;
    fleet_.timers_.After(fleet_.clock_->ToWall(wake - fleet_.clock_->Now()),
                         [driver = shared_from_this()] { driver->OnTimer(); });
  }

  void Measure(const pb::DriveResponse& message, Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    Tally& tally = fleet_.tally_;
    if (message.has_welcome()) {
      if (!std::exchange(welcomed_, true)) tally.streams.Up();
      if (message.welcome().resumed()) ++tally.streams_resumed;
      if (!message.welcome().resumed() && had_session_) ++tally.sessions_lost;
      had_session_ = true;
      welcomed_at_ = now;
      if (const auto lost_at = std::exchange(lost_at_, std::nullopt)) {
        tally.reconnect.Add(ToWall(*fleet_.clock_, now - *lost_at));
      }
    } else if (message.has_goodbye()) {
      NoteLoss();
    } else if (message.has_offer()) {
      ++tally.offers;
      if (const auto latency =
              fleet_.first_offers_.OnOffer(TripId(message.offer().trip_id()), now)) {
        tally.request_to_offer.Add(ToWall(*fleet_.clock_, *latency));
      }
      MeasurePush(message.offer().decided_at(), now, tally.offer_push);
    } else if (message.has_plan()) {
      ++tally.plans;
      MeasurePush(message.plan().decided_at(), now, tally.plan_push);
    }
  }

  // A decision made while the driver was away waited for the driver, not for the service.
  void MeasurePush(const google::protobuf::Timestamp& decided_at, Time now,
                   LatencyRecorder& recorder) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const Time decided = FromProto(decided_at);
    if (decided >= welcomed_at_) recorder.Add(ToWall(*fleet_.clock_, now - decided));
  }

  Fleet& fleet_;
  const DriverId id_;
  pb::DispatchService::Stub& stub_;
  mutable Mutex mu_;
  DriverBehaviour behaviour_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<DriverStream> stream_ ABSL_GUARDED_BY(mu_);
  Time armed_at_ ABSL_GUARDED_BY(mu_) = Time::max();
  Time welcomed_at_ ABSL_GUARDED_BY(mu_){};
  // Set while the driver is without a session for a reason other than its own.
  std::optional<Time> lost_at_ ABSL_GUARDED_BY(mu_);
  bool welcomed_ ABSL_GUARDED_BY(mu_) = false;
  bool had_session_ ABSL_GUARDED_BY(mu_) = false;
  bool stopped_ ABSL_GUARDED_BY(mu_) = false;
};

Fleet::Fleet(Options options, const Cruises& cruises, std::shared_ptr<const Clock> clock,
             TimerQueue& timers, Tally& tally, FirstOffers& first_offers)
    : options_(std::move(options)),
      clock_(std::move(clock)),
      timers_(timers),
      tally_(tally),
      first_offers_(first_offers) {
  for (const auto& channel : options_.channels) {
    stubs_.push_back(pb::DispatchService::NewStub(channel));
  }
  const Time now = clock_->Now();
  drivers_.reserve(options_.drivers.size());
  for (size_t i = 0; i < options_.drivers.size(); ++i) {
    const auto& identity = options_.drivers[i];
    const Time start =
        now + FromWall(*clock_, std::chrono::microseconds(
                                    i * 1'000'000 / static_cast<size_t>(options_.connects_per_s)));
    drivers_.push_back(std::make_shared<Driver>(
        *this, identity.id,
        DriverBehaviour(identity, options_.habits, cruises, Random(options_.seed, i), start),
        *stubs_[i % stubs_.size()]));
  }
}

Fleet::~Fleet() { Stop(); }

void Fleet::Start() {
  for (const auto& driver : drivers_) driver->Start();
}

void Fleet::Park() {
  for (const auto& driver : drivers_) driver->Park();
}

void Fleet::Stop() {
  constexpr std::chrono::seconds kGrace(3);
  for (const auto& driver : drivers_) driver->Stop(/*cut=*/false);
  {
    MutexLock lock(mu_);
    while (open_streams_ > 0 && closed_.WaitFor(mu_, kGrace)) {
    }
  }
  for (const auto& driver : drivers_) driver->Stop(/*cut=*/true);
  MutexLock lock(mu_);
  while (open_streams_ > 0) closed_.Wait(mu_);
}

size_t Fleet::welcomed() const {
  return static_cast<size_t>(std::count_if(drivers_.begin(), drivers_.end(),
                                           [](const auto& driver) { return driver->welcomed(); }));
}

size_t Fleet::unsettled() const {
  return static_cast<size_t>(std::count_if(drivers_.begin(), drivers_.end(),
                                           [](const auto& driver) { return !driver->settled(); }));
}

absl::Status Fleet::last_error() const {
  MutexLock lock(mu_);
  return last_error_;
}

DriverHistory Fleet::HistoryOf(size_t driver) const { return drivers_[driver]->history(); }

void Fleet::OnStreamOpened() {
  MutexLock lock(mu_);
  ++open_streams_;
}

void Fleet::OnStreamClosed(const absl::Status& status) {
  MutexLock lock(mu_);
  if (!status.ok() && !absl::IsCancelled(status)) last_error_ = status;
  --open_streams_;
  closed_.SignalAll();
}

}  // namespace ridestream::loadtest
