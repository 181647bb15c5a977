#include "services/location/domain/location_index.h"

#include "absl/strings/string_view.h"

namespace ridestream::location {

ApplyCounts LocationIndex::Apply(std::string_view market, std::span<const PositionReport> reports,
                                 Time now) {
  Market* const found = FindOrAdd(market);
  if (found == nullptr) return {.rejected = reports.size()};
  WriterMutexLock lock(found->mu);
  const ApplyCounts counts = found->index.Apply(reports, now);
  found->counts += counts;
  return counts;
}

LocationIndex::Stats LocationIndex::GetStats(std::string_view market) const {
  const Market* const found = Find(market);
  if (found == nullptr) return {};
  ReaderMutexLock lock(found->mu);
  return {.drivers = found->index.size(), .positions = found->counts};
}

std::vector<std::string> LocationIndex::Markets() const {
  std::vector<std::string> names;
  MutexLock lock(mu_);
  for (const auto& [name, market] : markets_) names.push_back(name);
  return names;
}

std::vector<NearbyDrivers> LocationIndex::FindNearest(std::string_view market,
                                                      std::span<const NearestQuery> queries,
                                                      Time now) const {
  std::vector<NearbyDrivers> answers(queries.size());
  const Market* const found = Find(market);
  if (found == nullptr) return answers;
  ReaderMutexLock lock(found->mu);
  for (size_t i = 0; i < queries.size(); ++i) answers[i] = found->index.Nearest(queries[i], now);
  return answers;
}

AreaFrame LocationIndex::NextFrame(std::string_view market, AreaView& view, Time now) const {
  const Market* const found = Find(market);
  if (found == nullptr) return view.NextFrame(nullptr, now);
  ReaderMutexLock lock(found->mu);
  return view.NextFrame(&found->index, now);
}

const LocationIndex::Market* LocationIndex::Find(std::string_view market) const {
  MutexLock lock(mu_);
  const auto found = markets_.find(absl::string_view(market.data(), market.size()));
  return found == markets_.end() ? nullptr : found->second.get();
}

LocationIndex::Market* LocationIndex::FindOrAdd(std::string_view market) {
  MutexLock lock(mu_);
  const auto found = markets_.find(absl::string_view(market.data(), market.size()));
  if (found != markets_.end()) return found->second.get();
  if (markets_.size() >= options_.max_markets) return nullptr;
  return markets_.try_emplace(std::string(market), std::make_unique<Market>(options_))
      .first->second.get();
}

}  // namespace ridestream::location
