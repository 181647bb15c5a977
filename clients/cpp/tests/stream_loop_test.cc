#include "clients/cpp/src/stream_loop.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace ridestream::client {
namespace {

using namespace std::chrono_literals;

TEST(StreamLoopTest, WakeEndsAWait) {
  StreamLoop loop;
  loop.Wake();
  loop.Wake();  // Both together cause one event.
  EXPECT_EQ(loop.Next(std::chrono::steady_clock::now() + 60s), StreamLoop::Event::kWoken);
  EXPECT_EQ(loop.Next(std::chrono::steady_clock::now()), StreamLoop::Event::kTimeout);
}

TEST(StreamLoopTest, MayBeDestroyedRightAfterAWake) {
  // The timer of Wake fires on a gRPC thread at about the same time.
  for (int i = 0; i < 2'000; ++i) {
    StreamLoop loop;
    loop.Wake();
    std::this_thread::sleep_for(std::chrono::microseconds(i));
  }
}

}  // namespace
}  // namespace ridestream::client
