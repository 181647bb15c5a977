#include "tests/chaos/schedule.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <utility>

namespace ridestream::chaos {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kShortestGap{2'000};
constexpr milliseconds kLongestGap{4'000};
constexpr double kShortestFault_ms = 500;
constexpr double kLongestFault_ms = 10'000;
// Pause after an instantaneous event, so that its target can come back.
constexpr milliseconds kConvalescence{3'000};

using Card = std::pair<Deed, Target>;

std::vector<Card> Deck() {
  std::vector<Card> deck;
  for (const Target service : {Target::kTrip, Target::kLocation, Target::kDispatch}) {
    // Kills are twice as frequent, because recovery from them is the main purpose of the design.
    for (const Deed deed : {Deed::kKill, Deed::kKill, Deed::kRestart, Deed::kFreeze}) {
      deck.emplace_back(deed, service);
    }
  }
  for (const Target link : {Target::kRidersToTrip, Target::kDriversToDispatch,
                            Target::kDispatchToTrip, Target::kDispatchToLocation}) {
    for (const Deed deed : {Deed::kCut, Deed::kHalfOpen, Deed::kDelay, Deed::kThrottle}) {
      deck.emplace_back(deed, link);
    }
  }
  return deck;
}

bool Lasts(Deed deed) {
  return deed == Deed::kFreeze || deed == Deed::kDelay || deed == Deed::kThrottle;
}

class Dealer {
 public:
  explicit Dealer(std::uint64_t seed) : random_(seed) {}

  milliseconds Gap() { return milliseconds(Whole(kShortestGap.count(), kLongestGap.count())); }
  /// The next card whose target is free; other cards wait for their turn.
  Card Deal(const std::map<Target, milliseconds>& busy_until, milliseconds now) {
    if (deck_.empty()) Shuffle();
    auto card = std::find_if(deck_.begin(), deck_.end(), [&](const Card& c) {
      const auto busy = busy_until.find(c.second);
      return busy == busy_until.end() || busy->second <= now;
    });
    if (card == deck_.end()) {
      // The targets of all remaining cards are busy. The new deck has cards for all targets, and
      // few are busy at a time.
      Shuffle();
      return Deal(busy_until, now);
    }
    const Card dealt = *card;
    deck_.erase(card);
    return dealt;
  }
  /// A length on a logarithmic scale, so that short ones are more frequent than long ones.
  milliseconds Length() {
    const double part = static_cast<double>(Whole(0, 1'000'000)) / 1e6;
    return milliseconds(
        std::llround(kShortestFault_ms * std::pow(kLongestFault_ms / kShortestFault_ms, part)));
  }

 private:
  // Not by the standard's distributions, whose results differ between libraries.
  std::int64_t Whole(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(high - low + 1));
  }
  void Shuffle() {
    std::vector<Card> fresh = Deck();
    for (std::size_t i = fresh.size() - 1; i > 0; --i) {
      std::swap(fresh[i], fresh[static_cast<std::size_t>(Whole(0, static_cast<std::int64_t>(i)))]);
    }
    deck_.insert(deck_.end(), fresh.begin(), fresh.end());
  }

  std::mt19937_64 random_;
  std::vector<Card> deck_;
};

}  // namespace

std::string Name(Target target) {
  switch (target) {
    case Target::kTrip:
      return "trip";
    case Target::kLocation:
      return "location";
    case Target::kDispatch:
      return "dispatch";
    case Target::kRidersToTrip:
      return "riders-trip";
    case Target::kDriversToDispatch:
      return "drivers-dispatch";
    case Target::kDispatchToTrip:
      return "dispatch-trip";
    case Target::kDispatchToLocation:
      return "dispatch-location";
  }
  return "?";
}

std::string Name(Deed deed) {
  switch (deed) {
    case Deed::kKill:
      return "kill";
    case Deed::kRestart:
      return "restart";
    case Deed::kFreeze:
      return "freeze";
    case Deed::kCut:
      return "cut";
    case Deed::kHalfOpen:
      return "half-open";
    case Deed::kDelay:
      return "delay";
    case Deed::kThrottle:
      return "throttle";
  }
  return "?";
}

std::vector<Event> MakeSchedule(std::uint64_t seed, milliseconds length) {
  Dealer dealer(seed);
  std::map<Target, milliseconds> busy_until;
  std::vector<Event> events;
  for (milliseconds at = dealer.Gap(); at < length; at += dealer.Gap()) {
    const auto [deed, target] = dealer.Deal(busy_until, at);
    Event event{at, deed, target, milliseconds(0)};
    if (Lasts(deed)) event.lasts = std::min(dealer.Length(), length - at);
    busy_until[target] = at + event.lasts + kConvalescence;
    events.push_back(event);
  }
  return events;
}

}  // namespace ridestream::chaos
