// Callers' identities as a server sees them over real connections.

#include "libs/rpc/security.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/declare.h"
#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "libs/identity/development_authority.h"
#include "libs/rpc/call_guard.h"
#include "libs/rpc/call_span.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/development_security.h"
#include "libs/rpc/proof_watch.h"
#include "libs/rpc/push_stream.h"
#include "libs/rpc/security_flags.h"
#include "libs/rpc/server.h"
#include "libs/rpc/status.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "libs/tracing/testing/recorded_spans.h"
#include "ridestream/location/v1/location.grpc.pb.h"

ABSL_DECLARE_FLAG(std::string, token_keys);
ABSL_DECLARE_FLAG(bool, insecure);

namespace ridestream::rpc {
namespace {

using location::v1::FindNearestRequest;
using location::v1::FindNearestResponse;
using location::v1::LocationService;
using location::v1::WatchAreaRequest;
using location::v1::WatchAreaResponse;
using testing::IsOk;
using testing::StatusIs;

constexpr absl::StatusCode kUnauthenticated = absl::StatusCode::kUnauthenticated;
constexpr absl::StatusCode kDenied = absl::StatusCode::kPermissionDenied;
/// The status by which the service below reports that it admitted a caller.
constexpr absl::StatusCode kAdmitted = absl::StatusCode::kAborted;

class Location final : public LocationService::CallbackService {
 public:
  explicit Location(const Authenticator& authenticator)
      : guard_(authenticator), proofs_(authenticator, std::chrono::milliseconds(20), kMaxStreams) {}

  static constexpr std::size_t kMaxStreams = 2;

  /// The span of the last call; read when that call has ended.
  const tracing::SpanContext& span() const { return span_; }

  grpc::ServerUnaryReactor* FindNearest(grpc::CallbackServerContext* context,
                                        const FindNearestRequest* request,
                                        FindNearestResponse*) override {
    auto* reactor = context->DefaultReactor();
    span_ = ServerSpanOf(*context);
    const auto admission = guard_.Admit(*context, *request);
    reactor->Finish(ToGrpcStatus(
        admission.ok()
            ? absl::AbortedError(identity::Name(admission->caller()) + " from " + admission->peer)
            : admission.status(),
        context));
    return reactor;
  }

  grpc::ServerWriteReactor<WatchAreaResponse>* WatchArea(grpc::CallbackServerContext* context,
                                                         const WatchAreaRequest* request) override {
    const auto stream = PushStream<WatchAreaResponse>::Make({});
    if (const auto admission = guard_.Admit(*context, *request); admission.ok()) {
      proofs_.Add(*admission, stream);
      stream->Replace({});  // Shows the client that the stream is open.
    } else {
      stream->Close(ToGrpcStatus(admission.status()));
    }
    return stream.get();
  }

 private:
  const CallGuard guard_;
  ProofWatch proofs_;
  tracing::SpanContext span_;
};

class SecurityTest : public ::testing::Test {
 protected:
  SecurityTest() {
    tracing::testing::RecordedSpans::OfProcess().Clear();
    EXPECT_THAT(Create(folder_.path()), IsOk());
    auto security = Security::Start(OptionsFor("location"), "location");
    EXPECT_THAT(security, IsOk());
    security_ = *std::move(security);
    location_ = std::make_unique<Location>(security_->authenticator());
    ServerOptions options{.services = {location_.get()}};
    security_->Secure(options, {"ridestream.location.v1.LocationService"});
    auto server = Server::Start(std::move(options));
    EXPECT_THAT(server, IsOk());
    server_ = *std::move(server);
  }

  static absl::Status Create(const std::string& folder) {
    return identity::DevelopmentAuthority::Create(
        folder, {.services = {"location", "dispatch", "trip", "gateway", "door", "loadtest"}},
        ScaledClock().Now());
  }
  Security::Options OptionsFor(const std::string& service) const {
    return {.tls = {.certificate = folder_.File(service + ".pem"),
                    .key = folder_.File(service + ".key"),
                    .authorities = folder_.File("authority.pem")},
            .tokens = {.key_file = folder_.File("jwks.json"),
                       .revocation_file = folder_.File("revoked"),
                       .rules = {.issuer = identity::DevelopmentTokenRules().issuer,
                                 .audience = identity::DevelopmentTokenRules().audience,
                                 .clock_skew = Duration(0)},
                       .stream_grace = Duration(0),
                       .reload_every = std::chrono::milliseconds(20)}};
  }
  std::string Token(const Caller& caller, std::chrono::seconds lifetime = std::chrono::hours(1)) {
    return *identity::DevelopmentAuthority::MintToken(folder_.path(), caller, ScaledClock().Now(),
                                                      lifetime);
  }

  /// A stub with its own connection.
  std::unique_ptr<LocationService::Stub> StubOf(const std::string& service) {
    ChannelOptions options{.connection = ++connections_};
    if (!service.empty()) {
      const auto tls = TlsCredentials::Load(OptionsFor(service).tls);
      EXPECT_THAT(tls, IsOk());
      options.credentials = (*tls)->ForChannel({"location"});
    }
    return LocationService::NewStub(
        MakeChannel(fmt::format("127.0.0.1:{}", server_->port()), options));
  }

  /// Opens a stream with this token, calls `opened`, and returns the stream's final status.
  absl::Status StatusOfStream(const std::string& token, const std::function<void()>& opened) {
    const auto stub = StubOf("gateway");
    grpc::ClientContext context;
    SetTimeout(context, std::chrono::seconds(20));
    context.AddMetadata("authorization", "Bearer " + token);
    const auto stream = stub->WatchArea(&context, {});
    WatchAreaResponse response;
    EXPECT_TRUE(stream->Read(&response));
    opened();
    while (stream->Read(&response)) {
    }
    return FromGrpcStatus(stream->Finish());
  }

  using Metadata = std::vector<std::pair<std::string, std::string>>;
  /// Calls FindNearest on a connection with this service's certificate; "": in plaintext.
  absl::Status Call(const std::string& service, const Metadata& metadata = {},
                    const std::string& market = "city") {
    const auto stub = StubOf(service);
    grpc::ClientContext context;
    SetTimeout(context, std::chrono::seconds(20));
    for (const auto& [key, value] : metadata) context.AddMetadata(key, value);
    FindNearestRequest request;
    request.set_market(market);
    FindNearestResponse response;
    return FromGrpcStatus(stub->FindNearest(&context, request, &response));
  }
  static std::pair<std::string, std::string> Bearer(const std::string& token) {
    return {"authorization", "Bearer " + token};
  }

  const testing::TempFolder folder_;
  int connections_ = 0;
  std::unique_ptr<Security> security_;
  std::unique_ptr<Location> location_;
  std::unique_ptr<Server> server_;
};

TEST_F(SecurityTest, IdentifiesAServiceByItsCertificate) {
  EXPECT_THAT(Call("dispatch"), StatusIs(kAdmitted, "service/dispatch"));
  // Other claims are ignored.
  EXPECT_THAT(Call("dispatch", {{"ridestream-caller", "operator/eve"}}),
              StatusIs(kAdmitted, "service/dispatch"));
  EXPECT_THAT(Call("location"), StatusIs(kDenied, "isn't for service/location"));
}

TEST_F(SecurityTest, IdentifiesOtherCallersByTheTokenThatACarrierForwards) {
  const Caller ada{CallerKind::kOperator, "ada"};
  for (const char* carrier : {"gateway", "loadtest"}) {
    EXPECT_THAT(Call(carrier, {Bearer(Token(ada))}), StatusIs(kAdmitted, "operator/ada"));
    EXPECT_THAT(Call(carrier, {{"authorization", "bearer " + Token(ada)}}),
                StatusIs(kAdmitted, "operator/ada"));
    EXPECT_THAT(Call(carrier, {Bearer(Token({CallerKind::kRider, "ada"}))}),
                StatusIs(kDenied, "isn't for rider"));
  }
}

TEST_F(SecurityTest, LetsServicesAloneForceATrace) {
  auto& spans = tracing::testing::RecordedSpans::OfProcess();
  const std::string rider = Token({CallerKind::kRider, "ada"});
  const std::string driver = Token({CallerKind::kDriver, "ada"});
  const std::string operator_token = Token({CallerKind::kOperator, "ada"});
  struct Case {
    const char* service;
    std::string token;
    bool forces;
  } const cases[] = {
      // The gateway has decided about its client's wish.
      {"dispatch", "", true},          {"gateway", rider, true},
      {"loadtest", rider, true},       {"door", rider, false},
      {"door", driver, false},         {"door", "", false},
      {"door", operator_token, false}, {"door", "forged" + operator_token, false},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(fmt::format("{} {}", each.service, each.token));
    for (const bool wish : {false, true}) {
      for (const bool sample : {false, true}) {
        spans.SampleNew(sample);
        Metadata metadata = {{"traceparent", fmt::format("00-0af7651916cd43dd8448eb211c80319c-"
                                                         "b7ad6b7169203331-{:02x}",
                                                         wish ? 1 : 0)}};
        if (!each.token.empty()) metadata.push_back(Bearer(each.token));
        (void)Call(each.service, metadata);
        EXPECT_EQ(location_->span().sampled, each.forces ? wish : sample) << wish << sample;
        EXPECT_EQ(location_->span().trace_id.ToHex(), "0af7651916cd43dd8448eb211c80319c");
      }
    }
  }
}

TEST_F(SecurityTest, GivesACarrierNoRightsOfItsOwn) {
  for (const char* carrier : {"gateway", "loadtest"}) {
    EXPECT_THAT(Call(carrier), StatusIs(kUnauthenticated, "'authorization' is missing"));
    EXPECT_THAT(Call(carrier, {{"ridestream-caller", "operator/eve"}}),
                StatusIs(kUnauthenticated, "'authorization' is missing"));
  }
}

TEST_F(SecurityTest, TakesAClientsAddressFromTheDoorAlone) {
  const auto bearer = Bearer(Token({CallerKind::kOperator, "ada"}));
  const auto from = [](const std::string& host) {
    return std::pair<std::string, std::string>{"x-forwarded-for", host};
  };
  EXPECT_THAT(Call("door", {bearer, from("192.0.2.7")}),
              StatusIs(kAdmitted, "from ipv4:192.0.2.7:0"));
  EXPECT_THAT(Call("door", {bearer, from("2001:db8::9")}),
              StatusIs(kAdmitted, "from ipv6:[2001:db8::9]:0"));
  for (const Metadata& nobody : {Metadata{bearer}, Metadata{bearer, from("192.0.2.7, 192.0.2.8")},
                                 Metadata{bearer, from("192.0.2.7"), from("192.0.2.7")}}) {
    EXPECT_THAT(Call("door", nobody), StatusIs(kAdmitted, "from ipv4:127.0.0.1:"));
  }
  for (const char* other : {"gateway", "loadtest"}) {
    EXPECT_THAT(Call(other, {bearer, from("192.0.2.7")}),
                StatusIs(kAdmitted, "from ipv4:127.0.0.1:"));
  }
  EXPECT_THAT(Call("dispatch", {from("192.0.2.7")}), StatusIs(kAdmitted, "from ipv4:127.0.0.1:"));
}

TEST_F(SecurityTest, RefusesCredentialsThatAreAmbiguousOrMalformed) {
  const std::string token = Token({CallerKind::kOperator, "ada"});
  const std::pair<Metadata, const char*> cases[] = {
      {{Bearer(token), Bearer(token)}, "more than once"},
      {{Bearer(token), Bearer(Token({CallerKind::kOperator, "eve"}))}, "more than once"},
      {{{"authorization", token}}, "must be 'Bearer TOKEN'"},
      {{{"authorization", ""}}, "must be 'Bearer TOKEN'"},
      {{Bearer("")}, "token: "},
      {{Bearer(token + "x")}, "token: "},
      {{Bearer(token.substr(0, token.size() - 8))}, "token: "},
      {{Bearer(token + " " + token)}, "token: "}};
  for (const auto& [metadata, reason] : cases) {
    EXPECT_THAT(Call("gateway", metadata), StatusIs(kUnauthenticated, reason));
  }
  EXPECT_THAT(Call("dispatch", {Bearer(token)}),
              StatusIs(kUnauthenticated, "may not call on behalf of another caller"));
}

TEST_F(SecurityTest, RefusesTokensOfAnotherIssuer) {
  const testing::TempFolder other;
  ASSERT_THAT(Create(other.path()), IsOk());
  const auto token = identity::DevelopmentAuthority::MintToken(
      other.path(), {CallerKind::kOperator, "eve"}, ScaledClock().Now(), std::chrono::hours(1));
  ASSERT_THAT(token, IsOk());
  EXPECT_THAT(Call("gateway", {Bearer(*token)}), StatusIs(kUnauthenticated, "token: "));
}

TEST_F(SecurityTest, RestrictsACallerToTheMarketOfItsToken) {
  const std::string token = Token({CallerKind::kOperator, "ada", "city"});
  EXPECT_THAT(Call("gateway", {Bearer(token)}, "city"), StatusIs(kAdmitted, "operator/ada"));
  EXPECT_THAT(Call("gateway", {Bearer(token)}, "town"), StatusIs(kDenied, "market: "));
}

TEST_F(SecurityTest, ClosesConnectionsOfServicesThatNoPolicyListsAndOfStrangers) {
  for (const char* peer : {"trip", ""}) {
    EXPECT_THAT(Call(peer), StatusIs(absl::StatusCode::kUnavailable, "")) << peer;
  }
  EXPECT_GE(security_->peers_refused(), 1u);
}

TEST_F(SecurityTest, EndsAStreamWhenItsTokenHasEnded) {
  const std::string token = Token({CallerKind::kViewer, "v"}, std::chrono::seconds(5));
  EXPECT_THAT(StatusOfStream(token, [] {}), StatusIs(kUnauthenticated, "token: expired"));
}

TEST_F(SecurityTest, EndsAStreamWhenItsCallerIsRevoked) {
  const auto revoke = [this] {
    const std::string file = folder_.File("revoked");
    std::ofstream(file + ".new") << "sub v\n";
    std::filesystem::rename(file + ".new", file);
  };
  EXPECT_THAT(StatusOfStream(Token({CallerKind::kViewer, "v"}), revoke),
              StatusIs(kUnauthenticated, "token: revoked"));
  EXPECT_THAT(Call("gateway", {Bearer(Token({CallerKind::kViewer, "v"}))}),
              StatusIs(kUnauthenticated, "token: revoked"));
}

/// A stream on a connection of its own.
struct Watch {
  Watch(std::unique_ptr<LocationService::Stub> of, const std::string& token) : stub(std::move(of)) {
    SetTimeout(context, std::chrono::seconds(20));
    context.AddMetadata("authorization", "Bearer " + token);
    stream = stub->WatchArea(&context, {});
  }
  /// Opens the stream; returns its final status if that fails.
  absl::Status Open() {
    WatchAreaResponse frame;
    return stream->Read(&frame) ? absl::OkStatus() : FromGrpcStatus(stream->Finish());
  }

  const std::unique_ptr<LocationService::Stub> stub;
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReader<WatchAreaResponse>> stream;
};

TEST_F(SecurityTest, AdmitsViewersToNamesOnlyThroughTheGateway) {
  const std::string viewer = Token({CallerKind::kViewer, "v"});
  const std::string operators = Token({CallerKind::kOperator, "o"});
  for (const char* carrier : {"door", "loadtest"}) {
    EXPECT_THAT(Watch(StubOf(carrier), viewer).Open(), StatusIs(kDenied, "through the gateway"));
    EXPECT_THAT(Watch(StubOf(carrier), operators).Open(), IsOk());
  }
  EXPECT_THAT(Watch(StubOf("gateway"), viewer).Open(), IsOk());
}

TEST_F(SecurityTest, StreamsOfACallerAreLimitedOverAllConnections) {
  const std::string greedy = Token({CallerKind::kViewer, "greedy"});
  std::vector<std::unique_ptr<Watch>> open;
  for (std::size_t i = 0; i < Location::kMaxStreams; ++i) {
    open.push_back(std::make_unique<Watch>(StubOf("gateway"), greedy));
    EXPECT_THAT(open.back()->Open(), IsOk());
  }
  EXPECT_THAT(Watch(StubOf("gateway"), greedy).Open(),
              StatusIs(absl::StatusCode::kResourceExhausted, "viewer/greedy has 2 open streams"));
  EXPECT_THAT(Watch(StubOf("gateway"), Token({CallerKind::kViewer, "other"})).Open(), IsOk());

  open.front()->context.TryCancel();  // Makes room. The test's timeout bounds the loop.
  while (!Watch(StubOf("gateway"), greedy).Open().ok()) {
  }
}

TEST(ProofWatchTest, EndedStreamFreesItsShareAtOnce) {
  const TrustingAuthenticator authenticator;
  ProofWatch watch(authenticator, std::chrono::hours(1), 2);
  Admission admission;
  admission.proof.principal = {CallerKind::kDriver, "d-1"};
  struct Stream {
    absl::Status end;
  };
  const auto open = [&] {
    const auto stream = std::make_shared<Stream>();
    watch.Add<Stream>(admission, stream,
                      [](Stream& ending, const absl::Status& why) { ending.end = why; });
    return stream;
  };
  const auto first = open();
  auto second = open();
  EXPECT_THAT(open()->end, StatusIs(absl::StatusCode::kResourceExhausted, "2 open streams"));
  second.reset();
  for (int i = 0; i < 10; ++i) EXPECT_THAT(open()->end, IsOk());
  second = open();
  EXPECT_THAT(open()->end, StatusIs(absl::StatusCode::kResourceExhausted, "2 open streams"));
}

TEST_F(SecurityTest, DevelopmentAuthorityProvesTheCallersOfThisProcess) {
  const std::string address = fmt::format("127.0.0.1:{}", server_->port());
  const auto call = [&] {
    grpc::ClientContext context;
    SetTimeout(context, std::chrono::seconds(20));
    SetCaller(context, {CallerKind::kOperator, "o-1"});
    FindNearestResponse response;
    const auto stub =
        LocationService::NewStub(MakeChannel(address, {.connection = ++connections_}));
    return FromGrpcStatus(stub->FindNearest(&context, {}, &response));
  };
  ASSERT_THAT(UseDevelopmentAuthority(folder_.path()), IsOk());
  EXPECT_THAT(call(), StatusIs(kAdmitted, "operator/o-1"));
  EXPECT_THAT(call(), StatusIs(kAdmitted, "operator/o-1"));
  ASSERT_THAT(UseDevelopmentAuthority(""), IsOk());
  EXPECT_THAT(call(), StatusIs(absl::StatusCode::kUnavailable, ""));
}

TEST_F(SecurityTest, DoesNotStartWithUnusableFiles) {
  EXPECT_THAT(Security::Start(OptionsFor("trip"), "location").status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "names service/trip"));
  Security::Options missing = OptionsFor("location");
  missing.tls.key += ".none";
  EXPECT_THAT(Security::Start(missing, "location").status(),
              StatusIs(absl::StatusCode::kNotFound, "location.key.none"));
  Security::Options no_keys = OptionsFor("location");
  no_keys.tokens.key_file = folder_.File("authority.pem");
  EXPECT_THAT(Security::Start(no_keys, "location").status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "authority.pem"));
}

TEST(SecurityFlagsTest, RequireCertificateFilesOrTheInsecureFlag) {
  const absl::FlagSaver saver;
  EXPECT_THAT(SecurityOptionsFromFlags().status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "--tls_certificate, --tls_key, --tls_authorities, --token_keys, "
                       "--token_issuer must be given"));
  absl::SetFlag(&FLAGS_insecure, true);
  ASSERT_THAT(SecurityOptionsFromFlags(), IsOk());
  EXPECT_TRUE(SecurityOptionsFromFlags()->insecure);
  absl::SetFlag(&FLAGS_token_keys, "keys.json");
  EXPECT_THAT(SecurityOptionsFromFlags().status(),
              StatusIs(absl::StatusCode::kInvalidArgument, "--insecure excludes"));
}

}  // namespace
}  // namespace ridestream::rpc
