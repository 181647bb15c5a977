#include "services/gateway/call/anonymous_call.h"

#include <string>
#include <utility>

#include "google/protobuf/message.h"
#include "services/gateway/call/upstream_call.h"

namespace ridestream::gateway {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::Message;

std::unique_ptr<Message> NewMessage(const Descriptor& type) {
  return std::unique_ptr<Message>(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(&type)->New());
}

/// Translates between a caller and its call upstream. Runs on the call's strand. The event handlers
/// of the call upstream own this object.
class AnonymousCall final : public Call, public std::enable_shared_from_this<AnonymousCall> {
 public:
  AnonymousCall(const Method& method, const Anonymizer& anonymizer, CallEvents events)
      : method_(method), anonymizer_(anonymizer), events_(std::move(events)) {}

  void Begin(const CallOptions& options) {
    const auto self = shared_from_this();
    upstream_ = StartUpstreamCall(
        method_, options,
        {.post = events_.post,
         .on_headers = events_.on_headers,
         .on_message = [self](const std::string& bytes) { self->OnMessage(bytes); },
         .on_written = events_.on_written,
         .on_end = [self](const absl::Status& status,
                          const Headers& trailers) { self->OnEnd(status, trailers); }});
  }

  void Write(std::string_view message, bool last) override {
    const auto request = NewMessage(*method_.descriptor->input_type());
    if (!request->ParseFromArray(message.data(), static_cast<int>(message.size()))) {
      return Fail(absl::InvalidArgumentError("message: can't be parsed"));
    }
    const absl::StatusOr<int> revealed = anonymizer_.Reveal(*request);
    if (!revealed.ok()) return Fail(revealed.status());
    if (*revealed > 0) knows_ids_ = true;
    upstream_->Write(request->SerializeAsString(), last);
  }
  void WritesDone() override { upstream_->WritesDone(); }
  void Read() override { upstream_->Read(); }
  void Cancel() override { upstream_->Cancel(); }

 private:
  void OnMessage(const std::string& bytes) {
    const auto answer = NewMessage(*method_.descriptor->output_type());
    if (!answer->ParseFromString(bytes)) {
      return Fail(absl::InternalError("the service's answer can't be parsed"));
    }
    anonymizer_.Anonymize(*answer);
    events_.on_message(answer->SerializeAsString());
  }

  void OnEnd(absl::Status status, const Headers& trailers) {
    // The service's message may repeat an id that replaced a pseudonym in the request.
    if (knows_ids_ && !status.ok()) {
      status = absl::Status(status.code(), "refused by the service; viewers don't see its reason");
    }
    if (!failed_.ok()) status = failed_;
    const CallEvents events = std::exchange(events_, {});
    events.on_end(status, trailers);
  }

  /// Ends the call with a status that the gateway chose.
  void Fail(absl::Status status) {
    failed_ = std::move(status);
    upstream_->Cancel();
  }

  const Method& method_;
  const Anonymizer& anonymizer_;
  CallEvents events_;
  std::shared_ptr<Call> upstream_;
  absl::Status failed_;
  bool knows_ids_ = false;
};

}  // namespace

std::shared_ptr<Call> StartAnonymousCall(const Method& method, const CallOptions& options,
                                         const Anonymizer& anonymizer, CallEvents events) {
  auto call = std::make_shared<AnonymousCall>(method, anonymizer, std::move(events));
  call->Begin(options);
  return call;
}

}  // namespace ridestream::gateway
