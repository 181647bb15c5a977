#include "libs/postgres/result.h"

#include <libpq-fe.h>

#include <cstdlib>
#include <cstring>

namespace ridestream::postgres {
namespace {

/// All results come in binary form: integers in network order.
std::uint64_t ReadBigEndian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

}  // namespace

void Result::Clearer::operator()(pg_result* result) const { PQclear(result); }

int Result::rows() const { return PQntuples(result_.get()); }

std::string_view Result::command() const { return PQcmdStatus(result_.get()); }

bool Result::IsNull(int row, int column) const {
  return PQgetisnull(result_.get(), row, column) != 0;
}

std::int64_t Result::Int64(int row, int column) const {
  const std::string_view bytes = Text(row, column);
  const std::uint64_t number = ReadBigEndian(bytes);
  switch (bytes.size()) {
    case 2:
      return static_cast<std::int16_t>(number);
    case 4:
      return static_cast<std::int32_t>(number);
    default:
      return static_cast<std::int64_t>(number);
  }
}

bool Result::Bool(int row, int column) const { return Int64(row, column) != 0; }

std::string_view Result::Text(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

}  // namespace ridestream::postgres
