#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "services/dispatch/domain/events/market_events.h"
#include "services/dispatch/domain/market/market.h"
#include "services/dispatch/record/record.pb.h"

/// Events and settings of a market, to and from their messages. A value that was written is read
/// back equal.
namespace ridestream::dispatch {

/// Replaces what `message` holds.
void Encode(const Event& event, record::Event& message);
/// INVALID_ARGUMENT for an event that this version doesn't know.
absl::StatusOr<Event> Decode(const record::Event& message);

/// All but `market`, which is the header's, and the deadline, which is a function.
record::Settings Encode(const MarketConfig& config);
/// INVALID_ARGUMENT for a method or mode that doesn't exist.
absl::StatusOr<MarketConfig> Decode(const record::Settings& settings);

/// CRC-32 of decisions' bytes.
std::uint32_t Checksum(std::string_view bytes);

}  // namespace ridestream::dispatch
