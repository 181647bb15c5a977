#include "libs/rpc/connection_table.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>

#include "libs/base/invariant.h"

namespace ridestream::rpc {
namespace {

std::optional<ino_t> InodeOf(int descriptor) {
  struct stat file {};
  if (fstat(descriptor, &file) != 0 || !S_ISSOCK(file.st_mode)) return std::nullopt;
  return file.st_ino;
}

}  // namespace

ConnectionLimits WithinDescriptors(ConnectionLimits limits) {
  rlimit descriptors{};
  if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0) {
    const std::size_t all = descriptors.rlim_cur;
    limits.in_all = std::min(limits.in_all, all - std::min(kReservedDescriptors, all / 2));
  }
  limits.per_address = std::min(limits.per_address, std::max<std::size_t>(1, limits.in_all / 2));
  limits.silent = std::min(limits.silent, std::max<std::size_t>(16, limits.in_all / 16));
  return limits;
}

bool ConnectionTable::TryAdd(int descriptor, const std::string& address) {
  const std::optional<ino_t> inode = InodeOf(descriptor);
  MutexLock lock(mu_);
  Remove(descriptor);  // An entry with this descriptor belongs to a closed connection.
  // A peer that reconnects often costs a scan of its own connections only.
  if (const auto own = by_address_.find(address);
      own != by_address_.end() && own->second.size() >= limits_.per_address) {
    RemoveClosed(own->second);
  }
  const bool has_share = CountOf(address) < limits_.per_address;
  if (has_share && addresses_.size() >= limits_.in_all) RemoveAllClosed();
  if (!inode || !has_share || addresses_.size() >= limits_.in_all) {
    ++refused_;
    return false;
  }
  by_address_[address].emplace(descriptor, *inode);
  addresses_.emplace(descriptor, address);
  return true;
}

std::size_t ConnectionTable::CountOpen() {
  MutexLock lock(mu_);
  RemoveAllClosed();
  return addresses_.size();
}

std::uint64_t ConnectionTable::refused() const {
  MutexLock lock(mu_);
  return refused_;
}

std::size_t ConnectionTable::CountOf(const std::string& address) const {
  const auto found = by_address_.find(address);
  return found == by_address_.end() ? 0 : found->second.size();
}

void ConnectionTable::Remove(int descriptor) {
  const auto entry = addresses_.extract(descriptor);
  if (entry.empty()) return;
  const auto own = by_address_.find(entry.mapped());
  if (!RIDESTREAM_INVARIANT(own != by_address_.end(), "a counted connection has its address")) {
    return;
  }
  own->second.erase(descriptor);
  if (own->second.empty()) by_address_.erase(own);
}

void ConnectionTable::RemoveClosed(Sockets& sockets) {
  absl::erase_if(sockets, [this](const auto& socket) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const bool closed = InodeOf(socket.first) != socket.second;
    if (closed) addresses_.erase(socket.first);
    return closed;
  });
}

void ConnectionTable::RemoveAllClosed() {
  for (auto& [address, sockets] : by_address_) RemoveClosed(sockets);
  absl::erase_if(by_address_, [](const auto& own) { return own.second.empty(); });
}

}  // namespace ridestream::rpc
