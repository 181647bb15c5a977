// Every text field of every method with hostile texts: a status says what is wrong, and nobody else
// is affected.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "tests/e2e/bystanders.h"
#include "tests/e2e/hostile_test.h"

namespace ridestream::e2e {
namespace {

using google::protobuf::MethodDescriptor;
using grpc::StatusCode;
using ::testing::AnyOf;
using ::testing::StartsWith;

/// Whether the status neither indicates a failure of the service nor asks for a retry.
bool BlamesTheCaller(StatusCode code) {
  switch (code) {
    case StatusCode::OK:
    case StatusCode::INVALID_ARGUMENT:
    case StatusCode::NOT_FOUND:
    case StatusCode::ALREADY_EXISTS:
    case StatusCode::PERMISSION_DENIED:
    case StatusCode::FAILED_PRECONDITION:
    case StatusCode::OUT_OF_RANGE:
      return true;
    default:
      return false;
  }
}

class HostileFieldsTest : public HostileTest {
 protected:
  /// The messages with this text in the field: in the stream's first message, or after the message
  /// that must come first.
  std::vector<std::string> Messages(const MethodDescriptor& method, const TextField& field,
                                    std::string_view text) {
    const auto& type = *method.input_type();
    std::vector<std::string> messages = {api_.SampleWith(type, field, text)};
    const auto* hello = type.FindFieldByName("hello");
    if (hello != nullptr && field.front() != hello) {
      const TextField market = {hello, hello->message_type()->FindFieldByName("market")};
      messages.insert(messages.begin(), api_.SampleWith(type, market, "city"));
    }
    return messages;
  }

  void ExpectRefused(const grpc::Status& status, const TextField& field, bool is_utf8) {
    const std::string& message = status.error_message();
    if (IsCountedOnly(field) && is_utf8) {
      EXPECT_TRUE(status.ok()) << message;
      return;
    }
    EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT) << message;
    EXPECT_TRUE(IsHarmless(message)) << absl::CHexEscape(message);
    EXPECT_LE(message.size(), 1'024u);
    // A message that can't be parsed or is too large has no fields.
    EXPECT_THAT(message, AnyOf(StartsWith(NameOf(field)), StartsWith("message: ")));
  }
};

TEST_F(HostileFieldsTest, AreRejectedByEachMethodWithoutAffectingOtherClients) {
  Bystanders bystanders(*system_);
  std::size_t calls = 0;
  for (const MethodDescriptor* method : api_.methods()) {
    const std::string caller = CallerOf(*method);
    for (const TextField& field : Api::TextFieldsOf(*method->input_type())) {
      const auto call = [&](std::string_view text) {
        ++calls;
        return Call(*method, caller, Messages(*method, field, text));
      };
      SCOPED_TRACE(method->name() + " " + NameOf(field));
      const grpc::Status empty = call("");
      EXPECT_TRUE(BlamesTheCaller(empty.error_code())) << empty.error_message();
      for (const HostileText& hostile : HostileTexts()) {
        SCOPED_TRACE(hostile.what);
        ExpectRefused(call(hostile.text), field, hostile.what != kNotUtf8);
      }
    }
  }
  std::printf("%zu calls\n", calls);
  EXPECT_GT(calls, 300u);
  bystanders.ExpectUntouched();
  ExpectAliveWithCleanLogs(calls);
}

}  // namespace
}  // namespace ridestream::e2e
