#include "libs/roads/city/city_names.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "libs/base/draw.h"

namespace ridestream::roads {
namespace {

constexpr const char* kNames[] = {
    "Alder",      "Ashford",   "Bancroft",  "Beacon",    "Bellevue",  "Birch",    "Bradford",
    "Calder",     "Canal",     "Carlton",   "Cedar",     "Chapel",    "Chestnut", "Clarendon",
    "College",    "Columbia",  "Commerce",  "Crescent",  "Dalton",    "Delancey", "Dover",
    "Eastlake",   "Elm",       "Fairmount", "Foundry",   "Franklin",  "Garden",   "Granville",
    "Hamilton",   "Harbour",   "Hawthorne", "Hudson",    "Jefferson", "Juniper",  "Kensington",
    "Kingsley",   "Lafayette", "Laurel",    "Lexington", "Linden",    "Madison",  "Magnolia",
    "Maple",      "Market",    "Mercer",    "Monroe",    "Mulberry",  "Norfolk",  "Oakland",
    "Orchard",    "Park",      "Pemberton", "Prospect",  "Quincy",    "Richmond", "Rosewood",
    "Sheridan",   "Spring",    "Sycamore",  "Thornton",  "Union",     "Vernon",   "Walnut",
    "Wellington",
};

}  // namespace

std::vector<std::string> DrawStreetNames(std::mt19937_64& random, std::size_t count) {
  std::vector<std::string> names(std::begin(kNames), std::end(kNames));
  for (std::size_t i = 0; i < count; ++i) {
    std::swap(names[i], names[i + DrawBelow(random, names.size() - i)]);
  }
  names.resize(count);
  return names;
}

std::string Ordinal(int number) {
  const int tens = number / 10 % 10;
  const int ones = number % 10;
  const char* suffix = "th";
  if (tens != 1 && ones == 1) suffix = "st";
  if (tens != 1 && ones == 2) suffix = "nd";
  if (tens != 1 && ones == 3) suffix = "rd";
  return fmt::format("{}{}", number, suffix);
}

}  // namespace ridestream::roads
