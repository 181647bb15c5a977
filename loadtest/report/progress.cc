#include "loadtest/report/progress.h"

#include <fmt/format.h>

#include <utility>

#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::loadtest {
namespace {

constexpr int kBlockLines = 5;

std::string TimeOfDay(Time time) {
  const auto of_day =
      std::chrono::floor<std::chrono::seconds>(time - std::chrono::floor<std::chrono::days>(time));
  const std::chrono::hh_mm_ss parts(of_day);
  return fmt::format("{:02}:{:02}:{:02}", parts.hours().count(), parts.minutes().count(),
                     parts.seconds().count());
}

}  // namespace

std::string ToLine(const ProgressView& view) {
  return fmt::format(
      "{} {:>4} s  city {}  drivers {}/{}  requests {}  waiting {}  assigned {}  arrived {}  "
      "aboard {}  completed {}  cancelled {}  unserved {}  positions/s {:.0f}  offer p50 {:.1f} ms "
      "p99 {:.1f} ms\n",
      view.phase, view.passed.count(), TimeOfDay(view.city_time), view.connected, view.drivers,
      view.requested, view.waiting, view.assigned, view.arrived, view.aboard, view.completed,
      view.cancelled, view.unserved, view.positions_per_s, view.offer_p50_ms, view.offer_p99_ms);
}

std::string ToBlock(const ProgressView& view) {
  return fmt::format(
      "  {:<10}{:>6} s        the city's clock {}\n"
      "  drivers   {:>6} of {} connected\n"
      "  trips     {:>6} waiting {:>6} assigned {:>6} arrived {:>6} aboard\n"
      "            {:>6} done    {:>6} cancelled {:>5} unserved, of {} requests\n"
      "  positions {:>6.0f} a second   offer to driver: p50 {:.1f} ms, p99 {:.1f} "
      "ms\n",
      view.phase, view.passed.count(), TimeOfDay(view.city_time), view.connected, view.drivers,
      view.waiting, view.assigned, view.arrived, view.aboard, view.completed, view.cancelled,
      view.unserved, view.requested, view.positions_per_s, view.offer_p50_ms, view.offer_p99_ms);
}

Progress::Progress(ProgressMode mode, std::FILE* out, size_t drivers, const Clock& clock,
                   const Tally& tally)
    : mode_(mode),
      out_(out),
      drivers_(drivers),
      clock_(clock),
      tally_(tally),
      phase_began_(Wall::now()),
      shown_at_(phase_began_) {}

void Progress::Phase(std::string name) {
  phase_ = std::move(name);
  phase_began_ = Wall::now();
}

void Progress::Tick() {
  if (mode_ == ProgressMode::kNone) return;
  const auto now = Wall::now();
  const std::chrono::milliseconds pause =
      mode_ == ProgressMode::kBlock ? kBlockEvery : std::chrono::milliseconds(kLineEvery);
  if (now - shown_at_ < pause) return;
  const ProgressView view = Look(now);
  std::string text;
  if (mode_ == ProgressMode::kBlock) {
    // Moves up to the block's first line; each line is cleared to its end before it is rewritten.
    if (std::exchange(block_drawn_, true)) text = fmt::format("\x1b[{}A", kBlockLines);
    for (const char c : ToBlock(view)) text += c == '\n' ? "\x1b[K\n" : std::string(1, c);
  } else {
    text = ToLine(view);
  }
  std::fputs(text.c_str(), out_);
  std::fflush(out_);
}

void Progress::PrintLine(const std::string& line) {
  if (mode_ == ProgressMode::kNone) return;
  std::fputs((line + "\n").c_str(), out_);
  std::fflush(out_);
  block_drawn_ = false;  // The next block is drawn below the line.
}

ProgressView Progress::Look(Wall::time_point now) {
  const auto in_state = [&](trip::v1::TripState state) -> std::int64_t {
    return tally_.trips_by_state[static_cast<size_t>(state)];
  };
  const std::uint64_t positions = tally_.positions_sent;
  const double passed_s = std::chrono::duration<double>(now - shown_at_).count();
  const Histogram offers = tally_.offer_push.Merged();
  ProgressView view{.phase = phase_,
                    .passed = std::chrono::floor<std::chrono::seconds>(now - phase_began_),
                    .city_time = clock_.Now(),
                    .drivers = drivers_,
                    .connected = tally_.streams.value(),
                    .requested = tally_.requested,
                    .waiting = in_state(trip::v1::TRIP_STATE_REQUESTED),
                    .assigned = in_state(trip::v1::TRIP_STATE_ASSIGNED),
                    .arrived = in_state(trip::v1::TRIP_STATE_ARRIVED),
                    .aboard = in_state(trip::v1::TRIP_STATE_ABOARD),
                    .completed = tally_.completed,
                    .cancelled = tally_.cancelled,
                    .unserved = tally_.unserved,
                    .positions_per_s = static_cast<double>(positions - positions_then_) / passed_s,
                    .offer_p50_ms = static_cast<double>(offers.Quantile(0.5)) / 1e3,
                    .offer_p99_ms = static_cast<double>(offers.Quantile(0.99)) / 1e3};
  positions_then_ = positions;
  shown_at_ = now;
  return view;
}

}  // namespace ridestream::loadtest
