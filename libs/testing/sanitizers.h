#pragma once

namespace ridestream::testing {

/// Whether this was built with AddressSanitizer or ThreadSanitizer, which keep freed memory.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

/// By what a promised time is multiplied where it is tested: sanitizers take several times as long.
inline constexpr int kSlowdown = kSanitized ? 5 : 1;

}  // namespace ridestream::testing
