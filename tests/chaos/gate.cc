#include "tests/chaos/gate.h"

#include <fmt/format.h>

#include <array>
#include <boost/asio.hpp>
#include <deque>
#include <future>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "libs/base/host_port.h"

namespace ridestream::chaos {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Wall = std::chrono::steady_clock;

// Maximum number of bytes that a connection holds back in one direction; then its sender must wait.
constexpr std::size_t kMaxHeld = 64 * 1024;

}  // namespace

/// A client's connection, paired with one to the service. Used on the gate's thread only. Shared by
/// the running operations.
class Pair : public std::enable_shared_from_this<Pair> {
 public:
  Pair(tcp::socket client, int number, const Traffic& traffic, const Tap& tap,
       std::function<void(Pair*)> on_closed)
      : client_(std::move(client)),
        server_(client_.get_executor()),
        number_(number),
        traffic_(&traffic),
        tap_(&tap),
        on_closed_(std::move(on_closed)),
        up_(client_, server_),
        down_(server_, client_) {}

  void Connect(const tcp::endpoint& target) {
    server_.async_connect(target, [self = shared_from_this()](const error_code& error) {
      if (error) return self->Reset();
      error_code ignored;  // Nagle's algorithm would only add delay.
      self->server_.set_option(tcp::no_delay(true), ignored);
      self->client_.set_option(tcp::no_delay(true), ignored);
      self->Read(self->up_);
      self->Read(self->down_);
    });
  }

  /// Applies the new rules to held-back data.
  void OnTrafficChanged() {
    for (Pump* pump : {&up_, &down_}) {
      pump->last_due = Wall::now() + traffic_->delay;
      for (Chunk& chunk : pump->held) chunk.due = pump->last_due;
      pump->timer.cancel();
    }
  }

  void Silence() { silent_ = true; }

  void Reset() { Close(/*reset=*/true); }
  bool silent() const { return silent_; }

 private:
  void Close(bool reset) {
    if (std::exchange(closed_, true)) return;
    for (tcp::socket* socket : {&client_, &server_}) {
      error_code ignored;  // It may be closed already.
      if (reset) socket->set_option(asio::socket_base::linger(true, 0), ignored);
      socket->close(ignored);
    }
    up_.timer.cancel();
    down_.timer.cancel();
    on_closed_(this);
  }

  struct Chunk {
    std::string bytes;
    Wall::time_point due;
  };
  /// One direction.
  struct Pump {
    Pump(tcp::socket& from_in, tcp::socket& to_in)
        : from(from_in), to(to_in), timer(from_in.get_executor()) {}
    tcp::socket& from;
    tcp::socket& to;
    asio::steady_timer timer;
    std::array<char, 16 * 1024> buffer;
    std::deque<Chunk> held;
    std::size_t held_bytes = 0;
    Wall::time_point last_due;
    bool reading = false, writing = false, ended = false;
  };

  void Read(Pump& pump) {
    if (closed_ || pump.reading || pump.ended || pump.held_bytes >= kMaxHeld) return;
    pump.reading = true;
    pump.from.async_read_some(
        asio::buffer(pump.buffer),
        [self = shared_from_this(), &pump](const error_code& error, std::size_t size) {
          pump.reading = false;
          self->OnRead(pump, error, size);
        });
  }

  void OnRead(Pump& pump, const error_code& error, std::size_t size) {
    if (closed_) return;
    if (silent_) {
      // An end isn't forwarded. When both ends have closed, the connection is forgotten.
      pump.ended |= static_cast<bool>(error);
      if (up_.ended && down_.ended) Reset();
      return Read(pump);
    }
    if (error && error != asio::error::eof) return Reset();
    pump.ended |= error == asio::error::eof;
    if (size > 0) {
      if (*tap_) (*tap_)(number_, &pump == &up_, {pump.buffer.data(), size});
      Hold(pump, size);
    }
    Read(pump);
    Write(pump);
  }

  void Hold(Pump& pump, std::size_t size) {
    Wall::time_point due = Wall::now() + traffic_->delay;
    if (traffic_->bytes_per_s > 0) {
      due = std::max(
          due, pump.last_due + std::chrono::microseconds(size * 1'000'000 / traffic_->bytes_per_s));
    }
    pump.last_due = std::max(due, pump.last_due);
    pump.held.push_back({std::string(pump.buffer.data(), size), pump.last_due});
    pump.held_bytes += size;
  }

  void Write(Pump& pump) {
    if (closed_ || pump.writing || silent_) return;
    if (pump.held.empty()) {
      if (!pump.ended) return;
      error_code ignored;  // The other side may have closed first.
      pump.to.shutdown(tcp::socket::shutdown_send, ignored);
      if (up_.ended && down_.ended && up_.held.empty() && down_.held.empty()) {
        Close(/*reset=*/false);
      }
      return;
    }
    pump.writing = true;
    pump.timer.expires_at(pump.held.front().due);
    pump.timer.async_wait([self = shared_from_this(), &pump](const error_code& error) {
      pump.writing = false;
      if (error) return self->Write(pump);  // The due time has changed.
      self->WriteFirst(pump);
    });
  }

  void WriteFirst(Pump& pump) {
    if (closed_ || silent_) return;
    pump.writing = true;
    asio::async_write(pump.to, asio::buffer(pump.held.front().bytes),
                      [self = shared_from_this(), &pump](const error_code& error, std::size_t) {
                        pump.writing = false;
                        if (self->closed_) return;
                        if (error && !self->silent_) return self->Reset();
                        pump.held_bytes -= pump.held.front().bytes.size();
                        pump.held.pop_front();
                        self->Read(pump);
                        self->Write(pump);
                      });
  }

  tcp::socket client_;
  tcp::socket server_;
  const int number_;
  const Traffic* const traffic_;  // The gate's.
  const Tap* const tap_;          // The gate's.
  const std::function<void(Pair*)> on_closed_;
  Pump up_;
  Pump down_;
  bool silent_ = false;
  bool closed_ = false;
};

class Gate::Impl {
 public:
  Impl(tcp::endpoint target, Tap tap)
      : target_(std::move(target)),
        tap_(std::move(tap)),
        acceptor_(context_),
        work_(asio::make_work_guard(context_)) {}

  /// Runs `function` on the gate's thread and waits for its result.
  template <class Function>
  auto Do(Function function) {
    std::packaged_task<decltype(function())()> task(std::move(function));
    auto result = task.get_future();
    asio::post(context_, [&task] { task(); });
    return result.get();
  }

  ~Impl() {
    Do([this] {
      error_code ignored;
      acceptor_.close(ignored);
      ResetAll();
      return 0;
    });
    work_.reset();
    thread_.join();
  }

  /// Listens, and returns the chosen port.
  absl::StatusOr<int> Listen() {
    error_code error;
    acceptor_.open(tcp::v4(), error);
    if (!error) acceptor_.bind({asio::ip::address_v4::loopback(), 0}, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    // Started before anything can fail, because the destructor joins it.
    thread_ = std::thread([this] { context_.run(); });
    if (error) return absl::UnavailableError(fmt::format("a gate: {}", error.message()));
    const int port = acceptor_.local_endpoint().port();
    Do([this] { return Accept(), 0; });
    return port;
  }

  void Shape(const Traffic& traffic) {
    traffic_ = traffic;
    for (const auto& pair : pairs_) pair->OnTrafficChanged();
  }
  std::size_t ResetAll() {
    // A copy, because each connection that closes leaves the set.
    const std::vector<std::shared_ptr<Pair>> pairs(pairs_.begin(), pairs_.end());
    for (const auto& pair : pairs) pair->Reset();
    return pairs.size();
  }
  std::size_t SilenceAll() {
    std::size_t silenced = 0;
    for (const auto& pair : pairs_) {
      silenced += pair->silent() ? 0 : 1;
      pair->Silence();
    }
    return silenced;
  }
  std::size_t size() const { return pairs_.size(); }

 private:
  void Accept() {
    acceptor_.async_accept([this](const error_code& error, tcp::socket client) {
      if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
      if (!error) {
        auto pair = std::make_shared<Pair>(
            std::move(client), ++accepted_, traffic_, tap_,
            [this](Pair* closed) { pairs_.erase(closed->shared_from_this()); });
        pairs_.insert(pair);
        pair->Connect(target_);
      }
      Accept();
    });
  }

  const tcp::endpoint target_;
  const Tap tap_;
  asio::io_context context_;
  tcp::acceptor acceptor_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  // Everything below is used by the thread only.
  Traffic traffic_;
  int accepted_ = 0;
  std::unordered_set<std::shared_ptr<Pair>> pairs_;
  std::thread thread_;
};

absl::StatusOr<std::unique_ptr<Gate>> Gate::Open(const std::string& target, Tap tap) {
  const absl::StatusOr<HostPort> where = ParseHostPort(target);
  if (!where.ok()) return where.status();
  error_code error;
  const auto host = asio::ip::make_address(where->host, error);
  if (error || where->port == 0) {
    return absl::InvalidArgumentError(fmt::format("'{}' is no numeric host:port", target));
  }
  auto impl = std::make_unique<Impl>(tcp::endpoint(host, where->port), std::move(tap));
  const absl::StatusOr<int> listening = impl->Listen();
  if (!listening.ok()) return listening.status();
  return std::unique_ptr<Gate>(new Gate(std::move(impl), fmt::format("127.0.0.1:{}", *listening)));
}

Gate::Gate(std::unique_ptr<Impl> impl, std::string address)
    : impl_(std::move(impl)), address_(std::move(address)) {}

Gate::~Gate() = default;

void Gate::Shape(const Traffic& traffic) {
  impl_->Do([&] { return impl_->Shape(traffic), 0; });
}
std::size_t Gate::Cut() {
  return impl_->Do([&] { return impl_->ResetAll(); });
}
std::size_t Gate::Silence() {
  return impl_->Do([&] { return impl_->SilenceAll(); });
}
std::size_t Gate::connections() const {
  return impl_->Do([&] { return impl_->size(); });
}

}  // namespace ridestream::chaos
