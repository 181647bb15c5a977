#include "services/location/domain/area_view.h"

#include <algorithm>
#include <utility>

namespace ridestream::location {

AreaFrame AreaView::NextFrame(const MarketIndex* index, Time now) {
  AreaFrame frame;
  frame.snapshot = frames_++ == 0;
  if (index != nullptr) {
    const std::vector<CellGrid::Cell>& cells = index->grid().cells();
    const size_t begin = cells.empty() ? 0 : first_cell_ % cells.size();
    bool was_full = false;
    for (size_t n = 0; n < cells.size(); ++n) {
      const size_t at = (begin + n) % cells.size();
      if (cells[at].entries.empty() || !area_.Intersects(cells[at].bounds)) continue;
      AddCell(cells[at], *index, now, frame);
      if (!was_full && frame.drivers.size() == max_drivers_per_frame_) {
        was_full = true;
        first_cell_ = at;
      }
    }
  }
  CollectGone(frame);
  std::sort(frame.gone.begin(), frame.gone.end());
  return frame;
}

void AreaView::AddCell(const CellGrid::Cell& cell, const MarketIndex& index, Time now,
                       AreaFrame& frame) {
  for (const CellGrid::Entry& entry : cell.entries) {
    const MarketIndex::Record& record = index.record(entry.slot);
    if (!area_.Contains(record.place) || !index.IsFresh(record, now)) continue;
    DriverId id(*record.id);
    auto known = known_.find(id);
    if (known != known_.end()) known->second.frame = frames_;
    const bool was_sent = known != known_.end() && known->second.revision == record.revision;
    if (was_sent || frame.drivers.size() >= max_drivers_per_frame_) continue;
    known_.insert_or_assign(id, Known{record.revision, frames_});
    frame.drivers.push_back({std::move(id), record.place, 0, now - record.received_at, record.state,
                             record.free_seats, record.heading_deg});
  }
}

void AreaView::CollectGone(AreaFrame& frame) {
  for (auto known = known_.begin(); known != known_.end();) {
    const auto here = known++;
    if (here->second.frame == frames_ || frame.gone.size() >= max_drivers_per_frame_) continue;
    frame.gone.push_back(here->first);
    known_.erase(here);
  }
}

}  // namespace ridestream::location
