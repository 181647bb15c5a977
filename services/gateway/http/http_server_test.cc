// The HTTP server as peers meet it: well-behaved, slow, greedy and gone.

#include "services/gateway/http/http_server.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "libs/testing/status_matchers.h"
#include "services/gateway/http/problem.h"
#include "services/gateway/testing/event.h"
#include "services/gateway/testing/test_client.h"

namespace ridestream::gateway {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class HttpServerTest : public ::testing::Test {
 protected:
  void Start(Handler handler, const HttpLimits& limits = {}) {
    auto server = HttpServer::Start({.limits = limits, .handler = std::move(handler)});
    ASSERT_THAT(server, testing::IsOk());
    server_ = *std::move(server);
  }
  void StartEcho(const HttpLimits& limits = {}) { Start(&Echo, limits); }
  int port() const { return server_->port(); }

  static void Echo(const std::shared_ptr<Exchange>& exchange) {
    const Request& request = exchange->request();
    exchange->Send({.status = 200,
                    .headers = {{"content-type", "text/plain"}},
                    .body = Share(request.method + " " + request.path + "?" + request.query + " " +
                                  request.body)});
  }

  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, AnswersOneRequestAfterTheOtherOnAConnection) {
  StartEcho();
  TestClient client(port());
  EXPECT_EQ(client.Call("POST", "/a?b=c", {}, "first").body, "POST /a?b=c first");
  const auto second = client.Call("GET", "/x");
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(second.body, "GET /x? ");
  EXPECT_EQ(second.headers.Get("X-Content-Type-Options"), "nosniff");
}

TEST_F(HttpServerTest, AnswersPipelinedRequestsInTheirOrder) {
  StartEcho();
  TestClient client(port());
  client.SendRequest("GET", "/1");
  client.SendRequest("GET", "/2");
  client.SendRequest("POST", "/3", {}, "body");
  EXPECT_EQ(client.ReadAnswer().body, "GET /1? ");
  EXPECT_EQ(client.ReadAnswer().body, "GET /2? ");
  EXPECT_EQ(client.ReadAnswer().body, "POST /3? body");
}

TEST_F(HttpServerTest, AnswersHeadWithTheLengthOnly) {
  StartEcho();
  TestClient client(port());
  const auto answer = client.Call("HEAD", "/x");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.Get("content-length"), "9");
  EXPECT_EQ(client.Call("GET", "/y").body, "GET /y? ");
}

TEST_F(HttpServerTest, SendsContinueForAnExpectedBody) {
  StartEcho();
  TestClient client(port());
  client.Send("POST /x HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n");
  EXPECT_EQ(client.ReadHead().status, 100);
  client.Send("body");
  EXPECT_EQ(client.ReadAnswer().body, "POST /x? body");
}

TEST_F(HttpServerTest, ClosesTheConnectionOnRequest) {
  StartEcho();
  TestClient client(port());
  EXPECT_EQ(client.Call("GET", "/x", {{"connection", "close"}}).status, 200);
  EXPECT_TRUE(client.ReadEnd());
}

TEST_F(HttpServerTest, StreamsToOldClientsUntilItCloses) {
  Start([](const std::shared_ptr<Exchange>& exchange) {
    exchange->Begin({.status = 200});
    exchange->Write(Share("all of it"), [exchange] { exchange->End(); });
  });
  TestClient client(port());
  client.Send("GET / HTTP/1.0\r\n\r\n");
  const auto head = client.ReadHead();
  EXPECT_EQ(head.status, 200);
  EXPECT_FALSE(head.headers.Has("transfer-encoding"));
}

struct Bad {
  std::string name;
  std::string request;
  int status;
  std::string says;
};

class BadRequestTest : public HttpServerTest, public ::testing::WithParamInterface<Bad> {};

TEST_P(BadRequestTest, GetsTheReasonAndIsDisconnected) {
  // Only who is to be too slow has little time.
  const auto patience = GetParam().status == 408 ? 300ms : std::chrono::milliseconds(1h);
  StartEcho(
      {.header_bytes = 1024, .body_bytes = 4096, .header_time = patience, .body_time = patience});
  TestClient client(port());
  client.Send(GetParam().request);
  const auto answer = client.ReadAnswer();
  EXPECT_EQ(answer.status, GetParam().status);
  EXPECT_EQ(answer.headers.Get("content-type"), "application/problem+json");
  EXPECT_THAT(answer.body, HasSubstr(GetParam().says));
  EXPECT_TRUE(answer.whole);
  EXPECT_TRUE(client.ReadEnd());
}

INSTANTIATE_TEST_SUITE_P(
    All, BadRequestTest,
    ::testing::Values(
        Bad{"Garbage", "hello there\r\n\r\n", 400, "not an HTTP/1.1 request"},
        Bad{"BodyOverTheLimit", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4097\r\n\r\n", 413,
            "4096 bytes"},
        Bad{"ChunkedBodyOverTheLimit",
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2000\r\n" +
                std::string(0x2000, 'x') + "\r\n",
            413, "4096 bytes"},
        Bad{"TwoLengths",
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", 400,
            "not an HTTP/1.1 request"},
        Bad{"LengthAndChunks",
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n"
            "0\r\n\r\n",
            400, "not an HTTP/1.1 request"},
        Bad{"FalseChunkLength",
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
            "ffffffffffffffff\r\nab",
            413, "4096 bytes"},
        Bad{"LengthTwiceTheSame",
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\na", 400,
            "content-length"},
        Bad{"SignedLength", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +1\r\n\r\na", 400,
            "not an HTTP/1.1 request"},
        Bad{"ChunksAndLength",
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n"
            "0\r\n\r\n",
            400, "not an HTTP/1.1 request"},
        Bad{"UnknownCodingAndRequest",
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n\r\n"
            "GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n",
            501, "transfer-encoding"},
        Bad{"CodingBeforeChunked",
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501,
            "transfer-encoding"},
        Bad{"ChunkedNotLast",
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
            501, "transfer-encoding"},
        Bad{"ChunkedByHttp10",
            "POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400,
            "transfer-encoding"},
        Bad{"UnknownCodingAndLength",
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: x\r\ncontent-length: 1\r\n\r\na", 400,
            ""},
        Bad{"SpaceBeforeColon", "GET / HTTP/1.1\r\nhost : a\r\n\r\n", 400,
            "not an HTTP/1.1 request"},
        Bad{"BareCarriageReturn", "GET / HTTP/1.1\r\nhost: a\rx: b\r\n\r\n", 400,
            "not an HTTP/1.1 request"},
        Bad{"BareLineFeed", "GET / HTTP/1.1\r\nhost: a\nx: b\r\n\r\n", 400,
            "not an HTTP/1.1 request"},
        Bad{"FoldedFirstField", "GET / HTTP/1.1\r\n host: a\r\n\r\n", 400,
            "not an HTTP/1.1 request"},
        Bad{"NulInAField", std::string("GET / HTTP/1.1\r\nhost: a\r\nx: \0\r\n\r\n", 33), 400,
            "not an HTTP/1.1 request"},
        Bad{"NoHost", "GET / HTTP/1.1\r\n\r\n", 400, "host: is missing"},
        Bad{"TwoHosts", "GET / HTTP/1.1\r\nhost: a\r\nHost: b\r\n\r\n", 400, "host: was sent more"},
        Bad{"EmptyHost", "GET / HTTP/1.1\r\nhost:\r\n\r\n", 400, "host: is not a valid host"},
        Bad{"HostWithAPath", "GET / HTTP/1.1\r\nhost: a/b\r\n\r\n", 400,
            "host: is not a valid host"},
        Bad{"TargetWithoutSlash", "GET x HTTP/1.1\r\nhost: a\r\n\r\n", 400, "target"},
        Bad{"CompressedBody",
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\na",
            415, "content-encoding"},
        Bad{"UnknownExpectation", "GET / HTTP/1.1\r\nhost: a\r\nexpect: tea\r\n\r\n", 417,
            "expect"},
        Bad{"OtherVersion", "GET / HTTP/2.0\r\nhost: a\r\n\r\n", 505, "HTTP/1.0 and 1.1"},
        Bad{"NoWebSocketKey",
            "GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            "sec-websocket-version: 13\r\n\r\n",
            400, "sec-websocket-key"},
        Bad{"FalseWebSocketKey",
            "GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZ!==\r\n\r\n",
            400, "sec-websocket-key"},
        Bad{"ShortWebSocketKey",
            "GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            "sec-websocket-version: 13\r\nsec-websocket-key: YQ==\r\n\r\n",
            400, "sec-websocket-key"},
        Bad{"OldWebSocketVersion",
            "GET / HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            "sec-websocket-version: 8\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            426, "sec-websocket-version"},
        Bad{"HeaderOverTheLimit",
            "GET / HTTP/1.1\r\nhost: a\r\nx: " + std::string(2000, 'x') + "\r\n\r\n", 431,
            "1024 bytes"},
        Bad{"EndlessHeader", "GET / HTTP/1.1\r\nhost: a\r\nx: " + std::string(20'000, 'x'), 431,
            "1024 bytes"},
        Bad{"SlowHeader", "GET / HTTP/1.1\r\nhost:", 408, "too long"},
        Bad{"SlowBody", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc", 408,
            "too long"}),
    [](const auto& test) { return test.param.name; });

/// Sends one byte after the other, with pauses far shorter than any patience, until the server
/// answers.
TestClient::Answer DripFeed(TestClient& client, std::string_view begin, char byte) {
  client.Send(begin);
  while (!client.HasBytes()) client.Send(std::string(1, byte));
  return client.ReadAnswer();
}

TEST_F(HttpServerTest, TimesOutASlowHeader) {
  StartEcho({.header_bytes = 1 << 30, .header_time = 300ms});
  TestClient client(port());
  EXPECT_EQ(DripFeed(client, "GET / HTTP/1.1\r\nhost: a\r\nx: ", 'x').status, 408);
}

TEST_F(HttpServerTest, TimesOutASlowBody) {
  StartEcho({.body_bytes = 1 << 30, .all_body_bytes = 1 << 30, .body_time = 300ms});
  TestClient client(port());
  EXPECT_EQ(
      DripFeed(client, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000000\r\n\r\n", 'x')
          .status,
      408);
}

TEST_F(HttpServerTest, KeepsTrailersOutOfTheHeader) {
  Start([](const std::shared_ptr<Exchange>& exchange) {
    const Headers& headers = exchange->request().headers;
    exchange->Send({.status = 200,
                    .body = Share(std::to_string(headers.Count("host")) + "," +
                                  std::string(headers.Get("ridestream-caller")) + "," +
                                  exchange->request().body)});
  });
  TestClient client(port());
  client.Send(
      "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n"
      "ridestream-caller: service/ops\r\nhost: b\r\nconnection: close\r\n\r\n");
  EXPECT_EQ(client.ReadAnswer().body, "1,,body");
  client.SendRequest("GET", "/");
  EXPECT_EQ(client.ReadAnswer().body, "1,,") << "the connection goes on";
}

TEST_F(HttpServerTest, TakesAUrlAsTarget) {
  Start([](const std::shared_ptr<Exchange>& exchange) {
    const Request& request = exchange->request();
    exchange->Send({.status = 200,
                    .body = Share(std::string(request.headers.Get("host")) + " " + request.path +
                                  "?" + request.query)});
  });
  TestClient client(port());
  client.Send("GET http://b.example:80/x?y=http://z HTTP/1.1\r\nhost: a\r\n\r\n");
  EXPECT_EQ(client.ReadAnswer().body, "b.example:80 /x?y=http://z");
  client.Send("GET http://b.example HTTP/1.1\r\nhost: a\r\n\r\n");
  EXPECT_EQ(client.ReadAnswer().body, "b.example /?");
}

TEST_F(HttpServerTest, AnswersHeadOfAStreamWithoutItsBody) {
  Start([](const std::shared_ptr<Exchange>& exchange) {
    if (exchange->request().path != "/stream") return Echo(exchange);
    exchange->Begin({.status = 200});
    exchange->Write(Share("piece"), [exchange] { exchange->End(); });
  });
  TestClient client(port());
  client.SendRequest("HEAD", "/stream");
  EXPECT_EQ(client.ReadHead().status, 200);
  EXPECT_EQ(client.Call("GET", "/next").body, "GET /next? ");
}

TEST_F(HttpServerTest, RefusesAConnectionBeyondTheLimitOfItsAddress) {
  StartEcho({.connections_per_address = 2});
  TestClient first(port());
  EXPECT_EQ(first.Call("GET", "/").status, 200);
  {
    TestClient second(port());
    EXPECT_EQ(second.Call("GET", "/").status, 200);
    TestClient third(port());
    const auto refused = third.ReadAnswer();
    EXPECT_EQ(refused.status, 503);
    EXPECT_THAT(refused.body, HasSubstr("of your address"));
    EXPECT_EQ(refused.headers.Get("retry-after"), "1");
  }
  while (server_->stats().open_connections > 1) std::this_thread::yield();
  TestClient later(port());
  EXPECT_EQ(later.Call("GET", "/").status, 200);
}

TEST_F(HttpServerTest, BoundsTheBodiesOfAllConnections) {
  StartEcho({.body_bytes = 64 << 10, .all_body_bytes = 100'000, .body_time = 1h});
  const std::string part(60'000, 'x');
  const std::string head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 60001\r\n\r\n";
  TestClient first(port());
  first.Send(head + part);
  while (server_->stats().body_bytes < part.size()) std::this_thread::yield();
  {
    TestClient second(port());
    second.Send(head + part);
    const auto refused = second.ReadAnswer();
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.headers.Get("retry-after"), "1");
    EXPECT_TRUE(second.ReadEnd());
  }
  TestClient small(port());
  EXPECT_EQ(small.Call("POST", "/", {}, "small").status, 200);
  first.Send("x");
  EXPECT_EQ(first.ReadAnswer().status, 200);
  while (server_->stats().body_bytes > 0) std::this_thread::yield();
}

TEST_F(HttpServerTest, RefusesAConnectionBeyondTheLimit) {
  StartEcho({.connections = 1});
  TestClient first(port());
  EXPECT_EQ(first.Call("GET", "/").status, 200);
  TestClient second(port());
  const auto refused = second.ReadAnswer();
  EXPECT_EQ(refused.status, 503);
  EXPECT_THAT(refused.body, HasSubstr("too many connections"));
  EXPECT_EQ(server_->stats().refused_connections, 1U);
  EXPECT_EQ(first.Call("GET", "/").status, 200);
}

TEST_F(HttpServerTest, ClosesAnIdleConnection) {
  StartEcho({.idle_time = 1s});
  TestClient client(port());
  EXPECT_EQ(client.Call("GET", "/").status, 200);
  EXPECT_TRUE(client.ReadEnd());
}

TEST_F(HttpServerTest, ClosesTheConnectionOfAnAbandonedRequest) {
  Start([](const std::shared_ptr<Exchange>&) {});
  TestClient client(port());
  EXPECT_EQ(client.Call("GET", "/").status, 0);
  EXPECT_TRUE(client.broken());
}

TEST_F(HttpServerTest, AnswersAHandlersExceptionAndServesOthers) {
  Start([](const std::shared_ptr<Exchange>& exchange) {
    const std::string& path = exchange->request().path;
    if (path == "/echo") return Echo(exchange);
    if (path == "/begun") exchange->Begin({.status = 200});
    if (path == "/later") return exchange->Post([exchange] { throw std::length_error("later"); });
    if (path == "/written") {
      exchange->Begin({.status = 200});
      return exchange->Write(Share("x"), [exchange] { throw std::length_error("written"); });
    }
    throw std::length_error("at once");
  });
  for (const char* path : {"/at-once", "/later"}) {
    TestClient client(port());
    EXPECT_EQ(client.Call("GET", path).status, 500) << path;
    EXPECT_TRUE(client.ReadEnd());
  }
  for (const char* path : {"/begun", "/written"}) {
    TestClient client(port());
    EXPECT_FALSE(client.Call("GET", path).whole) << path;
  }
  TestClient other(port());
  EXPECT_EQ(other.Call("GET", "/echo").status, 200);
}

TEST_F(HttpServerTest, CutsAWebSocketWhoseHandlerThrows) {
  Event gone;
  Start([&gone](const std::shared_ptr<Exchange>& exchange) {
    const auto socket = exchange->Accept("echo", 1000);
    socket->OnGone([&gone] { gone.Happen(); });
    socket->Read([](const std::string&, bool) { throw std::length_error("message"); });
  });
  TestClient client(port());
  EXPECT_EQ(client.OpenWebSocket("/", "echo"), 101);
  client.SendBinary("hello");
  EXPECT_TRUE(gone.Wait());
}

TEST_F(HttpServerTest, SendsAnyHeaderOfAHandlers) {
  Start([](const std::shared_ptr<Exchange>& exchange) {
    exchange->Send({.status = 200, .headers = {{"x", std::string(100'000, 'x')}}});
  });
  TestClient client(port());
  EXPECT_EQ(client.Call("GET", "/").headers.Get("x").size(), 100'000U);
}

TEST(ProblemText, IsCutBetweenCharacters) {
  EXPECT_EQ(ProblemText(std::string(1024, 'x')).size(), 1024U);
  EXPECT_EQ(ProblemText(std::string(100'000, 'x')).size(), 1024U);
  std::string text(1022, 'x');
  for (int i = 0; i < 100; ++i) text += "\xe2\x82\xac";
  EXPECT_EQ(ProblemText(text), std::string(1022, 'x'));
  EXPECT_LE(ProblemText(std::string(5000, '\x80')).size(), 1024U) << "is no UTF-8 at all";
  const Response problem = Problem(absl::InvalidArgumentError(std::string(100'000, '%')));
  EXPECT_EQ(problem.headers.Get("grpc-message").size(), 3 * 1024U);
  EXPECT_LT(problem.body->size(), 1500U);
}

TEST(ProblemText, EscapesTerminalControlsAndTextDirection) {
  EXPECT_EQ(ProblemText("a\x1b[2J\r\n\u202e\u0085\u2028 ไม้"),
            "a\\u001b[2J\\u000d\\u000a\\u202e\\u0085\\u2028 ไม้");
  EXPECT_LE(ProblemText(std::string(5000, '\x1b')).size(), 1024U);
}

TEST_F(HttpServerTest, DetectsADisconnectWhileNothingIsSent) {
  Event begun;
  Event gone;
  Start([&](const std::shared_ptr<Exchange>& exchange) {
    // The exchange is held by what it holds, as a call's would be.
    exchange->OnGone([&gone, exchange] { gone.Happen(); });
    exchange->Begin({.status = 200});
    exchange->Write(Share("x"), [&begun] { begun.Happen(); });
  });
  TestClient client(port());
  client.SendRequest("GET", "/");
  ASSERT_TRUE(begun.Wait());
  client.Close();
  EXPECT_TRUE(gone.Wait());
}

/// Writes forever, each piece when the one before was taken.
void Flood(const std::shared_ptr<Exchange>& exchange, const SharedBytes& piece) {
  exchange->Write(piece, [exchange, piece] { Flood(exchange, piece); });
}

TEST_F(HttpServerTest, CutsAPeerThatReadsNothing) {
  Event gone;
  Start(
      [&gone](const std::shared_ptr<Exchange>& exchange) {
        exchange->OnGone([&gone] { gone.Happen(); });
        exchange->Begin({.status = 200});
        Flood(exchange, Share(std::string(64 << 10, 'x')));
      },
      {.stall_time = 200ms});
  TestClient client(port());
  client.SendRequest("GET", "/");
  EXPECT_TRUE(gone.Wait());
}

TEST_F(HttpServerTest, DrainsIdleConnectionsAtOnceAndStreamsWhenTheyEnd) {
  Event drained;
  Start([&drained](const std::shared_ptr<Exchange>& exchange) {
    if (exchange->request().path != "/stream") return Echo(exchange);
    exchange->OnDrain([&drained, exchange] {
      drained.Happen();
      exchange->End();
    });
    exchange->Begin({.status = 200});
  });
  TestClient idle(port());
  EXPECT_EQ(idle.Call("GET", "/").status, 200);
  TestClient streaming(port());
  streaming.SendRequest("GET", "/stream");
  EXPECT_EQ(streaming.ReadHead().status, 200);

  std::thread drain([this] { server_->Drain(20s); });
  EXPECT_TRUE(drained.Wait());
  EXPECT_TRUE(idle.ReadEnd());
  EXPECT_EQ(streaming.ReadChunk(), "");
  EXPECT_FALSE(streaming.broken());
  streaming.Close();
  drain.join();
  EXPECT_EQ(server_->stats().open_connections, 0U);
}

TEST_F(HttpServerTest, CutsConnectionsThatOutlastTheGraceOfADrain) {
  Event gone;
  Start([&gone](const std::shared_ptr<Exchange>& exchange) {
    exchange->OnGone([&gone, exchange] { gone.Happen(); });
    exchange->Begin({.status = 200});
  });
  TestClient client(port());
  client.SendRequest("GET", "/");
  EXPECT_EQ(client.ReadHead().status, 200);
  server_->Drain(10ms);
  EXPECT_TRUE(gone.Wait());
}

void EchoMessages(const std::shared_ptr<WebSocket>& socket) {
  socket->Read([socket](std::string message, bool) {
    socket->Write(Share(std::move(message)), [socket] { EchoMessages(socket); });
  });
}

TEST_F(HttpServerTest, BecomesAWebSocket) {
  Start([](const std::shared_ptr<Exchange>& exchange) {
    ASSERT_TRUE(exchange->WantsWebSocket());
    EchoMessages(exchange->Accept("echo", 1000));
  });
  TestClient client(port());
  EXPECT_EQ(client.OpenWebSocket("/", "echo"), 101);
  client.SendBinary("hello");
  EXPECT_EQ(client.ReadFrame().payload, "hello");
  client.SendBinary(std::string(1000, 'x'));
  EXPECT_EQ(client.ReadFrame().payload.size(), 1000U);
  client.SendBinary(std::string(1001, 'x'));
  const auto close = client.ReadFrame();
  EXPECT_EQ(close.opcode, 8);
  EXPECT_EQ(close.payload.substr(0, 2), "\x03\xf1") << "1009, too big";
}

TEST_F(HttpServerTest, ClosesAWebSocketThatAnnouncesTooMuch) {
  Start([](const std::shared_ptr<Exchange>& exchange) {
    EchoMessages(exchange->Accept("echo", 1000));
  });
  TestClient client(port());
  EXPECT_EQ(client.OpenWebSocket("/", "echo"), 101);
  // Binary, masked, and 2^62 bytes long, of which none follows.
  client.Send(std::string("\x82\xff\x40\0\0\0\0\0\0\0\0\0\0\0", 14));
  const auto close = client.ReadFrame();
  EXPECT_EQ(close.opcode, 8);
  EXPECT_EQ(close.payload.substr(0, 2), "\x03\xf1") << "1009, too big";
}

/// The first part of a binary message of `length` bytes, whose rest doesn't come.
std::string PartOfMessage(std::uint16_t length, std::size_t part) {
  std::string frame("\x82\xfe", 2);
  frame += static_cast<char>(length >> 8);
  frame += static_cast<char>(length & 0xff);
  return frame + std::string(4 + part, '\0');
}

TEST_F(HttpServerTest, BoundsTheMessagesOfAllWebSockets) {
  Start(
      [](const std::shared_ptr<Exchange>& exchange) {
        EchoMessages(exchange->Accept("echo", 60'000));
      },
      {.all_body_bytes = 80'000, .body_time = 1h});
  TestClient first(port());
  EXPECT_EQ(first.OpenWebSocket("/", "echo"), 101);
  first.Send(PartOfMessage(60'000, 50'000));
  while (server_->stats().body_bytes < 50'000) std::this_thread::yield();
  TestClient second(port());
  EXPECT_EQ(second.OpenWebSocket("/", "echo"), 101);
  second.Send(PartOfMessage(60'000, 50'000));
  const auto close = second.ReadFrame();
  EXPECT_EQ(close.opcode, 8);
  EXPECT_EQ(close.payload.substr(0, 2), "\x03\xf5") << "1013, try again later";
  first.Send(std::string(10'000, '\0'));
  EXPECT_FALSE(first.ReadFrame().payload.empty()) << "the message came whole";
  while (server_->stats().body_bytes > 0) std::this_thread::yield();
}

TEST_F(HttpServerTest, CutsAWebSocketThatDoesNotFinishAMessage) {
  Start(
      [](const std::shared_ptr<Exchange>& exchange) {
        EchoMessages(exchange->Accept("echo", 1000));
      },
      {.body_time = 200ms, .stall_time = 1h});
  TestClient client(port());
  EXPECT_EQ(client.OpenWebSocket("/", "echo"), 101);
  client.Send(PartOfMessage(1000, 10));
  EXPECT_EQ(client.ReadFrame().opcode, 0);
  EXPECT_TRUE(client.broken());
}

TEST_F(HttpServerTest, CutsASilentWebSocket) {
  Event gone;
  Start(
      [&gone](const std::shared_ptr<Exchange>& exchange) {
        const auto socket = exchange->Accept("echo", 1000);
        socket->OnGone([&gone] { gone.Happen(); });
        socket->Read([](const std::string&, bool) {});
      },
      {.stall_time = 200ms});
  TestClient client(port());
  EXPECT_EQ(client.OpenWebSocket("/", "echo"), 101);
  EXPECT_TRUE(gone.Wait()) << "it answers no pings";
}

void FloodMessages(const std::shared_ptr<WebSocket>& socket, const SharedBytes& message) {
  socket->Write(message, [socket, message] { FloodMessages(socket, message); });
}

TEST_F(HttpServerTest, CutsAWebSocketThatReadsNothing) {
  Event gone;
  Start(
      [&gone](const std::shared_ptr<Exchange>& exchange) {
        const auto socket = exchange->Accept("flood", 1000);
        socket->OnGone([&gone] { gone.Happen(); });
        FloodMessages(socket, Share(std::string(64 << 10, 'x')));
      },
      {.stall_time = 200ms});
  TestClient client(port());
  EXPECT_EQ(client.OpenWebSocket("/", "flood"), 101);
  EXPECT_TRUE(gone.Wait());
}

TEST(HttpServerStart, RefusesAddressesThatCannotBeBound) {
  EXPECT_THAT(HttpServer::Start({.address = "nonsense"}),
              testing::StatusIs(absl::StatusCode::kInvalidArgument, "host:port"));
  const auto first = HttpServer::Start({.handler = [](const std::shared_ptr<Exchange>&) {}});
  ASSERT_THAT(first, testing::IsOk());
  EXPECT_THAT(HttpServer::Start({.address = "127.0.0.1:" + std::to_string((*first)->port())}),
              testing::StatusIs(absl::StatusCode::kUnavailable, "in use"));
}

TEST(HttpServerStop, FreesThePortBeforeADrainReturns) {
  auto server = HttpServer::Start({});
  ASSERT_THAT(server, testing::IsOk());
  const std::string address = "127.0.0.1:" + std::to_string((*server)->port());
  for (int i = 0; i < 50; ++i) {
    (*server)->Drain(0ms);
    auto next = HttpServer::Start({.address = address});
    ASSERT_THAT(next, testing::IsOk()) << "after " << i << " restarts";
    server = std::move(next);
  }
}

}  // namespace
}  // namespace ridestream::gateway
