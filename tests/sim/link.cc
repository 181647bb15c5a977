#include "tests/sim/link.h"

#include <algorithm>
#include <utility>

namespace ridestream::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kMaxDelay = seconds(8);
// Keepalive of 20 s and 10 s more for its answer, or what the other side chose.
constexpr Duration kMinKeepalive = seconds(10);
constexpr Duration kMaxKeepalive = seconds(40);

absl::Status Broken() { return absl::UnavailableError("the connection is gone"); }

}  // namespace

Duration Latency(Context& context) {
  return context.random.Between(Duration(microseconds(100)), Duration(milliseconds(5)));
}

std::shared_ptr<Link> Link::Open(Context& context, Host& client, Host& server, std::string name) {
  auto link = std::shared_ptr<Link>(new Link(context, std::move(name)));
  link->Attach(Side::kClient, client);
  if (server.up()) {
    link->Attach(Side::kServer, server);
  } else {
    link->broken_ = true;
    link->end(Side::kServer).closed = true;
    link->NotifyEnd(Side::kClient, Broken(), Latency(context));
  }
  return link;
}

void Link::Attach(Side side, Host& host) {
  End& e = end(side);
  e.host = &host;
  e.life = host.life();
  e.connection = host.AddConnection([weak = weak_from_this(), side] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->end(side).closed = true;
    self->Break();
  });
}

Time Link::NextArrival(End& to) {
  Time arrival = context_.agenda.now() + Latency(context_) + to.slower;
  if (context_.faults.Strikes(Fault::kMessageDelayed)) {
    arrival += context_.random.Between(Duration(milliseconds(50)), kMaxDelay);
  }
  return to.last_arrival = std::max(arrival, to.last_arrival);
}

void Link::Send(Side to, std::function<void()> deliver) {
  if (end(Other(to)).closed) return;
  if (broken_ || end(to).closed) {
    context_.faults.Count(Fault::kMessageLost);
    return;
  }
  End& receiver = end(to);
  ++receiver.on_their_way;
  const bool cut = context_.faults.Strikes(Fault::kStreamCut);
  const bool cut_before = cut && context_.random.Chance(0.5);
  context_.agenda.At(
      NextArrival(receiver), receiver.life,
      [self = shared_from_this(), to, cut, cut_before, deliver = std::move(deliver)] {
        if (self->broken_) return;
        if (cut_before) return self->Break();
        --self->end(to).on_their_way;
        if (!self->end(to).closed) deliver();
        if (cut) self->Break();
      });
}

void Link::Finish(Side by, const absl::Status& status) {
  const Side other = Other(by);
  if (broken_ || end(by).closed || end(other).closed) return;
  context_.agenda.At(NextArrival(end(other)), end(other).life,
                     [self = shared_from_this(), other, status] {
                       if (!self->broken_) self->Closed(other, status);
                     });
}

void Link::Abandon(Side by) {
  if (end(by).closed) return;
  Leave(by);
  if (broken_) return;
  // What it sent before may still arrive, long after the driver has come back on another stream.
  const Side other = Other(by);
  const bool half_open = context_.faults.Strikes(Fault::kStreamHalfOpen);
  NotifyEnd(other, absl::CancelledError("the other side is gone"),
            half_open ? context_.random.Between(kMinKeepalive, kMaxKeepalive)
                      : std::max(Duration(0), end(other).last_arrival - context_.agenda.now()) +
                            Latency(context_));
}

void Link::Break() {
  if (std::exchange(broken_, true)) return;
  context_.trace.Line("{} breaks", name_);
  DropMessagesInFlight();
  for (const Side side : {Side::kClient, Side::kServer}) {
    if (end(side).closed) continue;
    const bool half_open = context_.faults.Strikes(Fault::kStreamHalfOpen);
    NotifyEnd(side, Broken(),
              half_open ? context_.random.Between(kMinKeepalive, kMaxKeepalive)
                        : context_.random.Between(Duration(0), Duration(milliseconds(300))));
  }
}

void Link::DropMessagesInFlight() {
  for (End& e : ends_) {
    context_.faults.Count(Fault::kMessageLost, static_cast<std::uint64_t>(e.on_their_way));
    e.on_their_way = 0;
  }
}

void Link::NotifyEnd(Side side, const absl::Status& status, Duration after) {
  context_.agenda.After(after, end(side).life, [self = shared_from_this(), side, status] {
    self->broken_ = true;
    self->DropMessagesInFlight();
    self->Closed(side, status);
  });
}

void Link::Closed(Side side, const absl::Status& status) {
  End& e = end(side);
  if (e.closed) return;
  const OnClosed on_closed = std::exchange(e.on_closed, nullptr);
  Leave(side);
  if (on_closed) on_closed(status);
}

void Link::Leave(Side by) {
  End& e = end(by);
  e.closed = true;
  e.on_closed = nullptr;
  if (e.host != nullptr) e.host->RemoveConnection(e.connection);
}

}  // namespace ridestream::sim
