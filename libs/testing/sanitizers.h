#pragma once

namespace ridestream::testing {

/// Whether this is a build with AddressSanitizer or ThreadSanitizer, which retain freed memory.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

/// Factor for time limits in tests: sanitizers make programs several times slower.
inline constexpr int kSlowdown = kSanitized ? 5 : 1;

}  // namespace ridestream::testing
