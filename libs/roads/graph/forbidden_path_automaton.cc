#include "libs/roads/graph/forbidden_path_automaton.h"

#include <algorithm>

namespace ridestream::roads {

ForbiddenPathAutomaton::ForbiddenPathAutomaton(std::span<const EdgePath> forbidden) : states_(1) {
  // Level by level, so that shorter states exist before longer ones.
  std::vector<State> reached(forbidden.size(), kStart);
  std::size_t longest = 0;
  for (const EdgePath& path : forbidden) longest = std::max(longest, path.size());
  for (std::size_t level = 0; level + 1 < longest; ++level) {
    for (std::size_t i = 0; i < forbidden.size(); ++i) {
      if (level + 1 >= forbidden[i].size()) continue;
      const EdgeIndex edge = forbidden[i][level];
      const State from = reached[i];
      const auto [it, is_new] =
          longer_.try_emplace(std::pair(from, edge), static_cast<State>(states_.size()));
      reached[i] = it->second;
      if (!is_new) continue;
      const State shorter = from == kStart ? kStart : Next(states_[from].shorter, edge);
      states_.push_back({edge, shorter});
    }
  }
  for (std::size_t i = 0; i < forbidden.size(); ++i) {
    forbidden_.emplace(reached[i], forbidden[i].back());
  }
}

bool ForbiddenPathAutomaton::IsForbidden(State state, EdgeIndex edge) const {
  for (; state != kStart; state = states_[state].shorter) {
    if (forbidden_.contains(std::pair(state, edge))) return true;
  }
  return false;
}

ForbiddenPathAutomaton::State ForbiddenPathAutomaton::Next(State state, EdgeIndex edge) const {
  for (;; state = states_[state].shorter) {
    if (const auto it = longer_.find(std::pair(state, edge)); it != longer_.end()) {
      return it->second;
    }
    if (state == kStart) return kStart;
  }
}

}  // namespace ridestream::roads
