#include "ridestream/client/rider.h"

#include <algorithm>
#include <optional>
#include <random>
#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "clients/cpp/src/backoff.h"
#include "clients/cpp/src/channel.h"
#include "clients/cpp/src/checks.h"
#include "clients/cpp/src/errors.h"
#include "clients/cpp/src/stream_loop.h"
#include "ridestream/market/v1/market.grpc.pb.h"
#include "ridestream/trip/v1/trip.grpc.pb.h"

namespace ridestream::client {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr char kWatchTrip[] = "/ridestream.trip.v1.TripService/WatchTrip";

// Deadlines of a try.
constexpr milliseconds kRead = std::chrono::seconds(1);
constexpr milliseconds kQuote = std::chrono::seconds(2);
constexpr milliseconds kChange = std::chrono::seconds(5);

/// Whether the same call may succeed later. All calls here are idempotent, so that one whose
/// response may be lost is repeated.
bool MayHelp(const absl::Status& status, const Proof& proof, RefusedProof& refused) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:  // The far end of a proxy went away.
      return true;
    case absl::StatusCode::kUnauthenticated:
      return refused.MayRetry(proof.value);
    default:
      return DetailsOf(status).retry_after.has_value();
  }
}

absl::Status Closed(const std::string& what) {
  return MakeError(absl::StatusCode::kCancelled, absl::StrCat("the ", what, " was closed"),
                   {.kind = ErrorKind::kStopped});
}

std::string RandomId() {
  std::random_device random;
  std::string id;
  for (int i = 0; i < 4; ++i) absl::StrAppendFormat(&id, "%08x", random());
  return id;
}

void FillIn(std::string& request_id) {
  if (request_id.empty()) request_id = RandomId();
}

/// The trip of a response, which must be the one that was asked for, if one was.
absl::Status CheckTrip(const trip::v1::Trip& trip, const std::string& trip_id) {
  if (trip.trip_id().empty()) return ProtocolError("trip.trip_id: is empty");
  if (!trip_id.empty() && trip.trip_id() != trip_id) {
    return ProtocolError(
        absl::StrCat("trip.trip_id: '", trip.trip_id(), "' came for '", trip_id, "'"));
  }
  return absl::OkStatus();
}

template <typename Response>
absl::StatusOr<trip::v1::Trip> TripOf(const absl::StatusOr<Response>& response,
                                      const std::string& trip_id) {
  if (!response.ok()) return response.status();
  if (absl::Status error = CheckTrip(response->trip(), trip_id); !error.ok()) return error;
  return response->trip();
}

absl::Status CheckReason(trip::v1::CancelReason reason) {
  if (!trip::v1::CancelReason_IsValid(reason)) {
    return Invalid(
        absl::StrCat("reason: must be one of its named values other than UNSPECIFIED, is ",
                     static_cast<int>(reason)));
  }
  if (reason == trip::v1::CANCEL_REASON_NO_SHOW) {
    return Invalid("reason: NO_SHOW is set only where a driver releases a trip");
  }
  return absl::OkStatus();
}

bool HasEnded(trip::v1::TripState state) {
  return state == trip::v1::TRIP_STATE_COMPLETED || state == trip::v1::TRIP_STATE_CANCELLED ||
         state == trip::v1::TRIP_STATE_UNSERVED;
}

}  // namespace

class Rider::Impl {
 public:
  Impl(Connection connection, milliseconds patience)
      : connection_(std::move(connection)), patience_(patience) {}

  const Connection& connection() const { return connection_; }

  void Close() {
    absl::MutexLock lock(&mu_);
    is_closed_ = true;
    for (grpc::ClientContext* call : calls_) call->TryCancel();
  }

  /// Calls `method` of the service's stub until it succeeds, can't, or patience ends.
  template <typename Service, typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Service::Stub::*method)(grpc::ClientContext*,
                                                                      const Request&, Response*),
                                const Request& request, milliseconds deadline,
                                const std::string& market = "") {
    const Clock::time_point end = Clock::now() + patience_;
    Backoff backoff{std::random_device()()};
    RefusedProof refused;
    for (;;) {
      const absl::StatusOr<Proof> proof = Prove(connection_);
      if (!proof.ok()) return proof.status();
      const std::shared_ptr<grpc::Channel> channel = Channel();
      if (!channel) return Closed("rider");
      grpc::ClientContext context;
      AddMetadata(context, *proof, market);
      context.set_deadline(std::min(Clock::now() + deadline, end));
      typename Service::Stub stub(channel);
      Response response;
      if (!Begin(context)) return Closed("rider");
      const grpc::Status result = (stub.*method)(&context, request, &response);
      if (!End(context)) return Closed("rider");
      if (result.ok()) return response;
      const absl::Status status = StatusOf(result, context);
      if (!MayHelp(status, *proof, refused)) return status;
      // The connection may be half-open.
      if (status.code() == absl::StatusCode::kDeadlineExceeded &&
          channel->GetState(false) == GRPC_CHANNEL_READY) {
        Drop(channel);
      }
      const auto asked = DetailsOf(status).retry_after;
      const auto pause =
          backoff.Next(asked ? std::optional<std::chrono::nanoseconds>(*asked) : std::nullopt);
      if (end - Clock::now() <= pause) return status;
      if (!Sleep(pause)) return Closed("rider");
    }
  }

 private:
  /// Nothing: the rider was closed.
  std::shared_ptr<grpc::Channel> Channel() {
    absl::MutexLock lock(&mu_);
    if (!channel_ && !is_closed_) channel_ = OpenChannel(connection_, connection_.address);
    return is_closed_ ? nullptr : channel_;
  }

  /// The next call gets a new channel; those under way keep this one.
  void Drop(const std::shared_ptr<grpc::Channel>& channel) {
    absl::MutexLock lock(&mu_);
    if (channel_ == channel) channel_.reset();
  }

  // These return false if the rider is closed.
  bool Begin(grpc::ClientContext& context) {
    absl::MutexLock lock(&mu_);
    if (!is_closed_) calls_.insert(&context);
    return !is_closed_;
  }
  bool End(grpc::ClientContext& context) {
    absl::MutexLock lock(&mu_);
    calls_.erase(&context);
    return !is_closed_;
  }
  bool Sleep(std::chrono::nanoseconds pause) {
    absl::MutexLock lock(&mu_);
    return !mu_.AwaitWithTimeout(absl::Condition(&is_closed_), absl::FromChrono(pause));
  }

  const Connection connection_;
  const milliseconds patience_;
  absl::Mutex mu_;
  bool is_closed_ ABSL_GUARDED_BY(mu_) = false;
  std::shared_ptr<grpc::Channel> channel_ ABSL_GUARDED_BY(mu_);
  std::set<grpc::ClientContext*> calls_ ABSL_GUARDED_BY(mu_);  // Under way.
};

Rider::Rider(Connection connection, milliseconds patience)
    : impl_(std::make_unique<Impl>(std::move(connection), patience)) {}
Rider::~Rider() { Close(); }
void Rider::Close() { impl_->Close(); }

absl::StatusOr<std::vector<market::v1::Market>> Rider::Markets() {
  using market::v1::MarketService;
  const auto response = impl_->Call<MarketService>(&MarketService::Stub::ListMarkets,
                                                   market::v1::ListMarketsRequest(), kRead);
  if (!response.ok()) return response.status();
  return std::vector<market::v1::Market>(response->markets().begin(), response->markets().end());
}

absl::StatusOr<trip::v1::QuoteTripResponse> Rider::Quote(
    const trip::v1::QuoteTripRequest& request) {
  const absl::Status status =
      FirstOf(CheckId(request.market(), "market"), CheckPlace(request.pickup(), "pickup"),
              CheckPlace(request.dropoff(), "dropoff"),
              CheckRange(request.party_size(), 1, kMaxSeats, "party_size"));
  if (!status.ok()) return status;
  auto quote = impl_->Call<trip::v1::TripService>(&trip::v1::TripService::Stub::QuoteTrip, request,
                                                  kQuote, request.market());
  if (quote.ok() && quote->quote_id().empty()) return ProtocolError("quote_id: is empty");
  return quote;
}

absl::StatusOr<trip::v1::Trip> Rider::Request(trip::v1::RequestTripRequest request) {
  FillIn(*request.mutable_request_id());
  const absl::Status status =
      FirstOf(CheckId(request.request_id(), "request_id"), CheckId(request.quote_id(), "quote_id"),
              CheckText(request.rider_name(), kMaxName, "rider_name"),
              CheckText(request.note(), kMaxText, "note"));
  if (!status.ok()) return status;
  return TripOf(impl_->Call<trip::v1::TripService>(&trip::v1::TripService::Stub::RequestTrip,
                                                   request, kChange),
                "");
}

absl::StatusOr<trip::v1::Trip> Rider::ChangeDestination(
    trip::v1::ChangeDestinationRequest request) {
  FillIn(*request.mutable_request_id());
  const absl::Status status =
      FirstOf(CheckId(request.request_id(), "request_id"), CheckId(request.trip_id(), "trip_id"),
              CheckPlace(request.dropoff(), "dropoff"));
  if (!status.ok()) return status;
  return TripOf(impl_->Call<trip::v1::TripService>(&trip::v1::TripService::Stub::ChangeDestination,
                                                   request, kChange),
                request.trip_id());
}

absl::StatusOr<trip::v1::Trip> Rider::Cancel(trip::v1::CancelTripRequest request) {
  FillIn(*request.mutable_request_id());
  if (request.reason() == trip::v1::CANCEL_REASON_UNSPECIFIED) {
    request.set_reason(trip::v1::CANCEL_REASON_CHANGED_MIND);
  }
  const absl::Status status =
      FirstOf(CheckId(request.request_id(), "request_id"), CheckId(request.trip_id(), "trip_id"),
              CheckReason(request.reason()), CheckText(request.comment(), kMaxText, "comment"));
  if (!status.ok()) return status;
  return TripOf(impl_->Call<trip::v1::TripService>(&trip::v1::TripService::Stub::CancelTrip,
                                                   request, kChange),
                request.trip_id());
}

absl::StatusOr<trip::v1::Trip> Rider::Get(const std::string& trip_id) {
  if (absl::Status error = CheckId(trip_id, "trip_id"); !error.ok()) return error;
  trip::v1::GetTripRequest request;
  request.set_trip_id(trip_id);
  return TripOf(
      impl_->Call<trip::v1::TripService>(&trip::v1::TripService::Stub::GetTrip, request, kRead),
      trip_id);
}

/// One trip's watch, over all its streams. The caller of Next() does the work.
class TripWatch::Impl {
 public:
  Impl(Connection connection, std::string trip_id)
      : connection_(std::move(connection)), trip_id_(std::move(trip_id)) {}

  std::optional<trip::v1::WatchTripResponse> Next() {
    while (!has_ended_) {
      if (auto update = Advance()) return update;
    }
    return std::nullopt;
  }

  absl::Status status() const {
    absl::MutexLock lock(&mu_);
    return status_;
  }

  void Cancel() {
    {
      absl::MutexLock lock(&mu_);
      is_cancelled_ = true;
    }
    loop_.Wake();
  }

 private:
  std::optional<trip::v1::WatchTripResponse> Advance() {
    if (IsCancelled()) {
      End(Closed("watch"));
      return std::nullopt;
    }
    if (!is_open_ && Clock::now() >= open_at_) Open();
    if (has_ended_) return std::nullopt;
    if (!is_requested_ && loop_.CanSend()) {
      is_requested_ = true;
      trip::v1::WatchTripRequest request;
      request.set_trip_id(trip_id_);
      loop_.SendLast(request);
    }
    switch (loop_.Next(is_open_ ? Clock::now() + kForever : open_at_)) {
      case StreamLoop::Event::kMessage:
        return OnMessage();
      case StreamLoop::Event::kClosed:
        OnClosed(loop_.status());
        break;
      case StreamLoop::Event::kSent:
      case StreamLoop::Event::kWoken:
      case StreamLoop::Event::kTimeout:
        break;
    }
    return std::nullopt;
  }

  void Open() {
    absl::StatusOr<Proof> proof = Prove(connection_);
    if (!proof.ok()) return End(proof.status());
    proof_ = *std::move(proof);
    is_open_ = true;
    is_requested_ = false;
    loop_.Open(OpenChannel(connection_, connection_.address), kWatchTrip, proof_, "");
  }

  std::optional<trip::v1::WatchTripResponse> OnMessage() {
    trip::v1::WatchTripResponse update;
    absl::Status error = loop_.Parse(update) ? CheckTrip(update.trip(), trip_id_)
                                             : ProtocolError("the service sent no valid message");
    if (!error.ok()) {
      End(error);
      return std::nullopt;
    }
    backoff_.Reset();
    faults_ = 0;
    if (update.trip().version() < version_) return std::nullopt;
    version_ = update.trip().version();
    if (HasEnded(update.trip().state())) End(absl::OkStatus());
    return update;
  }

  void OnClosed(const absl::Status& status) {
    is_open_ = false;
    if (!status.ok()) {
      const bool is_fault =
          IsFault(status.code()) && status.code() != absl::StatusCode::kUnimplemented;
      faults_ += is_fault;
      if (is_fault ? faults_ >= kMaxFaults : !MayHelp(status, proof_, refused_)) return End(status);
    }
    const auto asked = DetailsOf(status).retry_after;
    open_at_ = Clock::now() + backoff_.Next(asked ? std::optional<std::chrono::nanoseconds>(*asked)
                                                  : std::nullopt);
  }

  void End(const absl::Status& status) {
    loop_.Cut();
    has_ended_ = true;
    absl::MutexLock lock(&mu_);
    status_ = status;
  }

  bool IsCancelled() const {
    absl::MutexLock lock(&mu_);
    return is_cancelled_;
  }

  // A stream has no deadline: keepalive notices a connection that is half-open.
  static constexpr auto kForever = std::chrono::hours(24);

  const Connection connection_;
  const std::string trip_id_;
  // Used by the caller of Next(), except for Wake().
  StreamLoop loop_;
  Backoff backoff_{std::random_device()()};
  RefusedProof refused_;
  Proof proof_;
  Clock::time_point open_at_ = Clock::now();
  bool is_open_ = false;
  bool is_requested_ = false;
  bool has_ended_ = false;
  std::uint64_t version_ = 0;
  int faults_ = 0;
  mutable absl::Mutex mu_;
  bool is_cancelled_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mu_);
};

absl::StatusOr<std::unique_ptr<TripWatch>> Rider::Watch(const std::string& trip_id) {
  if (absl::Status error = CheckId(trip_id, "trip_id"); !error.ok()) return error;
  return std::unique_ptr<TripWatch>(
      new TripWatch(std::make_unique<TripWatch::Impl>(impl_->connection(), trip_id)));
}

TripWatch::TripWatch(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TripWatch::~TripWatch() = default;
std::optional<trip::v1::WatchTripResponse> TripWatch::Next() { return impl_->Next(); }
absl::Status TripWatch::status() const { return impl_->status(); }
void TripWatch::Cancel() { impl_->Cancel(); }

}  // namespace ridestream::client
