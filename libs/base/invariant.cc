#include "libs/base/invariant.h"

#include <cstdio>
#include <cstdlib>

namespace ridestream {
namespace {

std::atomic<InvariantHandler> g_handler = nullptr;
std::atomic<std::uint64_t> g_broken = 0;

[[noreturn]] void EndProcess(const BrokenInvariant& broken) {
  std::fprintf(stderr, "%.*s:%d: broken invariant: %.*s\n", static_cast<int>(broken.file.size()),
               broken.file.data(), broken.line, static_cast<int>(broken.name.size()),
               broken.name.data());
  std::abort();
}

}  // namespace

void SetInvariantHandler(InvariantHandler handler) { g_handler = handler; }

std::uint64_t BrokenInvariants() { return g_broken; }

namespace internal {

bool InvariantSite::Broken() {
  ++g_broken;
  const BrokenInvariant broken{name_, file_, line_, ++times_};
  const InvariantHandler handler = g_handler;
  if (handler == nullptr) EndProcess(broken);
  handler(broken);
  return false;
}

}  // namespace internal
}  // namespace ridestream
