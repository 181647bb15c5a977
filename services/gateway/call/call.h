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
/// Belongs to a strand (see CallEvents::post). All its functions must be called on that strand.
class Call {
 public:
  virtual ~Call() = default;
  /// Sends a message. The next Write must wait for `on_written`. `last` half-closes the call after
  /// this message.
  virtual void Write(std::string_view message, bool last) = 0;
  /// Half-closes the call. Must wait for `on_written` of the last message.
  virtual void WritesDone() = 0;
  /// Requests one message: `on_message` follows, or `on_end`. A call whose messages are not read
  /// does not end.
  virtual void Read() = 0;
  /// Cancels the call. It ends soon, with CANCELLED unless another status arrives first.
  virtual void Cancel() = 0;
};

/// The events of a call. All but `post` are called on the strand.
struct CallEvents {
  /// Runs work on the strand, from any thread.
  std::function<void(std::function<void()>)> post;
  /// The initial metadata, before the first message. Not called for a call that fails at once.
  std::function<void(const Headers& headers)> on_headers;
  std::function<void(std::string message)> on_message;
  std::function<void()> on_written;
  /// Always the last event. The call then holds none of these functions any more.
  std::function<void(const absl::Status& status, const Headers& trailers)> on_end;
};

/// The kind of caller that a call names. Each class has its own connections to the services, so a
/// connection that breaks in one class doesn't cut the calls of the others. The class is a claim
/// and grants no rights.
enum class CallerClass { kAnonymous, kRider, kDriver, kOther };
inline constexpr std::size_t kCallerClasses = 4;

/// The identity of a caller: proven, or with --insecure, claimed.
struct KnownCaller {
  identity::Principal principal;
  /// Removes names from answers where the method's policy requires it. Not null; must outlive the
  /// call.
  const Anonymizer* anonymizer;
};

struct CallOptions {
  Headers metadata;
  /// Without a timeout the call lasts until either side ends it.
  std::optional<std::chrono::nanoseconds> timeout;
  /// The id of the request in the services' logs. It is sent as metadata of the call.
  std::string request_id;
  CallerClass caller_class = CallerClass::kAnonymous;
  /// Empty for an unknown caller. The service refuses such a call.
  std::optional<KnownCaller> caller = std::nullopt;
};

}  // namespace ridestream::gateway
