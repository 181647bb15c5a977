#include "services/dispatch/domain/demand/waiting_places.h"

#include <algorithm>
#include <set>
#include <utility>

namespace ridestream::dispatch {

std::vector<WaitingPlaces::Suggestion> WaitingPlaces::Suggest(
    std::span<const FreeCar> free_cars, std::span<const DemandMap::Shortage> shortages, Time now) {
  std::erase_if(sent_, [now](const auto& entry) { return entry.second.expires_at <= now; });
  if (shortages.empty()) return {};
  std::map<std::uint64_t, double> on_their_way;
  std::set<DriverId> free;
  for (const FreeCar& car : free_cars) free.insert(car.driver);
  for (const auto& [driver, sent] : sent_) {
    if (free.contains(driver)) on_their_way[sent.cell] += 1;
  }
  std::set<std::uint64_t> short_cells;
  for (const DemandMap::Shortage& shortage : shortages) short_cells.insert(shortage.cell);
  std::vector<const FreeCar*> movable;
  for (const FreeCar& car : free_cars) {
    if (sent_.contains(car.driver) || short_cells.contains(DemandMap::CellOf(car.place))) continue;
    movable.push_back(&car);
  }

  std::vector<Suggestion> suggestions;
  for (const DemandMap::Shortage& shortage : shortages) {
    std::vector<std::pair<double, std::size_t>> near;  // metres, index in movable
    for (std::size_t i = 0; i < movable.size(); ++i) {
      const double away_m = FastDistanceM(movable[i]->place, shortage.place);
      if (away_m <= kReachM) near.emplace_back(away_m, i);
    }
    const double missing = shortage.cars - on_their_way[shortage.cell];
    const std::size_t count =
        missing < 1 ? 0 : std::min(near.size(), static_cast<std::size_t>(missing));
    std::partial_sort(near.begin(), near.begin() + static_cast<std::ptrdiff_t>(count), near.end());
    std::vector<bool> taken(movable.size());
    for (std::size_t i = 0; i < count; ++i) {
      const FreeCar& car = *movable[near[i].second];
      taken[near[i].second] = true;
      sent_[car.driver] = {shortage.cell, now + kLasts};
      suggestions.push_back({car.driver, shortage.place, now + kLasts});
    }
    std::size_t index = 0;
    std::erase_if(movable, [&](const FreeCar*) { return taken[index++]; });
  }
  return suggestions;
}

}  // namespace ridestream::dispatch
