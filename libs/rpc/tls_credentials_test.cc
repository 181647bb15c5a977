#include "libs/rpc/tls_credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "libs/identity/certificates.h"
#include "libs/identity/openssl_types.h"
#include "libs/identity/service_uri.h"
#include "libs/rpc/channel.h"
#include "libs/rpc/grpc_log.h"
#include "libs/testing/captured_log.h"
#include "libs/testing/status_matchers.h"
#include "libs/testing/temp_folder.h"
#include "ridestream/dispatch/v1/dispatch.grpc.pb.h"

namespace ridestream::rpc {
namespace {

using namespace std::chrono_literals;
using dispatch::v1::DispatchService;
using identity::CertificateSpec;
using identity::KeyAndCertificate;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

std::chrono::sys_seconds Now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

KeyAndCertificate MakeAuthority() {
  return *identity::MakeAuthority(
      {.common_name = "authority", .not_before = Now() - 1h, .not_after = Now() + 24h});
}

std::string Uri(const std::string& service) { return "URI:" + identity::ServiceUri(service); }

CertificateSpec Spec(std::vector<std::string> names) {
  return {.common_name = "service",
          .alternative_names = std::move(names),
          .not_before = Now() - 1h,
          .not_after = Now() + 1h};
}

/// Replaces the file atomically, as a renewal of certificates should.
void Write(const std::string& path, std::string_view text) {
  {
    std::ofstream file(path + ".new", std::ios::binary);
    file << text;
    ASSERT_TRUE(file.flush());
  }
  std::filesystem::rename(path + ".new", path);
}

/// Echoes positions, and reports the caller.
class Service final : public DispatchService::Service {
 public:
  grpc::Status Drive(grpc::ServerContext*,
                     grpc::ServerReaderWriter<dispatch::v1::DriveResponse,
                                              dispatch::v1::DriveRequest>* stream) override {
    dispatch::v1::DriveRequest request;
    while (stream->Read(&request)) {
      dispatch::v1::DriveResponse response;
      response.set_sequence(request.position().sequence());
      stream->Write(response);
    }
    return grpc::Status::OK;
  }
  grpc::Status GetDriver(grpc::ServerContext* context, const dispatch::v1::GetDriverRequest*,
                         dispatch::v1::GetDriverResponse* response) override {
    const auto peer = PeerService(*context->auth_context());
    if (!peer.ok()) return grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "nobody");
    response->set_market(*peer);
    return grpc::Status::OK;
  }
};

/// Captures the process's log, including gRPC's messages.
class CapturedLog {
 public:
  CapturedLog() { LogGrpcMessages(); }
  std::string text() const { return log_.text(); }

 private:
  const testing::CapturedLog log_;
};

class TlsCredentialsTest : public ::testing::Test {
 protected:
  /// The files of a service NAME with this certificate and these trusted authorities.
  TlsFiles FilesOf(const std::string& name, const KeyAndCertificate& identity,
                   const std::string& authorities) {
    const TlsFiles files{folder_.File(name + ".pem"), folder_.File(name + ".key"),
                         folder_.File(name + ".ca")};
    Write(files.key, identity.key_pem);
    Write(files.certificate, identity.certificate_pem);
    Write(files.authorities, authorities);
    return files;
  }
  TlsFiles FilesOf(const std::string& name) {
    return FilesOf(name, *identity::IssueCertificate(authority_, Spec({Uri(name)})),
                   authority_.certificate_pem);
  }

  /// Serves dispatch to trip and gateway.
  void Serve(std::chrono::milliseconds reload_every = 1h) {
    auto loaded = TlsCredentials::Load(FilesOf("dispatch"), reload_every);
    ASSERT_THAT(loaded, IsOk());
    server_tls_ = *std::move(loaded);
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", server_tls_->ForServer({"trip", "gateway"}), &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
  }

  std::shared_ptr<grpc::Channel> Connect(std::shared_ptr<grpc::ChannelCredentials> credentials) {
    return MakeChannel("127.0.0.1:" + std::to_string(port_),
                       {.connection = ++connections_, .credentials = std::move(credentials)});
  }

  /// The status of one call on a new connection; sets `caller` to our identity as the server saw
  /// it.
  grpc::Status Call(std::shared_ptr<grpc::ChannelCredentials> credentials,
                    std::string* caller = nullptr) {
    const auto stub = DispatchService::NewStub(Connect(std::move(credentials)));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + 20s);
    dispatch::v1::GetDriverResponse response;
    const grpc::Status status = stub->GetDriver(&context, {}, &response);
    if (caller != nullptr) *caller = response.market();
    return status;
  }

  /// gRPC's own credentials with any certificate.
  std::shared_ptr<grpc::ChannelCredentials> Raw(const KeyAndCertificate& identity) {
    grpc::experimental::TlsChannelCredentialsOptions options;
    options.set_certificate_provider(
        std::make_shared<grpc::experimental::StaticDataCertificateProvider>(
            authority_.certificate_pem, std::vector<grpc::experimental::IdentityKeyCertPair>{
                                            {identity.key_pem, identity.certificate_pem}}));
    options.watch_root_certs();
    options.watch_identity_key_cert_pairs();
    options.set_certificate_verifier(
        std::make_shared<grpc::experimental::NoOpCertificateVerifier>());
    options.set_check_call_host(false);
    return grpc::experimental::TlsCredentials(options);
  }

  const testing::TempFolder folder_;
  const KeyAndCertificate authority_ = MakeAuthority();
  std::unique_ptr<TlsCredentials> server_tls_;
  Service service_;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(TlsCredentialsTest, ProvesBothEndsToEachOther) {
  Serve();
  const auto trip = TlsCredentials::Load(FilesOf("trip"));
  ASSERT_THAT(trip, IsOk());
  EXPECT_EQ((*trip)->service(), "trip");
  std::string caller;
  EXPECT_TRUE(Call((*trip)->ForChannel({"dispatch"}), &caller).ok());
  EXPECT_EQ(caller, "trip");
  EXPECT_EQ(server_tls_->refused(), 0u);
}

TEST_F(TlsCredentialsTest, RefusesClientsWithTheReasonInTheLog) {
  const KeyAndCertificate other = MakeAuthority();
  CertificateSpec expired = Spec({Uri("trip")});
  expired.not_after = Now() - 1s;
  CertificateSpec early = Spec({Uri("trip")});
  early.not_before = Now() + 30min;
  struct Case {
    const char* name;
    std::shared_ptr<grpc::ChannelCredentials> credentials;
    const char* reason;
  };
  const auto issue = [&](const CertificateSpec& spec) {
    return Raw(*identity::IssueCertificate(authority_, spec));
  };
  grpc::SslCredentialsOptions no_certificate;
  no_certificate.pem_root_certs = authority_.certificate_pem;
  const Case cases[] = {
      {"plaintext", grpc::InsecureChannelCredentials(), ""},
      {"other authority", Raw(*identity::IssueCertificate(other, Spec({Uri("trip")}))),
       "isn't trusted"},
      {"expired", issue(expired), "certificate has expired"},
      {"early", issue(early), "certificate is not yet valid"},
      {"no name", issue(Spec({})), "no URI that names it"},
      {"two names", issue(Spec({Uri("trip"), Uri("gateway")})), "more than one URI"},
      {"another service", issue(Spec({Uri("location")})), "the peer is location"},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    CapturedLog log;
    Serve();
    const grpc::Status status = Call(test.credentials);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
    server_->Shutdown();
    server_.reset();
    EXPECT_THAT(log.text(), HasSubstr(test.reason));
    EXPECT_EQ(server_tls_->refused() > 0, *test.reason != '\0');
  }
}

TEST_F(TlsCredentialsTest, RejectsServersWithAnotherName) {
  Serve();
  const auto trip = TlsCredentials::Load(FilesOf("trip"));
  ASSERT_THAT(trip, IsOk());
  const grpc::Status status = Call((*trip)->ForChannel({"location"}));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("the peer is dispatch"));
  EXPECT_GE((*trip)->refused(), 1u);

  const auto stranger = TlsCredentials::Load(
      FilesOf("gateway", *identity::IssueCertificate(authority_, Spec({Uri("gateway")})),
              MakeAuthority().certificate_pem));
  ASSERT_THAT(stranger, IsOk());
  EXPECT_THAT(Call((*stranger)->ForChannel({"dispatch"})).error_message(),
              HasSubstr("isn't trusted"));
}

/// Opens a TLS connection to the port by OpenSSL alone, with this certificate (if any) and at most
/// this version. Returns whether the server still sent data after the handshake.
bool CanSpeak(int port, const KeyAndCertificate* identity, int max_version, std::string* version) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_max_proto_version(context, max_version);
  const unsigned char alpn[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(context, alpn, sizeof alpn);
  if (identity != nullptr) {
    const auto bio = identity::PemReader(identity->certificate_pem);
    const identity::OpenSslCertificate certificate(
        PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    SSL_CTX_use_certificate(context, certificate.get());
    SSL_CTX_use_PrivateKey(context, identity::ReadPemKey(identity->key_pem).get());
  }
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, socket);
  // In TLS 1.3 the client finishes before the server has seen its certificate, so the next byte
  // decides. An HTTP/2 server speaks first, with its settings.
  char byte = 0;
  const bool spoke = SSL_connect(ssl) == 1 && SSL_read(ssl, &byte, 1) == 1;
  *version = SSL_get_version(ssl);
  SSL_free(ssl);
  SSL_CTX_free(context);
  ERR_clear_error();
  close(socket);
  return spoke;
}

TEST_F(TlsCredentialsTest, UsesTls13WithCertificatesOnly) {
  CapturedLog log;
  Serve();
  const KeyAndCertificate trip = *identity::IssueCertificate(authority_, Spec({Uri("trip")}));
  std::string version;
  EXPECT_TRUE(CanSpeak(port_, &trip, TLS1_3_VERSION, &version));
  EXPECT_EQ(version, "TLSv1.3");
  EXPECT_FALSE(CanSpeak(port_, &trip, TLS1_2_VERSION, &version));
  EXPECT_FALSE(CanSpeak(port_, nullptr, TLS1_3_VERSION, &version));
  server_->Shutdown();
  server_.reset();
  EXPECT_THAT(log.text(), HasSubstr("peer did not return a certificate"));
  EXPECT_THAT(log.text(), HasSubstr("no shared cipher"));
}

/// Waits for a condition that another thread makes true; ctest's timeout bounds the wait.
template <class Condition>
void Await(const Condition& condition) {
  while (!condition()) std::this_thread::sleep_for(10ms);
}

/// Number of this process's threads with this name.
int Threads(const std::string& name) {
  int threads = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string of_task;
    std::getline(std::ifstream(task.path() / "comm"), of_task);
    threads += of_task == name;
  }
  return threads;
}

TEST_F(TlsCredentialsTest, LeavesNoThreadBehind) {
  for (int i = 0; i < 10; ++i) ASSERT_THAT(TlsCredentials::Load(FilesOf("trip")), IsOk());
  Await([] { return Threads("FileWatcherCert") == 0; });
}

/// A stream that must survive all changes.
class Echo {
 public:
  explicit Echo(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(DispatchService::NewStub(channel)), stream_(stub_->Drive(&context_)) {}
  ~Echo() {
    stream_->WritesDone();
    EXPECT_TRUE(stream_->Finish().ok());
  }
  void Check() {
    dispatch::v1::DriveRequest request;
    request.mutable_position()->set_sequence(++sequence_);
    dispatch::v1::DriveResponse response;
    ASSERT_TRUE(stream_->Write(request) && stream_->Read(&response));
    EXPECT_EQ(response.sequence(), sequence_);
  }

 private:
  const std::unique_ptr<DispatchService::Stub> stub_;
  grpc::ClientContext context_;
  const std::unique_ptr<
      grpc::ClientReaderWriter<dispatch::v1::DriveRequest, dispatch::v1::DriveResponse>>
      stream_;
  std::uint64_t sequence_ = 0;
};

TEST_F(TlsCredentialsTest, RotatesCertificatesAndAuthoritiesWithoutDroppingAStream) {
  Serve(10ms);
  const auto trip = TlsCredentials::Load(FilesOf("trip"), 10ms);
  ASSERT_THAT(trip, IsOk());
  Echo echo(Connect((*trip)->ForChannel({"dispatch"})));
  echo.Check();

  // Step 1: both trust both authorities.
  const KeyAndCertificate next = MakeAuthority();
  const std::string both = authority_.certificate_pem + next.certificate_pem;
  Write(folder_.File("dispatch.ca"), both);
  Write(folder_.File("trip.ca"), both);
  const KeyAndCertificate new_trip = *identity::IssueCertificate(next, Spec({Uri("trip")}));
  Await([&] { return Call(Raw(new_trip)).ok(); });
  echo.Check();

  // Step 2: certificates of the new authority, while calls continue. Each file alone doesn't match,
  // which does no harm.
  const KeyAndCertificate new_dispatch = *identity::IssueCertificate(next, Spec({Uri("dispatch")}));
  Write(folder_.File("dispatch.key"), new_dispatch.key_pem);
  Await([&] { return server_tls_->stale(); });
  EXPECT_TRUE(Call((*trip)->ForChannel({"dispatch"})).ok());
  Write(folder_.File("dispatch.pem"), new_dispatch.certificate_pem);
  Await([&] { return !server_tls_->stale(); });
  // A client that trusts only the new authority sees when gRPC presents the new certificate.
  const auto gateway = TlsCredentials::Load(FilesOf(
      "gateway", *identity::IssueCertificate(next, Spec({Uri("gateway")})), next.certificate_pem));
  ASSERT_THAT(gateway, IsOk());
  Await([&] { return Call((*gateway)->ForChannel({"dispatch"})).ok(); });
  // trip reads its own files a little sooner or later than dispatch.
  Await([&] { return Call((*trip)->ForChannel({"dispatch"})).ok(); });
  echo.Check();

  // Step 3: the old authority isn't trusted any more; existing connections continue.
  Write(folder_.File("dispatch.ca"), next.certificate_pem);
  Await([&] { return !Call((*trip)->ForChannel({"dispatch"})).ok(); });
  echo.Check();
}

TEST_F(TlsCredentialsTest, KeepsItsCertificateWhenFilesBecomeInvalid) {
  Serve(10ms);
  const auto trip = TlsCredentials::Load(FilesOf("trip"), 10ms);
  ASSERT_THAT(trip, IsOk());
  Echo echo(Connect((*trip)->ForChannel({"dispatch"})));
  const std::string names[] = {"dispatch.pem", "dispatch.key", "dispatch.ca"};
  for (const std::string& name : names) {
    std::ifstream file(folder_.File(name));
    std::stringstream before;
    before << file.rdbuf();
    for (const std::string& rubbish :
         {std::string(), std::string("rubbish"), before.str().substr(0, before.str().size() / 2)}) {
      Write(folder_.File(name), rubbish);
      const std::uint64_t failures = server_tls_->failures();
      Await([&] { return server_tls_->failures() > failures + 1; });
      EXPECT_TRUE(server_tls_->stale());
      EXPECT_TRUE(Call((*trip)->ForChannel({"dispatch"})).ok()) << name;
      echo.Check();
    }
    std::filesystem::remove(folder_.File(name));
    const std::uint64_t failures = server_tls_->failures();
    Await([&] { return server_tls_->failures() > failures + 1; });
    EXPECT_TRUE(Call((*trip)->ForChannel({"dispatch"})).ok()) << name;
    Write(folder_.File(name), before.str());
    Await([&] { return !server_tls_->stale(); });
  }
}

TEST_F(TlsCredentialsTest, RefusesToStartWithFilesThatDoNotFit) {
  TlsFiles files = FilesOf("trip");
  files.key = FilesOf("dispatch").key;
  EXPECT_THAT(TlsCredentials::Load(files),
              StatusIs(absl::StatusCode::kInvalidArgument, "the key doesn't fit the certificate"));
  files.key = folder_.File("missing");
  EXPECT_THAT(TlsCredentials::Load(files), StatusIs(absl::StatusCode::kNotFound, "missing"));
}

TEST(PeerServiceTest, IsEmptyOnPlaintextConnections) {
  grpc::ClientContext context;
  Service service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  const auto stub = DispatchService::NewStub(MakeChannel(
      "127.0.0.1:" + std::to_string(port), {.credentials = grpc::InsecureChannelCredentials()}));
  dispatch::v1::GetDriverResponse response;
  EXPECT_EQ(stub->GetDriver(&context, {}, &response).error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
}

// Last, because its many connections use up the limit of gRPC's log lines.
TEST_F(TlsCredentialsTest, ConnectsWhenAllOtherConnectionsAreNewOrGone) {
  Serve();
  const auto trip = TlsCredentials::Load(FilesOf("trip"));
  ASSERT_THAT(trip, IsOk());
  const auto credentials = (*trip)->ForChannel({"dispatch"});
  for (int round = 0; round < 50; ++round) {
    std::vector<std::thread> threads;
    std::atomic<int> ready = 0;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        ++ready;
        while (ready < 8) std::this_thread::yield();
        const grpc::Status status = Call(credentials);
        EXPECT_TRUE(status.ok()) << status.error_message();
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

}  // namespace
}  // namespace ridestream::rpc
