#include "services/dispatch/drive/session_table.h"

#include <algorithm>
#include <utility>

#include "libs/base/invariant.h"

namespace ridestream::dispatch {

std::shared_ptr<DriverSession> SessionTable::Find(const DriverId& driver) const {
  const auto found = entries_.find(driver);
  return found == entries_.end() ? nullptr : *found->second.in_all;
}

void SessionTable::Insert(std::shared_ptr<DriverSession> session, const std::string& address) {
  const DriverId& driver = session->driver();
  Order& of_address = by_address_[address];
  const auto in_address = of_address.insert(of_address.end(), session);
  entries_.emplace(driver, Entry{address, all_.insert(all_.end(), std::move(session)), in_address});
}

void SessionTable::Move(const DriverId& driver, const std::string& address) {
  const auto found = entries_.find(driver);
  if (!RIDESTREAM_INVARIANT(found != entries_.end(), "a session that moves is in the table"))
    return;
  Entry& entry = found->second;
  if (entry.address == address) return;
  Leave(entry);
  Order& of_address = by_address_[address];
  entry.in_address = of_address.insert(of_address.end(), *entry.in_all);
  entry.address = address;
}

bool SessionTable::Erase(const DriverSession& session) {
  const auto found = entries_.find(session.driver());
  if (found == entries_.end() || found->second.in_all->get() != &session) return false;
  Leave(found->second);
  all_.erase(found->second.in_all);
  entries_.erase(found);
  return true;
}

void SessionTable::Leave(const Entry& entry) {
  const auto of_address = by_address_.find(entry.address);
  if (!RIDESTREAM_INVARIANT(of_address != by_address_.end(),
                            "each session counts for an address")) {
    return;
  }
  of_address->second.erase(entry.in_address);
  if (of_address->second.empty()) by_address_.erase(of_address);
}

std::size_t SessionTable::CountOf(const std::string& address) const {
  const auto found = by_address_.find(address);
  return found == by_address_.end() ? 0 : found->second.size();
}

SessionTable::Sessions SessionTable::NextToLookAt(std::size_t most) {
  return NextInTurn(most, all_);
}

SessionTable::Sessions SessionTable::NextToLookAt(std::size_t most, const std::string& address) {
  const auto found = by_address_.find(address);
  return found == by_address_.end() ? Sessions() : NextInTurn(most, found->second);
}

SessionTable::Sessions SessionTable::NextInTurn(std::size_t most, Order& order) {
  Sessions sessions;
  for (std::size_t left = std::min(most, order.size()); left > 0; --left) {
    sessions.push_back(order.front());
    order.splice(order.end(), order, order.begin());
  }
  return sessions;
}

}  // namespace ridestream::dispatch
