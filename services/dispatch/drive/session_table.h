#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "libs/base/id.h"
#include "services/dispatch/drive/driver_session.h"

namespace ridestream::dispatch {

/// The sessions of a process by driver, and by the address from which each driver connected last.
/// Keeps them in an order in which to search for one to evict, so that checking a few is enough.
/// The order depends on the calls alone. Not thread-safe; never calls a session.
class SessionTable {
 public:
  using Sessions = std::vector<std::shared_ptr<DriverSession>>;

  /// Null if the driver has none.
  std::shared_ptr<DriverSession> Find(const DriverId& driver) const;
  /// The driver must not have one.
  void Insert(std::shared_ptr<DriverSession> session, const std::string& address);
  /// A driver with a session connected from this address.
  void Move(const DriverId& driver, const std::string& address);
  /// Returns false if this isn't the driver's session any more.
  bool Erase(const DriverSession& session);

  std::size_t size() const { return entries_.size(); }
  std::size_t CountOf(const std::string& address) const;
  /// In the order in which they will be checked.
  Sessions All() const { return {all_.begin(), all_.end()}; }
  /// Returns up to `most` sessions that were checked longest ago, and moves them to the end.
  Sessions NextToLookAt(std::size_t most);
  Sessions NextToLookAt(std::size_t most, const std::string& address);

 private:
  using Order = std::list<std::shared_ptr<DriverSession>>;
  struct Entry {
    std::string address;
    Order::iterator in_all;
    Order::iterator in_address;
  };

  static Sessions NextInTurn(std::size_t most, Order& order);
  void Leave(const Entry& entry);

  absl::flat_hash_map<DriverId, Entry> entries_;
  Order all_;
  absl::flat_hash_map<std::string, Order> by_address_;
};

}  // namespace ridestream::dispatch
