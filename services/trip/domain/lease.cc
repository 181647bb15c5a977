#include "services/trip/domain/lease.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "libs/rpc/stale_term.h"

namespace ridestream::trip {
namespace {

bool HasEnded(const Lease& lease, Time now, Duration longest) {
  return lease.is_released() || lease.ends_at <= now || lease.ends_at > now + longest;
}

Duration Left(const Lease& lease, Time now, Duration longest) {
  return HasEnded(lease, now, longest) ? Duration::zero() : Duration(lease.ends_at - now);
}

}  // namespace

LeaseDecision Decide(const LeaseCommand& command, const std::optional<Lease>& row, Time now) {
  const bool is_holders = row && row->holder == command.holder && row->term == command.term;
  Lease lease = row.value_or(Lease{.market = command.market});
  bool held = false;
  switch (command.kind) {
    case LeaseCommand::Kind::kAcquire:
      held = lease.term == 0 || lease.holder == command.holder ||
             HasEnded(lease, now, command.longest);
      if (!held) break;
      lease.holder = command.holder;
      lease.address = command.address;
      ++lease.term;
      lease.ends_at = now + command.lasts;
      break;
    case LeaseCommand::Kind::kRenew:
      held = is_holders && !lease.is_released();
      if (held) lease.ends_at = now + command.lasts;
      break;
    case LeaseCommand::Kind::kRelease:
      if (is_holders) lease.ends_at = Time::min();
      break;
  }
  LeaseDecision decision{.answer = {lease, held, Left(lease, now, command.longest)}};
  if (held || (is_holders && lease.is_released())) decision.write = std::move(lease);
  return decision;
}

absl::Status CheckTerm(std::uint64_t term, const MarketId& market,
                       const std::optional<Lease>& row) {
  if (term == (row ? row->term : 0)) return absl::OkStatus();
  std::string why;
  if (!row) {
    why = fmt::format("there was no lease of market '{}' yet", market);
  } else if (term > row->term) {
    why = fmt::format("term {} is not on record: the lease of market '{}' is in term {}", term,
                      market, row->term);
  } else {
    why = fmt::format("term {} of market '{}' is over: {} at '{}' has it in term {}", term, market,
                      row->holder, row->address, row->term);
  }
  return rpc::MarkStaleTerm(absl::FailedPreconditionError(why));
}

}  // namespace ridestream::trip
