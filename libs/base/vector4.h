#pragma once

#include <cstdint>
#include <cstring>

namespace ridestream {

// Four integers that one SIMD instruction processes: GCC's and clang's vector extension. Every
// processor that we build for has such instructions, but our level of optimisation doesn't use them
// automatically.
using Int4 = std::int32_t __attribute__((vector_size(16)));
using Float4 = float __attribute__((vector_size(16)));

/// The four numbers from `first` on, which must be below 2^31.
inline Int4 Load4(const std::uint32_t* first) {
  Int4 numbers;
  std::memcpy(&numbers, first, sizeof(numbers));
  return numbers;
}

}  // namespace ridestream
