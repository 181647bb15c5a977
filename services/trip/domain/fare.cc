#include "services/trip/domain/fare.h"

#include <fmt/format.h>

#include <algorithm>

#include "libs/proto_values/proto_values.h"
#include "services/trip/domain/surge_table.h"

namespace ridestream::trip {
namespace {

constexpr std::int64_t kMetresPerKm = 1000;
constexpr std::int64_t kMsPerMinute = 60'000;

absl::Status ValidateRate(const char* field, std::int64_t rate_minor) {
  if (rate_minor >= 0 && rate_minor <= kMaxRateMinor) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("tariff.{}: must be 0 to {}, is {}", field, kMaxRateMinor, rate_minor));
}

std::int64_t DivideHalfUp(std::int64_t amount, std::int64_t by) { return (amount + by / 2) / by; }

}  // namespace

absl::Status ValidateTariff(const v1::Tariff& tariff) {
  const std::string& currency = tariff.currency_code();
  const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (currency.size() != 3 || !std::all_of(currency.begin(), currency.end(), is_capital)) {
    return absl::InvalidArgumentError(fmt::format(
        "tariff.currency_code: must be three capital letters such as USD, is '{}'", currency));
  }
  for (const auto& [field, rate] : {std::pair("base_minor", tariff.base_minor()),
                                    std::pair("per_km_minor", tariff.per_km_minor()),
                                    std::pair("per_minute_minor", tariff.per_minute_minor()),
                                    std::pair("no_show_fee_minor", tariff.no_show_fee_minor())}) {
    if (absl::Status status = ValidateRate(field, rate); !status.ok()) return status;
  }
  if (tariff.shared_discount_percent() > 100) {
    return absl::InvalidArgumentError(
        fmt::format("tariff.shared_discount_percent: must be 0 to 100, is {}",
                    tariff.shared_discount_percent()));
  }
  const Duration wait = FromProto(tariff.no_show_after());
  if (wait < Duration::zero() || wait > kMaxNoShowWait) {
    return absl::InvalidArgumentError(
        fmt::format("tariff.no_show_after: must be 0 to {} s, is {} s",
                    std::chrono::floor<std::chrono::seconds>(kMaxNoShowWait).count(),
                    tariff.no_show_after().seconds()));
  }
  const std::uint32_t surge = tariff.surge_percent();
  if (surge != 0 && (surge < kNoSurgePercent || surge > kMaxSurgePercent)) {
    return absl::InvalidArgumentError(
        fmt::format("tariff.surge_percent: must be 0 or {} to {}, is {}", kNoSurgePercent,
                    kMaxSurgePercent, surge));
  }
  return absl::OkStatus();
}

v1::Fare MakeFare(const v1::Tariff& tariff, std::uint32_t length_m,
                  std::chrono::milliseconds duration, bool shared) {
  v1::Fare fare;
  *fare.mutable_tariff() = tariff;
  fare.set_length_m(length_m);
  *fare.mutable_duration() = ToProto(duration);
  fare.set_distance_part_minor(DivideHalfUp(tariff.per_km_minor() * length_m, kMetresPerKm));
  fare.set_time_part_minor(
      DivideHalfUp(tariff.per_minute_minor() * duration.count(), kMsPerMinute));
  std::int64_t sum = tariff.base_minor() + fare.distance_part_minor() + fare.time_part_minor();
  if (tariff.surge_percent() > kNoSurgePercent) {
    fare.set_surge_minor(
        DivideHalfUp(sum * (tariff.surge_percent() - kNoSurgePercent), kNoSurgePercent));
    sum += fare.surge_minor();
  }
  if (shared) {
    fare.set_shared_discount_minor(DivideHalfUp(sum * tariff.shared_discount_percent(), 100));
  }
  fare.mutable_total()->set_currency_code(tariff.currency_code());
  fare.mutable_total()->set_amount_minor(sum - fare.shared_discount_minor());
  return fare;
}

common::v1::Money NoShowFee(const v1::Tariff& tariff, Duration waited) {
  common::v1::Money fee;
  fee.set_currency_code(tariff.currency_code());
  if (waited >= FromProto(tariff.no_show_after())) fee.set_amount_minor(tariff.no_show_fee_minor());
  return fee;
}

}  // namespace ridestream::trip
