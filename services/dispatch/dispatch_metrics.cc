#include "services/dispatch/dispatch_metrics.h"

#include <vector>

namespace ridestream::dispatch {
namespace {

using metrics::Readings;
using Kind = Readings::Kind;
using Markets = std::map<MarketId, std::unique_ptr<MarketRunner>>;

}  // namespace

void AddSessionReadings(metrics::ServiceMetrics& metrics, SessionRegistry& sessions,
                        std::size_t max_sessions) {
  Readings& readings = metrics.readings();
  readings.AddOne(Kind::kGauge, "dispatch_sessions", "Sessions, connected or not",
                  [&sessions] { return static_cast<double>(sessions.sessions()); });
  readings.AddOne(Kind::kGauge, "dispatch_sessions_bound", "Limit of sessions",
                  [max_sessions] { return static_cast<double>(max_sessions); });
  const SessionCounters& counters = sessions.counters();
  readings.Add(
      Kind::kCounter, "dispatch_session_events_total", "Sessions by what happened to them",
      [&counters] {
        std::vector<Readings::Sample> samples;
        for (const auto& [event, name] :
             {std::pair(SessionCounter::kBegun, "begun"),
              std::pair(SessionCounter::kResumed, "resumed"),
              std::pair(SessionCounter::kVoided, "voided"),
              std::pair(SessionCounter::kRefused, "refused"),
              std::pair(SessionCounter::kEvicted, "evicted"),
              std::pair(SessionCounter::kTooManyCommands, "too_many_commands"),
              std::pair(SessionCounter::kUnknownMessage, "unknown_message")}) {
          samples.push_back({{{"event", name}}, static_cast<double>(counters.value(event))});
        }
        return samples;
      });
  readings.Add(
      Kind::kCounter, "dispatch_positions_total",
      "Positions that drivers sent, by what became of them", [&counters] {
        std::vector<Readings::Sample> samples;
        for (const auto& [verdict, name] : {std::pair(PositionVerdict::kAccepted, "accepted"),
                                            std::pair(PositionVerdict::kLate, "late"),
                                            std::pair(PositionVerdict::kHeldBack, "held_back"),
                                            std::pair(PositionVerdict::kOutOfRange, "out_of_range"),
                                            std::pair(PositionVerdict::kTooMany, "too_many")}) {
          samples.push_back({{{"outcome", name}}, static_cast<double>(counters.value(verdict))});
        }
        return samples;
      });
  metrics.AddQueue(
      {{"queue", "unacked_pushes"}},
      [&sessions] { return static_cast<double>(sessions.MostUnacked()); },
      static_cast<double>(SessionConfig().max_unacked));
}

namespace {

void AddSpeedReadings(metrics::ServiceMetrics& metrics, const Markets& markets) {
  const auto read = [&metrics, &markets](Kind kind, const char* name, const char* help,
                                         auto value) {
    metrics.readings().Add(kind, name, help, [&markets, value] {
      std::vector<Readings::Sample> samples;
      for (const auto& [market, runner] : markets) {
        const SpeedKeeper* speeds = runner->speeds();
        samples.push_back({{{"market", market.str()}},
                           speeds == nullptr ? 0 : static_cast<double>(value(*speeds))});
      }
      return samples;
    });
  };
  read(Kind::kCounter, "dispatch_street_pieces_learned_total",
       "Street segments whose travel times were learned from cars",
       [](const SpeedKeeper& speeds) { return speeds.pieces_learned(); });
  read(Kind::kCounter, "dispatch_street_pieces_ignored_total",
       "Route segments from which no travel times were learned",
       [](const SpeedKeeper& speeds) { return speeds.pieces_ignored(); });
  read(Kind::kCounter, "dispatch_travel_time_updates_total", "Updates of the streets' travel times",
       [](const SpeedKeeper& speeds) { return speeds.updates(); });
  read(Kind::kGauge, "dispatch_streets_changed", "Streets whose travel time differs from the map's",
       [](const SpeedKeeper& speeds) { return speeds.changed_streets(); });
}

}  // namespace

void AddMarketReadings(metrics::ServiceMetrics& metrics,
                       const std::map<MarketId, std::unique_ptr<MarketRunner>>& markets) {
  const auto of_each = [&markets](auto value) {
    return [&markets, value] {
      std::vector<Readings::Sample> samples;
      for (const auto& [name, market] : markets) {
        samples.push_back({{{"market", name.str()}}, static_cast<double>(value(*market))});
      }
      return samples;
    };
  };
  metrics.readings().Add(
      Kind::kCounter, "dispatch_positions_dropped_total",
      "Positions that were dropped because location was too slow or unreachable",
      of_each([](const MarketRunner& market) { return market.positions().dropped(); }));
  metrics.readings().Add(
      Kind::kCounter, "dispatch_market_events_refused_total",
      "Events that a market's full queue refused",
      of_each([](const MarketRunner& market) { return market.events().refused(); }));
  metrics.readings().Add(
      Kind::kGauge, "dispatch_offer_ack_seconds",
      "From the decision to make an offer until its driver's ack, of the last 1,000, in seconds",
      [&markets] {
        std::vector<Readings::Sample> samples;
        for (const auto& [name, market] : markets) {
          const OfferTimes::Summary summary = std::as_const(*market).offer_times().Summarize();
          for (const auto& [quantile, time] :
               {std::pair("0.5", summary.p50), std::pair("0.99", summary.p99)}) {
            samples.push_back({{{"market", name.str()}, {"quantile", quantile}},
                               std::chrono::duration<double>(time).count()});
          }
        }
        return samples;
      });
  metrics.readings().Add(
      Kind::kCounter, "dispatch_offers_in_time_total",
      "Offers that their drivers acked within 10 ms of the decision",
      of_each([](const MarketRunner& market) { return market.offer_times().Summarize().in_time; }));
  metrics.readings().Add(
      Kind::kCounter, "dispatch_eta_corrections_total",
      "ETAs that were sent again to riders because they had changed by 30 s",
      of_each([](const MarketRunner& market) { return market.eta_corrections(); }));
  metrics.readings().Add(
      Kind::kCounter, "dispatch_promises_broken_total",
      "Trips whose riders were notified of a broken promise",
      of_each([](const MarketRunner& market) { return market.promises_broken(); }));
  metrics.readings().Add(
      Kind::kCounter, "dispatch_matching_rounds_out_of_time_total",
      "Matching rounds whose solver was stopped by its deadline",
      of_each([](const MarketRunner& market) { return market.rounds_out_of_time(); }));
  metrics.readings().Add(
      Kind::kGauge, "dispatch_surge_percent_max",
      "Highest price under surge in a market, in percent of the tariff",
      of_each([](const MarketRunner& market) { return market.highest_surge_percent(); }));
  AddSpeedReadings(metrics, markets);
  for (const auto& [name, market] : markets) {
    metrics.AddQueue(
        {{"queue", "market_events"}, {"market", name.str()}},
        [&events = market->events()] { return static_cast<double>(events.size()); },
        static_cast<double>(EventQueue::kMax));
    metrics.AddQueue(
        {{"queue", "position_batches"}, {"market", name.str()}},
        [&positions = std::as_const(*market).positions()] {
          return static_cast<double>(positions.waiting_batches());
        },
        static_cast<double>(PositionForwarder::kMaxBatches));
  }
}

void AddRecordReadings(metrics::ServiceMetrics& metrics,
                       const std::map<MarketId, std::unique_ptr<MarketRunner>>& markets,
                       const std::map<MarketId, std::unique_ptr<RecordQueue>>& records) {
  const auto read = [&records](const MarketId& market, auto value) {
    const auto record = records.find(market);
    return record == records.end() ? 0. : static_cast<double>(value(*record->second));
  };
  metrics.readings().Add(
      Kind::kCounter, "dispatch_record_events_total",
      "Events of a recorded market, by whether its record has them", [&markets, read] {
        std::vector<Readings::Sample> samples;
        for (const auto& [market, runner] : markets) {
          samples.push_back(
              {{{"market", market.str()}, {"outcome", "written"}},
               read(market, [](const RecordQueue& record) { return record.written(); })});
          samples.push_back(
              {{{"market", market.str()}, {"outcome", "dropped"}},
               read(market, [](const RecordQueue& record) { return record.dropped(); })});
        }
        return samples;
      });
  metrics.readings().Add(Kind::kGauge, "dispatch_record_bytes",
                         "Size of the record that this process writes", [&markets, read] {
                           std::vector<Readings::Sample> samples;
                           for (const auto& [market, runner] : markets) {
                             samples.push_back({{{"market", market.str()}},
                                                read(market, [](const RecordQueue& record) {
                                                  return record.bytes();
                                                })});
                           }
                           return samples;
                         });
}

void AddLeaseReadings(metrics::ServiceMetrics& metrics,
                      const std::map<MarketId, std::unique_ptr<LeaseKeeper>>& leases) {
  metrics.readings().Add(
      Kind::kGauge, "dispatch_lease_term",
      "Term of a market's lease while this process has it, otherwise 0", [&leases] {
        std::vector<Readings::Sample> samples;
        for (const auto& [market, lease] : leases) {
          const double term = lease->held() ? static_cast<double>(lease->last_lease().term()) : 0;
          samples.push_back({{{"market", market.str()}}, term});
        }
        return samples;
      });
}

void AddClockReadings(metrics::ServiceMetrics& metrics,
                      const std::map<std::string, const PeerClock*>& peers) {
  metrics.readings().Add(
      Kind::kGauge, "dispatch_clock_offset_seconds",
      "How far a peer's clock is ahead of dispatch's, in seconds of the city's time", [peers] {
        std::vector<Readings::Sample> samples;
        for (const auto& [peer, clock] : peers) {
          const std::optional<Duration> ahead = clock->ahead();
          if (!ahead) continue;
          samples.push_back({{{"peer", peer}}, std::chrono::duration<double>(*ahead).count()});
        }
        return samples;
      });
  metrics.readings().Add(Kind::kGauge, "dispatch_clock_usable",
                         "Whether a peer's clock can be used together with dispatch's, 0 or 1",
                         [peers] {
                           std::vector<Readings::Sample> samples;
                           for (const auto& [peer, clock] : peers) {
                             const bool usable = clock->verdict() != ClockVerdict::kUnusable;
                             samples.push_back({{{"peer", peer}}, usable ? 1. : 0.});
                           }
                           return samples;
                         });
}

}  // namespace ridestream::dispatch
