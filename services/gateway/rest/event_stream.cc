#include "services/gateway/rest/event_stream.h"

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "services/gateway/grpc_web/grpc_web.h"
#include "services/gateway/http/problem.h"
#include "services/gateway/http/query.h"
#include "services/gateway/rest/transcoder.h"

namespace ridestream::gateway {
namespace {

/// Names a stream by its method, the path's variables, and the query without the start position.
std::string StreamName(const Routes::Found& found, const std::string& query) {
  const Route& route = *found.route;
  std::string text = route.method->path;
  for (const auto& [name, value] : found.variables) text += fmt::format("\n{}={}", name, value);
  for (const auto& [name, value] : ParseQuery(query)) {
    const bool is_start =
        route.after != nullptr && (name == route.after->name() || name == route.after->json_name());
    if (!is_start) text += fmt::format("\n{}={}", name, value);
  }
  // FNV-1a: the same in every process, so a reader can resume after a restart.
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return fmt::format("{:016x}", hash);
}

/// One stream of events. The next response is read when the reader has taken the one before. Runs
/// on the exchange's strand, and is kept alive by the callbacks that it gave to the call and the
/// exchange.
class EventStream final : public std::enable_shared_from_this<EventStream> {
 public:
  EventStream(const Route& route, Resume resume, const RestOptions& options,
              std::shared_ptr<Exchange> exchange)
      : route_(route),
        resume_(std::move(resume)),
        options_(options),
        exchange_(std::move(exchange)) {}

  void Run(const CallOptions& options, std::string_view message) {
    const auto self = shared_from_this();
    call_ =
        StartCall(*route_.method, options,
                  {.post = [exchange = exchange_](auto work) { exchange->Post(std::move(work)); },
                   .on_headers = [self](const Headers&) { self->Begin(); },
                   .on_message = [self](std::string bytes) { self->OnMessage(bytes); },
                   .on_written = nullptr,
                   .on_end = [self](const absl::Status& status,
                                    const Headers& trailers) { self->OnEnd(status, trailers); }});
    exchange_->OnGone([call = call_] { call->Cancel(); });
    exchange_->OnDrain([self] {
      self->draining_ = true;
      self->call_->Cancel();
    });
    call_->Write(message, /*last=*/true);
    call_->Read();
    SendHeartbeats();
  }

 private:
  void Begin() {
    if (std::exchange(begun_, true)) return;
    exchange_->Begin(EventsHead());
    Write(fmt::format("event: open\ndata: {{\"resumed\":{}}}\n\n", !resume_.after.empty()),
          nullptr);
  }

  void OnMessage(std::string_view bytes) {
    Begin();
    const auto json = MessageToJson(*route_.method->descriptor->output_type(), bytes);
    if (!json.ok()) {
      failed_ = json.status();
      call_->Cancel();
      return;
    }
    const std::string position = PositionOf(route_, bytes);
    const std::string id =
        position.empty() ? "" : fmt::format("id: {}-{}\n", resume_.stream, position);
    Write(fmt::format("{}data: {}\n\n", id, *json), [call = call_] { call->Read(); });
  }

  void OnEnd(absl::Status status, const Headers& trailers) {
    if (draining_) status = DrainingStatus();
    if (!failed_.ok()) status = failed_;
    if (!begun_ && !status.ok()) return exchange_->Send(CallProblem(status, trailers));
    Begin();
    std::string event = "event: end\ndata: {}\n\n";
    if (!status.ok()) {
      std::string problem = *Problem(status).body;
      // A line break would end the event's field.
      std::erase(problem, '\n');
      event = fmt::format("event: problem\ndata: {}\n\n", problem);
    }
    Write(std::move(event), nullptr);
    exchange_->End();
  }

  void Write(std::string event, std::function<void()> written) {
    quiet_ = false;
    exchange_->Write(Share(std::move(event)), std::move(written));
  }

  /// Sends a comment line at intervals while there are no events, so proxies keep the connection
  /// open. Begins the response if nothing has been sent yet.
  void SendHeartbeats() {
    exchange_->After(options_.heartbeat, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (self == nullptr) return;
      self->Begin();
      if (std::exchange(self->quiet_, true)) self->exchange_->Write(Share(":\n\n"), nullptr);
      self->SendHeartbeats();
    });
  }

  const Route& route_;
  const Resume resume_;
  const RestOptions& options_;
  const std::shared_ptr<Exchange> exchange_;
  std::shared_ptr<Call> call_;
  absl::Status failed_;
  bool begun_ = false;
  bool quiet_ = false;
  bool draining_ = false;
};

}  // namespace

absl::StatusOr<Resume> ReadLastEventId(const Routes::Found& found, const Request& request) {
  Resume resume{.stream = StreamName(found, request.query), .after = {}};
  const std::string_view id = request.headers.Get("last-event-id");
  if (id.empty()) return resume;
  const std::string_view begin = id.substr(0, resume.stream.size() + 1);
  const std::string_view position = id.substr(begin.size());
  std::uint64_t number = 0;
  if (found.route->after == nullptr || begin != resume.stream + "-" ||
      !absl::SimpleAtoi(absl::string_view(position.data(), position.size()), &number)) {
    return absl::InvalidArgumentError(
        fmt::format("Last-Event-ID: '{}' doesn't identify an event of this stream", id));
  }
  resume.after = position;
  return resume;
}

Response EventsHead() {
  return {.status = 200,
          .headers = {{"content-type", "text/event-stream"},
                      {"cache-control", "no-store"},
                      // Tells proxies not to buffer the events.
                      {"x-accel-buffering", "no"}}};
}

void ServeEvents(const Route& route, Resume resume, const RestOptions& options,
                 const CallOptions& call, std::string_view message,
                 const std::shared_ptr<Exchange>& exchange) {
  std::make_shared<EventStream>(route, std::move(resume), options, exchange)->Run(call, message);
}

}  // namespace ridestream::gateway
