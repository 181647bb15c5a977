#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

// What the sources of this folder need from Boost. No other folder includes Boost.

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

namespace ridestream::gateway {

namespace net = boost::asio;
namespace beast = boost::beast;
using Tcp = net::ip::tcp;
using ErrorCode = boost::system::error_code;

/// Runs `work` on `strand` after `delay` if `owner` still lives.
template <class Owner>
void RunAfter(const net::any_io_executor& strand, std::chrono::milliseconds delay,
              std::weak_ptr<Owner> owner, std::function<void()> work) {
  auto timer = std::make_shared<net::steady_timer>(strand, delay);
  timer->async_wait([timer, owner = std::move(owner), work = std::move(work)](ErrorCode error) {
    const auto alive = owner.lock();
    if (!error && alive != nullptr) work();
  });
}

}  // namespace ridestream::gateway
