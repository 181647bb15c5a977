#include <utility>

#include "libs/identity/policy.h"
#include "services/gateway/call/anonymous_call.h"
#include "services/gateway/call/services.h"
#include "services/gateway/call/upstream_call.h"

namespace ridestream::gateway {
namespace {

constexpr std::string_view kPseudonymKey = "ridestream-pseudonym";

bool IsAnonymous(const Method& method, const KnownCaller& caller) {
  // The service refuses callers that the policy doesn't list.
  const auto permission = identity::Authorize(&caller.principal, *method.descriptor, nullptr);
  return permission.ok() && permission->scope == identity::Scope::kAnonymous;
}

/// Adds to the response headers the pseudonym under which viewers see this driver.
CallEvents SendPseudonym(const KnownCaller& caller, CallEvents events) {
  if (!events.on_headers) return events;
  events.on_headers = [pseudonym = caller.anonymizer->pseudonyms().Hide(caller.principal.id),
                       on_headers = std::move(events.on_headers)](Headers headers) {
    headers.Add(kPseudonymKey, pseudonym);
    on_headers(headers);
  };
  return events;
}

}  // namespace

std::shared_ptr<Call> StartCall(const Method& method, const CallOptions& options,
                                CallEvents events) {
  if (options.caller) {
    const KnownCaller& caller = *options.caller;
    if (IsAnonymous(method, caller)) {
      return StartAnonymousCall(method, options, *caller.anonymizer, std::move(events));
    }
    if (caller.principal.role == identity::Role::kDriver) {
      events = SendPseudonym(caller, std::move(events));
    }
  }
  return StartUpstreamCall(method, options, std::move(events));
}

}  // namespace ridestream::gateway
