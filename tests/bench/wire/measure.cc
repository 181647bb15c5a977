#include "tests/bench/wire/measure.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "tests/bench/wire/server.h"

namespace ridestream::bench::wire {
namespace {

using std::chrono::steady_clock;
using Figures = std::map<std::string, double>;
using Clients = std::vector<std::unique_ptr<Client>>;
/// Exchanges messages by a client; returns how many.
using Task = std::function<absl::StatusOr<int>(Client&)>;

absl::StatusOr<Clients> Connect(const Protocol& protocol, const Server& server, int count) {
  Clients clients;
  for (int i = 0; i < count; ++i) {
    auto client = protocol.connect(server.port());
    if (!client.ok()) return client.status();
    clients.push_back(*std::move(client));
  }
  return clients;
}

/// What has been counted so far.
struct Counts {
  double cpu_us = 0, bytes = 0, message_bytes = 0;
};

absl::StatusOr<Counts> Count(const Server& server, const Clients& clients) {
  const auto cpu = server.CpuTime();
  if (!cpu.ok()) return cpu.status();
  const auto bytes = BytesOnConnectionsTo(server.port());
  if (!bytes.ok()) return bytes.status();
  std::size_t message_bytes = 0;
  for (const auto& client : clients) message_bytes += client->message_bytes();
  return Counts{.cpu_us = std::chrono::duration<double, std::micro>(*cpu).count(),
                .bytes = static_cast<double>(*bytes),
                .message_bytes = static_cast<double>(message_bytes)};
}

/// Repeats the task with all clients at once.
absl::Status MeasureTaskRate(const Server& server, const Clients& clients, const Task& task,
                             const std::string& name, const MeasureOptions& options,
                             Figures& figures) {
  for (const auto& client : clients) {
    if (const auto warm = task(*client); !warm.ok()) return warm.status();
  }
  const auto before = Count(server, clients);
  if (!before.ok()) return before.status();
  const auto start = steady_clock::now();
  std::vector<absl::StatusOr<int>> done(clients.size(), 0);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    threads.emplace_back([&, i] {
      int sum = 0;
      while (steady_clock::now() - start < options.length) {
        const auto count = task(*clients[i]);
        if (!count.ok()) {
          done[i] = count.status();
          return;
        }
        sum += *count;
      }
      done[i] = sum;
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double> time = steady_clock::now() - start;
  const auto after = Count(server, clients);
  if (!after.ok()) return after.status();
  double messages = 0;
  for (const auto& count : done) {
    if (!count.ok()) return count.status();
    messages += *count;
  }
  if (messages == 0) return absl::InternalError(name + ": nothing was exchanged");
  figures[name + ".per_s"] = messages / time.count();
  figures[name + ".cpu_us"] = (after->cpu_us - before->cpu_us) / messages;
  figures[name + ".bytes"] = (after->bytes - before->bytes) / messages;
  figures[name + ".message_bytes"] = (after->message_bytes - before->message_bytes) / messages;
  return absl::OkStatus();
}

void AddPercentiles(const std::string& name, std::vector<double> times_us, Figures& figures) {
  std::sort(times_us.begin(), times_us.end());
  const auto at = [&](double share) {
    return times_us[static_cast<std::size_t>(share * static_cast<double>(times_us.size() - 1))];
  };
  figures[name + ".p50_us"] = at(0.5);
  figures[name + ".p99_us"] = at(0.99);
}

/// Repeats the task by one client, one after the other.
absl::Status MeasureRoundTrip(const Protocol& protocol, const Server& server, const Task& task,
                              const std::string& name, const MeasureOptions& options,
                              Figures& figures) {
  auto client = protocol.connect(server.port());
  if (!client.ok()) return client.status();
  if (const auto warm = task(**client); !warm.ok()) return warm.status();
  std::vector<double> times_us;
  const auto start = steady_clock::now();
  do {
    const auto sent = steady_clock::now();
    if (const auto count = task(**client); !count.ok()) return count.status();
    const std::chrono::duration<double, std::micro> time = steady_clock::now() - sent;
    times_us.push_back(time.count());
  } while (steady_clock::now() - start < options.length);
  AddPercentiles(name, std::move(times_us), figures);
  return absl::OkStatus();
}

absl::Status MeasureCalls(const Protocol& protocol, const MeasureOptions& options,
                          Figures& figures) {
  const auto server = Server::Start(protocol, {}, options.folder);
  if (!server.ok()) return server.status();
  std::vector<Position> positions;
  for (int i = 1; i <= kWindow; ++i) {
    positions.push_back(SamplePosition(static_cast<std::uint64_t>(i)));
  }
  const Task report = [&](Client& client) -> absl::StatusOr<int> {
    if (absl::Status status = client.Report(positions); !status.ok()) return status;
    return kWindow;
  };
  const Task report_one = [&](Client& client) -> absl::StatusOr<int> {
    const std::span<const Position> last(&positions.back(), 1);
    if (absl::Status status = client.Report(last); !status.ok()) return status;
    return 1;
  };
  const Task quote = [](Client& client) -> absl::StatusOr<int> {
    const auto response = client.Quote(SampleQuoteRequest());
    if (!response.ok()) return response.status();
    if (response->fare().total().amount_minor() == 3'682) return 1;
    return absl::InternalError("a quote has arrived with another fare");
  };
  const std::pair<std::string, std::pair<Task, Task>> tasks[] = {{"position", {report, report_one}},
                                                                 {"quote", {quote, quote}}};
  for (const auto& [name, pair] : tasks) {
    auto clients = Connect(protocol, **server, options.callers);
    if (!clients.ok()) return clients.status();
    absl::Status status = MeasureTaskRate(**server, *clients, pair.first, name, options, figures);
    clients->clear();
    if (status.ok()) {
      status = MeasureRoundTrip(protocol, **server, pair.second, name, options, figures);
    }
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

/// Single offers to a client that waits for them. Without a pause between pushes, the sockets'
/// buffers of 4 MB each would absorb offers that cost the server time but that no client has seen.
absl::Status MeasurePush(const Protocol& protocol, const MeasureOptions& options,
                         Figures& figures) {
  const auto server = Server::Start(
      protocol, protocol.has_push ? kPushedOfferEvery : kPolledOfferEvery, options.folder);
  if (!server.ok()) return server.status();
  const auto clients = Connect(protocol, **server, 1);
  if (!clients.ok()) return clients.status();
  Client& client = *clients->front();
  if (absl::Status status = client.Subscribe(); !status.ok()) return status;
  const auto before = Count(**server, *clients);
  if (!before.ok()) return before.status();
  std::vector<double> times_us;
  const auto start = steady_clock::now();
  auto next_poll = start;
  while (steady_clock::now() - start < options.length || times_us.empty()) {
    const auto response = client.NextOffer();
    if (!response.ok()) return response.status();
    const std::chrono::duration<double, std::micro> now =
        std::chrono::system_clock::now().time_since_epoch();
    if (response->has_offer()) {
      if (response->offer().driver_id() != "d-4711") {
        return absl::InternalError("an offer has arrived for another driver");
      }
      const auto decided_ns =
          google::protobuf::util::TimeUtil::TimestampToNanoseconds(response->offer().decided_at());
      times_us.push_back(now.count() - static_cast<double>(decided_ns) / 1'000);
    }
    // The period doesn't include the poll itself.
    if (!protocol.has_push) std::this_thread::sleep_until(next_poll += kPollEvery);
  }
  const auto after = Count(**server, *clients);
  if (!after.ok()) return after.status();
  const auto offers = static_cast<double>(times_us.size());
  figures["push.cpu_us"] = (after->cpu_us - before->cpu_us) / offers;
  figures["push.bytes"] = (after->bytes - before->bytes) / offers;
  figures["push.message_bytes"] = (after->message_bytes - before->message_bytes) / offers;
  AddPercentiles("push", std::move(times_us), figures);
  return absl::OkStatus();
}

absl::Status MeasureMemory(const Protocol& protocol, const MeasureOptions& options,
                           Figures& figures) {
  const auto server = Server::Start(protocol, std::chrono::hours(1), options.folder);
  if (!server.ok()) return server.status();
  const auto first = Connect(protocol, **server, 1);
  if (!first.ok()) return first.status();
  if (absl::Status status = first->front()->Subscribe(); !status.ok()) return status;
  const auto before = (*server)->ResidentBytes();
  if (!before.ok()) return before.status();
  const auto clients = Connect(protocol, **server, options.waiting);
  if (!clients.ok()) return clients.status();
  for (const auto& client : *clients) {
    if (absl::Status status = client->Subscribe(); !status.ok()) return status;
  }
  const auto after = (*server)->ResidentBytes();
  if (!after.ok()) return after.status();
  figures["waiting_bytes"] =
      (static_cast<double>(*after) - static_cast<double>(*before)) / options.waiting;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::map<std::string, double>> Measure(const Protocol& protocol,
                                                      const MeasureOptions& options) {
  Figures figures;
  absl::Status status;
  if (protocol.has_calls) status = MeasureCalls(protocol, options, figures);
  if (status.ok()) status = MeasurePush(protocol, options, figures);
  if (status.ok()) status = MeasureMemory(protocol, options, figures);
  if (status.ok()) return figures;
  return absl::Status(status.code(), protocol.title + ": " + std::string(status.message()));
}

}  // namespace ridestream::bench::wire
