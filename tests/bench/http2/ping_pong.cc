#include "tests/bench/http2/ping_pong.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "libs/rpc/channel.h"

namespace ridestream::bench {
namespace {

using Wall = std::chrono::steady_clock;

}  // namespace

std::int64_t RoundTrips::Quantile(double quantile) const {
  const auto rank = std::ceil(quantile * static_cast<double>(micros.size()));
  return micros[static_cast<std::size_t>(std::max(1.0, rank)) - 1];
}

std::size_t RoundTrips::CountAbove(std::int64_t bound) const {
  return static_cast<std::size_t>(micros.end() -
                                  std::upper_bound(micros.begin(), micros.end(), bound));
}

absl::StatusOr<std::unique_ptr<PingPong>> PingPong::Open(
    const std::vector<std::shared_ptr<grpc::Channel>>& channels, int streams) {
  std::unique_ptr<PingPong> game(new PingPong());
  for (const auto& channel : channels) {
    // One after the other: a server closes connections whose handshake takes over 10 s.
    if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(30))) {
      return absl::UnavailableError("no connection was established within 30 s");
    }
    game->stubs_.push_back(dispatch::v1::DispatchService::NewStub(channel));
  }
  for (int i = 0; i < streams; ++i) {
    Player& player = game->players_.emplace_back();
    player.driver = std::make_unique<BenchDriver>(
        *game->stubs_[static_cast<std::size_t>(i) % channels.size()],
        BenchDriver::Options{.id = fmt::format("bench-{}", i),
                             .start = {},
                             .on_push = [game = game.get(), &player](const auto& response) {
                               if (response.has_heartbeat()) game->OnHeartbeat(player);
                             }});
  }
  for (Player& player : game->players_) player.driver->WaitUntilWelcome();
  // A call that has failed doesn't answer its first ping.
  if (const auto answered = game->Round(1); !answered.ok()) return answered.status();
  return game;
}

PingPong::~PingPong() {
  for (Player& player : players_) player.driver->Stop();
  for (Player& player : players_) player.driver->WaitUntilDone();
}

absl::StatusOr<RoundTrips> PingPong::Round(int pings) {
  {
    MutexLock lock(mu_);
    micros_.clear();
    players_left_ = players_.size();
  }
  for (Player& player : players_) {
    player.left = pings;
    Ping(player);
  }
  const auto deadline = Wall::now() + std::chrono::minutes(2);
  MutexLock lock(mu_);
  while (players_left_ > 0) {
    const auto left = deadline - Wall::now();
    if (left <= left.zero()) {
      return absl::DeadlineExceededError(
          fmt::format("{} of {} calls weren't answered", players_left_, players_.size()));
    }
    changed_.WaitFor(mu_, left);
  }
  RoundTrips trips{std::exchange(micros_, {})};
  std::sort(trips.micros.begin(), trips.micros.end());
  return trips;
}

void PingPong::Ping(Player& player) {
  dispatch::v1::DriveRequest ping;
  ping.mutable_ack();
  player.sent = Wall::now();
  player.driver->Send(ping);
}

void PingPong::OnHeartbeat(Player& player) {
  const auto took =
      std::chrono::duration_cast<std::chrono::microseconds>(Wall::now() - player.sent).count();
  const bool last = --player.left == 0;
  {
    MutexLock lock(mu_);
    micros_.push_back(took);
    if (last && --players_left_ == 0) changed_.SignalAll();
  }
  if (!last) Ping(player);
}

std::vector<std::shared_ptr<grpc::Channel>> OwnConnections(
    const std::string& address, int count,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < count; ++i) {
    channels.push_back(
        rpc::MakeChannel(address, {.connection = i + 1, .credentials = credentials}));
  }
  return channels;
}

}  // namespace ridestream::bench
