// Every text field of every method with hostile texts through both of the gateway's protocols,
// gRPC-Web and REST: each is refused with 4xx and the reason, and nobody else is affected.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "libs/base/host_port.h"
#include "ridestream/common/v1/http.pb.h"
#include "services/gateway/grpc_web/frame.h"
#include "services/gateway/testing/test_client.h"
#include "tests/e2e/hostile_test.h"
#include "tests/e2e/raw_call.h"

namespace ridestream::e2e {
namespace {

using common::v1::HttpRule;
using gateway::TestClient;
using google::protobuf::MethodDescriptor;
using nlohmann::json;

std::string PercentEncoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    encoded += absl::ascii_isalnum(static_cast<unsigned char>(c))
                   ? std::string(1, c)
                   : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

/// Adds query parameters equivalent to the JSON: "center.latE7=1".
void AddParameters(const json& value, const std::string& name, std::vector<std::string>& found) {
  if (value.is_object()) {
    for (const auto& [key, member] : value.items()) {
      AddParameters(member, name.empty() ? key : name + "." + key, found);
    }
  } else if (value.is_array()) {
    for (const json& element : value) AddParameters(element, name, found);
  } else {
    found.push_back(name + "=" +
                    PercentEncoded(value.is_string() ? value.get<std::string>() : value.dump()));
  }
}

/// A REST request equivalent to a sample of the method's request.
struct RestRequest {
  std::string http_method;
  std::string target;
  gateway::Headers headers = {};
  std::string body = {};
};

class HostileGatewayTest : public HostileTest {
 protected:
  /// Where the route takes the field from, with this text there.
  RestRequest ToRest(const MethodDescriptor& method, const HttpRule& rule, const TextField& field,
                     std::string_view text) {
    RestRequest request{.http_method = rule.has_post() ? "POST" : "GET",
                        .target = rule.has_post() ? rule.post() : rule.get()};
    std::vector<std::string> in_path;
    const auto& type = *method.input_type();
    for (int i = 0; i < type.field_count(); ++i) {
      const std::string variable = "{" + type.field(i)->name() + "}";
      const std::size_t at = request.target.find(variable);
      if (at == std::string::npos) continue;
      const bool is_field = field.front() == type.field(i);
      const std::string sample = type.field(i)->name() == "market" ? "city" : "x-1";
      request.target.replace(at, variable.size(), is_field ? PercentEncoded(text) : sample);
      in_path.push_back(type.field(i)->name());
    }
    if (rule.body() == "*") {
      // A field that isn't in the body has its mark in the path.
      request.headers.Add("content-type", "application/json");
      request.body = api_.JsonSampleWith(type, field, text, in_path);
      return request;
    }
    constexpr std::string_view kHere = "here";
    std::vector<std::string> parameters;
    AddParameters(json::parse(api_.JsonSampleWith(type, field, kHere, in_path)), "", parameters);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      std::string& parameter = parameters[i];
      if (parameter.ends_with("=here")) {
        parameter.replace(parameter.size() - kHere.size(), kHere.size(), PercentEncoded(text));
      }
      request.target += (i == 0 ? "?" : "&") + parameter;
    }
    return request;
  }

  TestClient::Answer Send(const RestRequest& request, const std::string& caller) {
    ++calls_;
    gateway::Headers headers = request.headers;
    headers.Add("authorization", Authorization(caller));
    headers.Add("x-request-id", "hostile");
    return TestClient(port()).Call(request.http_method, request.target, headers, request.body);
  }

  void ExpectRefused(const TestClient::Answer& answer) {
    EXPECT_GE(answer.status, 400) << answer.body;
    EXPECT_LT(answer.status, 500) << answer.body;
    EXPECT_LE(answer.body.size(), 2'048u);
    const json problem = json::parse(answer.body, nullptr, /*allow_exceptions=*/false);
    ASSERT_TRUE(problem.is_object()) << answer.body;
    // JSON escapes what it must; what a client shows of it is the text.
    EXPECT_TRUE(IsHarmless(problem.value("detail", "\x1b"))) << answer.body;
    EXPECT_NE(problem.value("detail", ""), "");
  }

  int port() const { return ParseHostPort(system_->gateway()).value().port; }

  std::size_t calls_ = 0;
};

/// Clients of the gateway, one of each kind that may watch the map.
class Viewers {
 public:
  Viewers(int port, const std::vector<std::string>& authorizations) {
    for (const std::string& authorization : authorizations) {
      auto& viewer = *viewers_.emplace_back(std::make_unique<TestClient>(port));
      const gateway::Headers headers = {{"authorization", authorization}};
      viewer.SendRequest("GET",
                         "/v1/markets/city/drivers:watch?southWest.latE7=440000000&"
                         "southWest.lngE7=-310000000&northEast.latE7=460000000&"
                         "northEast.lngE7=-290000000&intervalMs=1000",
                         headers);
      EXPECT_EQ(viewer.ReadHead().status, 200);
      EXPECT_NE(viewer.ReadChunk(), "");
    }
  }
  /// Expects that each gets more messages than can have been buffered.
  void ExpectUntouched() {
    for (const auto& viewer : viewers_) {
      for (int i = 0; i < 3; ++i) EXPECT_NE(viewer->ReadChunk(), "");
      EXPECT_FALSE(viewer->broken());
    }
  }

 private:
  std::vector<std::unique_ptr<TestClient>> viewers_;
};

TEST_F(HostileGatewayTest, EachRouteRejectsInvalidFieldsWithoutAffectingOtherClients) {
  Viewers viewers(port(), {Authorization("operator/o-1"), Authorization("viewer/v-1")});
  for (const MethodDescriptor* method : api_.methods()) {
    if (!method->options().HasExtension(common::v1::http)) continue;
    const std::string caller = CallerOf(*method);
    if (caller.starts_with("service/")) continue;  // The gateway serves none.
    const HttpRule& first = method->options().GetExtension(common::v1::http);
    std::vector<HttpRule> rules = {first};
    for (const HttpRule& further : first.additional_bindings()) rules.push_back(further);
    for (const HttpRule& rule : rules) {
      for (const TextField& field : Api::TextFieldsOf(*method->input_type())) {
        SCOPED_TRACE(rule.ShortDebugString() + " " + NameOf(field));
        const auto empty = Send(ToRest(*method, rule, field, ""), caller);
        EXPECT_TRUE(empty.status == 200 || (empty.status >= 400 && empty.status < 500))
            << empty.status << empty.body;
        for (const HostileText& hostile : HostileTexts()) {
          SCOPED_TRACE(hostile.what);
          ExpectRefused(Send(ToRest(*method, rule, field, hostile.text), caller));
          if (rule.idempotency_key() != field.front()->name()) continue;
          RestRequest request = ToRest(*method, rule, field, "x-1");
          request.headers.Add("idempotency-key", hostile.text);
          ExpectRefused(Send(request, caller));
        }
      }
    }
  }
  std::printf("%zu calls\n", calls_);
  EXPECT_GT(calls_, 150u);
  viewers.ExpectUntouched();
  ExpectAliveWithCleanLogs(calls_);
}

TEST_F(HostileGatewayTest, GrpcWebRejectsInvalidFieldsWithoutAffectingOtherClients) {
  Viewers viewers(port(), {Authorization("operator/o-1"), Authorization("viewer/v-1")});
  for (const MethodDescriptor* method : api_.methods()) {
    if (method->client_streaming()) continue;  // Not by gRPC-Web.
    const std::string caller = CallerOf(*method);
    if (caller.starts_with("service/")) continue;  // The gateway serves none.
    const gateway::Headers headers = {{"content-type", "application/grpc-web+proto"},
                                      {"authorization", Authorization(caller)}};
    for (const TextField& field : Api::TextFieldsOf(*method->input_type())) {
      SCOPED_TRACE(method->name() + " " + NameOf(field));
      for (const HostileText& hostile : HostileTexts()) {
        SCOPED_TRACE(hostile.what);
        ++calls_;
        const auto answer = TestClient(port()).Call(
            "POST", PathOf(*method), headers,
            gateway::DataFrame(api_.SampleWith(*method->input_type(), field, hostile.text)));
        EXPECT_EQ(answer.status, 200);
        EXPECT_LE(answer.body.size(), 2'048u);
        EXPECT_NE(answer.body.find("grpc-status: 3\r\n"), std::string::npos)
            << absl::CHexEscape(answer.body);
      }
    }
  }
  std::printf("%zu calls\n", calls_);
  EXPECT_GT(calls_, 150u);
  viewers.ExpectUntouched();
  ExpectAliveWithCleanLogs(calls_);
}

}  // namespace
}  // namespace ridestream::e2e
