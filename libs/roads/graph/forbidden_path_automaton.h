#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "libs/roads/graph/road_graph.h"

namespace ridestream::roads {

/// Recognises, while a car drives from edge to edge, the next edge that would complete a forbidden
/// path (A. Aho and M. Corasick, "Efficient String Matching: An Aid to Bibliographic Search",
/// 1975). Its states are the proper prefixes of forbidden paths; a car is in the state of the
/// longest prefix that its last edges form.
class ForbiddenPathAutomaton {
 public:
  using State = std::uint32_t;
  /// No forbidden path has begun.
  static constexpr State kStart = 0;

  /// Each path has two edges or more.
  explicit ForbiddenPathAutomaton(std::span<const EdgePath> forbidden);

  std::size_t size() const { return states_.size(); }
  /// The last edge of a state's path; the state must not be kStart.
  EdgeIndex last_edge(State state) const { return states_[state].last_edge; }

  bool IsForbidden(State state, EdgeIndex edge) const;
  /// The state after `edge`, which must not be forbidden.
  State Next(State state, EdgeIndex edge) const;

 private:
  struct Node {
    EdgeIndex last_edge = 0;
    State shorter = kStart;  // The longest other state that is a suffix of this state's path.
  };

  std::vector<Node> states_;
  absl::flat_hash_map<std::pair<State, EdgeIndex>, State> longer_;
  absl::flat_hash_set<std::pair<State, EdgeIndex>> forbidden_;
};

}  // namespace ridestream::roads
