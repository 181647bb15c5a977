#include "tests/bench/http2/slow_reader.h"

#include <fmt/format.h>
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "libs/base/mutex.h"
#include "libs/rpc/caller.h"
#include "ridestream/location/v1/location.grpc.pb.h"
#include "tests/bench/http2/bench_server.h"
#include "tests/bench/http2/frame_log.h"
#include "tests/bench/http2/ping_pong.h"

namespace ridestream::bench {
namespace {

constexpr int kOthers = 10;
constexpr int kPingsEach = 500;
constexpr int kRounds = 5;

/// Opens WatchArea, and reads nothing until asked to.
class SlowReader final : public grpc::ClientReadReactor<location::v1::WatchAreaResponse> {
 public:
  explicit SlowReader(location::v1::LocationService::Stub& stub) {
    rpc::SetCaller(context_, {rpc::CallerKind::kOperator, "bench"});
    stub.async()->WatchArea(&context_, &request_, this);
    // Accounts for the first read, which starts outside of a reaction.
    AddHold();
    StartCall();
  }
  void BeginReading() {
    StartRead(&response_);
    RemoveHold();
  }
  void Cancel() { context_.TryCancel(); }
  int WaitUntilDone() {
    MutexLock lock(mu_);
    while (!done_) changed_.Wait(mu_);
    return read_;
  }

 private:
  void OnReadDone(bool ok) override {
    if (!ok) return;
    {
      MutexLock lock(mu_);
      ++read_;
    }
    StartRead(&response_);
  }
  void OnDone(const grpc::Status&) override {
    MutexLock lock(mu_);
    done_ = true;
    changed_.SignalAll();
  }

  grpc::ClientContext context_;
  const location::v1::WatchAreaRequest request_;
  location::v1::WatchAreaResponse response_;
  Mutex mu_;
  CondVar changed_;
  int read_ ABSL_GUARDED_BY(mu_) = 0;
  bool done_ ABSL_GUARDED_BY(mu_) = false;
};

bool HasPath(const Frame& frame, std::string_view path) {
  return std::any_of(frame.headers.begin(), frame.headers.end(), [&](const auto& field) {
    return field.first == ":path" && field.second == path;
  });
}

/// The first and the last of `frames`, with the number between.
void PrintFrames(const std::vector<Frame>& frames, std::size_t first, std::size_t last) {
  for (std::size_t i = 0; i < frames.size(); ++i) {
    if (i < first || i + last >= frames.size()) {
      Print(fmt::format("  {:>9.1f} ms  {}", static_cast<double>(frames[i].at.count()) / 1'000,
                        Describe(frames[i])));
    } else if (i == first) {
      Print(fmt::format("               … {} more", frames.size() - first - last));
    }
  }
}

/// The frames that match `shown`, from `begin` to before `end`.
std::vector<Frame> Select(const std::vector<Frame>& frames, std::size_t begin, std::size_t end,
                          const std::function<bool(const Frame&)>& shown) {
  std::vector<Frame> selected;
  std::copy_if(frames.begin() + static_cast<std::ptrdiff_t>(begin),
               frames.begin() + static_cast<std::ptrdiff_t>(end), std::back_inserter(selected),
               shown);
  return selected;
}

/// Records the medians over all rounds, and the spread of p99, which depends on other work of the
/// machine.
absl::Status MeasureOthers(const std::string& name, PingPong& others, nlohmann::json& figures) {
  std::vector<std::int64_t> p50, p99;
  for (int round = 0; round < kRounds; ++round) {
    const auto trips = others.Round(kPingsEach);
    if (!trips.ok()) return trips.status();
    p50.push_back(trips->Quantile(0.5));
    p99.push_back(trips->Quantile(0.99));
  }
  std::sort(p50.begin(), p50.end());
  std::sort(p99.begin(), p99.end());
  figures[fmt::format("http2.slow_reader.{}_p50_us", name)] = p50[kRounds / 2];
  figures[fmt::format("http2.slow_reader.{}_p99_us", name)] = p99[kRounds / 2];
  Print(fmt::format("round trips of the others, {:<8} p50 {:>5} us, p99 {:>5} us ({} to {})",
                    name + ":", p50[kRounds / 2], p99[kRounds / 2], p99.front(), p99.back()));
  return absl::OkStatus();
}

/// With the reader's call open. The reader ends with the call, whatever this returns.
absl::Status Stall(SlowReader& reader, PingPong& others, const FrameLog& log,
                   nlohmann::json& figures) {
  constexpr std::string_view kPath = "/ridestream.location.v1.LocationService/WatchArea";
  ServerWindows windows;
  std::uint32_t stream = 0;
  std::size_t until_stall = 0;
  absl::Status status = log.WaitFor("the last byte of the window", 1, [&](const Frame& frame) {
    ++until_stall;
    windows.Add(frame);
    if (HasPath(frame, kPath)) stream = frame.stream;
    return stream != 0 && windows.OfStream(stream) == 0;
  });
  if (!status.ok()) return status;
  const auto on_stream = [&](const Frame& frame) { return frame.stream == stream; };
  const auto stalled = log.frames();
  Print(fmt::format("The client doesn't read stream {}. Until its window is used up:", stream));
  PrintFrames(Select(stalled, 0, until_stall,
                     [&](const Frame& frame) {
                       return on_stream(frame) ||
                              (frame.from_client && frame.type == NGHTTP2_SETTINGS);
                     }),
              6, 2);

  status = MeasureOthers("stalled", others, figures);
  if (!status.ok()) return status;
  const auto still = log.frames();
  for (std::size_t i = until_stall; i < still.size(); ++i) {
    windows.Add(still[i]);
    if (on_stream(still[i])) {
      return absl::InternalError("a frame on the stalled stream: " + Describe(still[i]));
    }
  }
  const auto data = Select(still, until_stall, still.size(),
                           [](const Frame& frame) { return frame.type == NGHTTP2_DATA; });
  Print(fmt::format(
      "Meanwhile no frame of stream {}, and {} DATA frames of others. Windows: stream {}, "
      "connection {}",
      stream, data.size(), windows.OfStream(stream), windows.connection()));
  PrintFrames(data, 2, 0);
  figures["http2.slow_reader.stalled_connection_window"] = windows.connection();

  reader.BeginReading();
  if (const int read = reader.WaitUntilDone(); read != kWatchMessages) {
    return absl::InternalError(fmt::format("read {} messages of {}", read, kWatchMessages));
  }
  Print("The client reads. From then on:");
  const auto all = log.frames();
  PrintFrames(Select(all, still.size(), all.size(), on_stream), 3, 2);
  return status;
}

}  // namespace

absl::Status MeasureSlowReader(nlohmann::json& figures) {
  const auto server = StartBenchServer();
  if (!server.ok()) return server.status();
  const auto log = FrameLog::Open(server->address);
  if (!log.ok()) return log.status();
  const auto channels = OwnConnections((*log)->address(), 1);
  const auto others = PingPong::Open(channels, kOthers);
  if (!others.ok()) return others.status();
  Print(fmt::format("\nA slow reader, and {} other calls on its connection", kOthers));
  absl::Status status = MeasureOthers("before", **others, figures);
  if (!status.ok()) return status;
  const auto stub = location::v1::LocationService::NewStub(channels.front());
  SlowReader reader(*stub);
  status = Stall(reader, **others, **log, figures);
  if (!status.ok()) {
    reader.Cancel();
    reader.BeginReading();
    reader.WaitUntilDone();
    return status;
  }
  figures["http2.slow_reader.stalled_to_before_p99"] =
      figures["http2.slow_reader.stalled_p99_us"].get<double>() /
      figures["http2.slow_reader.before_p99_us"].get<double>();
  return absl::OkStatus();
}

}  // namespace ridestream::bench
