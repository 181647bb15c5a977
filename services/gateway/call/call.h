#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "libs/identity/principal.h"
#include "services/gateway/http/message.h"
#include "services/gateway/viewers/anonymizer.h"

namespace ridestream::gateway {

/// A call to a service, of any kind, with its messages as bytes. The gateway parses only the
/// messages of callers who may see no names.
///
/// Belongs to a strand (see CallEvents::post), from which alone its functions may be called.
class Call {
 public:
  virtual ~Call() = default;
  /// Sends a message; the next one after `on_written`. `last` half-closes after it.
  virtual void Write(std::string_view message, bool last) = 0;
  /// Half-closes. After `on_written`.
  virtual void WritesDone() = 0;
  /// Asks for the next message, once: answered by `on_message`, or by `on_end`. A call that nobody
  /// reads doesn't end.
  virtual void Read() = 0;
  /// Ends it soon, with CANCELLED unless it ends otherwise first.
  virtual void Cancel() = 0;
};

/// The events of a call. All but `post` come on the strand.
struct CallEvents {
  /// Runs work on the strand, from any thread.
  std::function<void(std::function<void()>)> post;
  /// The metadata that comes before the first message; not for a call that fails at once.
  std::function<void(const Headers& headers)> on_headers;
  std::function<void(std::string message)> on_message;
  std::function<void()> on_written;
  /// The last event, always. After it the call holds none of these functions.
  std::function<void(const absl::Status& status, const Headers& trailers)> on_end;
};

/// The kind of caller that a call names. Each class has connections of its own to the services, so
/// that what breaks one class's doesn't cut the others. A claim, never a permission.
enum class CallerClass { kAnonymous, kRider, kDriver, kOther };
inline constexpr std::size_t kCallerClasses = 4;

/// The identity of a caller: proven, or with --insecure, claimed.
struct KnownCaller {
  identity::Principal principal;
  /// Removes names from answers where the method's policy requires it. Not null; outlives the call.
  const Anonymizer* anonymizer;
};

struct CallOptions {
  Headers metadata;
  /// None: the call lasts until either side ends it.
  std::optional<std::chrono::nanoseconds> timeout;
  /// The id of the request in the services' logs. The call carries it as metadata.
  std::string request_id;
  CallerClass caller_class = CallerClass::kAnonymous;
  /// Empty for an unknown caller, whose call the service refuses.
  std::optional<KnownCaller> caller = std::nullopt;
};

}  // namespace ridestream::gateway
