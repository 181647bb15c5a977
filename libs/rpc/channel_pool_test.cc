#include "libs/rpc/channel_pool.h"

#include <gtest/gtest.h>

#include <vector>

#include "libs/rpc/channel.h"

namespace ridestream::rpc {
namespace {

std::shared_ptr<grpc::Channel> NewChannel(int) { return MakeChannel("127.0.0.1:1"); }

TEST(ChannelPoolTest, AddsAChannelWhenAllAreFullAndReusesFreeSlots) {
  ChannelPool pool(NewChannel, {.streams_per_channel = 2, .max_channels = 10});
  std::vector<std::shared_ptr<grpc::Channel>> taken;
  for (int i = 0; i < 4; ++i) taken.push_back(pool.Take());
  EXPECT_EQ(pool.size(), 2u);
  EXPECT_EQ(taken[0], taken[1]);
  EXPECT_NE(taken[0], taken[2]);
  const grpc::Channel* const freed = taken[1].get();
  taken[1].reset();
  taken.push_back(pool.Take());
  EXPECT_EQ(pool.size(), 2u);
  EXPECT_EQ(taken.back().get(), freed);
}

TEST(ChannelPoolTest, FillsTheLeastUsedBeyondItsMostChannels) {
  ChannelPool pool(NewChannel, {.streams_per_channel = 1, .max_channels = 2});
  std::vector<std::shared_ptr<grpc::Channel>> taken;
  for (int i = 0; i < 4; ++i) taken.push_back(pool.Take());
  EXPECT_EQ(pool.size(), 2u);
  EXPECT_NE(taken[2], taken[3]);
}

TEST(ChannelPoolTest, AChannelOutlivesThePool) {
  std::shared_ptr<grpc::Channel> channel;
  {
    ChannelPool pool(NewChannel);
    channel = pool.Take();
  }
  EXPECT_EQ(channel->GetState(false), GRPC_CHANNEL_IDLE);
}

}  // namespace
}  // namespace ridestream::rpc
