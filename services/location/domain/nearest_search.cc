// MarketIndex::Nearest: the k best candidates of an outward walk.

#include <algorithm>
#include <vector>

#include "services/location/domain/market_index.h"
#include "services/location/domain/ring_walk.h"

namespace ridestream::location {
namespace {

/// The best candidates so far, the worst of them on top of a heap.
class Candidates {
 public:
  Candidates(const MarketIndex& index, const NearestQuery& query, Time now)
      : index_(index),
        query_(query),
        now_(now),
        center_(ToUnitVector(query.center)),
        max_chord_squared_(ChordSquaredFromM(query.radius_m)) {
    heap_.reserve(std::min<size_t>(query.limit, index.size()));
  }

  const UnitVector& center() const { return center_; }
  /// A driver farther away can't be among the best.
  double max_chord_squared() const { return max_chord_squared_; }
  void Clear() {
    heap_.clear();
    max_chord_squared_ = ChordSquaredFromM(query_.radius_m);
  }

  void Consider(const CellGrid::Cell& cell) {
    for (const CellGrid::Entry& entry : cell.entries) {
      const double chord_squared = ChordSquared(center_, entry.at);
      if (chord_squared <= max_chord_squared_ && Fits(entry)) Add({chord_squared, entry.slot});
    }
  }

  NearbyDrivers TakeSorted() {
    std::sort(heap_.begin(), heap_.end(), Nearer{index_});
    NearbyDrivers drivers;
    drivers.reserve(heap_.size());
    for (const Candidate& candidate : heap_) {
      const MarketIndex::Record& record = index_.record(candidate.slot);
      drivers.push_back({DriverId(*record.id), record.place,
                         MFromChordSquared(candidate.chord_squared), now_ - record.received_at,
                         record.state, record.free_seats, record.heading_deg});
    }
    return drivers;
  }

 private:
  struct Candidate {
    double chord_squared;
    std::uint32_t slot;
  };
  struct Nearer {
    const MarketIndex& index;
    bool operator()(const Candidate& a, const Candidate& b) const {
      if (a.chord_squared != b.chord_squared) return a.chord_squared < b.chord_squared;
      return *index.record(a.slot).id < *index.record(b.slot).id;
    }
  };

  bool Fits(const CellGrid::Entry& entry) const {
    return entry.free_seats >= query_.min_free_seats && query_.states.Has(entry.state) &&
           index_.IsFresh(index_.record(entry.slot), now_);
  }

  void Add(const Candidate& candidate) {
    const Nearer nearer{index_};
    if (heap_.size() == query_.limit) {
      if (heap_.empty() || !nearer(candidate, heap_.front())) return;
      std::pop_heap(heap_.begin(), heap_.end(), nearer);
      heap_.pop_back();
    }
    heap_.push_back(candidate);
    std::push_heap(heap_.begin(), heap_.end(), nearer);
    if (heap_.size() == query_.limit) max_chord_squared_ = heap_.front().chord_squared;
  }

  const MarketIndex& index_;
  const NearestQuery& query_;
  const Time now_;
  const UnitVector center_;
  double max_chord_squared_;
  std::vector<Candidate> heap_;
};

}  // namespace

NearbyDrivers MarketIndex::Nearest(const NearestQuery& query, Time now) const {
  Candidates candidates(*this, query, now);
  RingWalk walk(grid_, candidates.center());
  RingWalk::Cells cells;
  RingWalk::Step step;
  while ((step = walk.Next(candidates.max_chord_squared(), cells)) == RingWalk::Step::kRing) {
    for (const CellGrid::Cell* cell : cells) candidates.Consider(*cell);
  }
  if (step == RingWalk::Step::kTooManyCells) {
    candidates.Clear();
    for (const CellGrid::Cell& cell : grid_.cells()) candidates.Consider(cell);
  }
  return candidates.TakeSorted();
}

}  // namespace ridestream::location
