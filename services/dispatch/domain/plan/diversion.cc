#include "services/dispatch/domain/plan/diversion.h"

#include <chrono>
#include <cmath>
#include <utility>

namespace ridestream::dispatch {

void Prepend(const std::vector<RouteProgress::Point>& lead, RouteFound::Way& way) {
  using std::chrono::milliseconds;
  const common::v1::Route& found = way.route;
  if (lead.size() < 2 || found.lat_e7().empty() || found.lng_e7().empty()) return;
  common::v1::Route whole = found;
  whole.clear_lat_e7();
  whole.clear_lng_e7();
  whole.clear_piece_ms();
  LatLng last;
  const auto add = [&](LatLng point) {
    whole.add_lat_e7(point.lat_e7 - last.lat_e7);
    whole.add_lng_e7(EastE7(last, point));
    last = point;
  };
  const auto ms_until = [&](std::size_t point) {
    return std::chrono::round<milliseconds>(lead[point].from_start - lead.front().from_start);
  };
  double length_m = 0;
  for (std::size_t i = 0; i + 1 < lead.size(); ++i) {
    add(lead[i].place);
    whole.add_piece_ms(static_cast<std::uint32_t>((ms_until(i + 1) - ms_until(i)).count()));
    length_m += FastDistanceM(lead[i].place, lead[i + 1].place);
  }
  // The route begins where the lead ends, up to the distance by which snapping moved it.
  add({found.lat_e7(0), found.lng_e7(0)});
  for (int i = 1; i < found.lat_e7_size(); ++i) whole.add_lat_e7(found.lat_e7(i));
  for (int i = 1; i < found.lng_e7_size(); ++i) whole.add_lng_e7(found.lng_e7(i));
  whole.mutable_piece_ms()->MergeFrom(found.piece_ms());

  const milliseconds led = ms_until(lead.size() - 1);
  whole.set_duration_ms(found.duration_ms() + static_cast<std::uint32_t>(led.count()));
  whole.set_length_m(found.length_m() + static_cast<std::uint32_t>(std::lround(length_m)));
  for (Duration& to_stop : way.to_stop) to_stop += led;
  way.route = std::move(whole);
}

}  // namespace ridestream::dispatch
