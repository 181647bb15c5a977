#include "libs/base/timer_queue.h"

#include <algorithm>

namespace ridestream {

TimerQueue::TimerQueue() : thread_([this] { Run(); }) {}

TimerQueue::~TimerQueue() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    timers_.clear();
  }
  changed_.SignalAll();
  thread_.join();
}

TimerQueue::Handle TimerQueue::After(std::chrono::nanoseconds delay, std::function<void()> fire) {
  MutexLock lock(mu_);
  const Handle handle = ++last_handle_;
  const auto entry =
      timers_.emplace(std::pair(Clock::now() + delay, handle), std::move(fire)).first;
  if (entry == timers_.begin()) changed_.SignalAll();
  return handle;
}

void TimerQueue::Cancel(Handle handle) {
  MutexLock lock(mu_);
  const auto found = std::find_if(timers_.begin(), timers_.end(),
                                  [&](const auto& timer) { return timer.first.second == handle; });
  if (found != timers_.end()) timers_.erase(found);
  if (std::this_thread::get_id() == thread_.get_id()) return;
  while (handle != 0 && running_ == handle) changed_.Wait(mu_);
}

void TimerQueue::Run() {
  mu_.Lock();
  while (!stopping_) {
    if (timers_.empty()) {
      changed_.Wait(mu_);
      continue;
    }
    const auto first = timers_.begin();
    const auto wait = first->first.first - Clock::now();
    if (wait > wait.zero()) {
      changed_.WaitFor(mu_, wait);
      continue;
    }
    running_ = first->first.second;
    const std::function<void()> fire = std::move(first->second);
    timers_.erase(first);
    mu_.Unlock();
    fire();
    mu_.Lock();
    running_ = 0;
    changed_.SignalAll();
  }
  mu_.Unlock();
}

}  // namespace ridestream
