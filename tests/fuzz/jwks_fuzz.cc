// Key sets and revocation lists: files that another program writes, or that are fetched from an
// issuer. Reading one may fail but must do nothing worse.

#include <cstdlib>
#include <string_view>

#include "libs/identity/key_set.h"
#include "libs/identity/revocations.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ridestream::identity;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto keys = KeySet::Parse(text);
  if (keys.ok() && ((*keys)->size() == 0 || (*keys)->size() > KeySet::kMaxKeys)) std::abort();
  const auto revocations = Revocations::Parse(text);
  if (revocations.ok()) {
    const Claims claims{{Role::kRider, "ada"}, "1", {}};
    const bool listed = text.find("ada") != text.npos || text.find('1') != text.npos;
    if ((*revocations)->Contain(claims) && !listed) std::abort();
  }
  return 0;
}
