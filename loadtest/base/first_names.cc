#include "loadtest/base/first_names.h"

#include <array>

namespace ridestream::loadtest {
namespace {

// Shuffled, so that consecutive names don't sound alike.
constexpr auto kNames = std::to_array<std::string_view>({
    "Ada",    "Mateus",  "Ngozi",  "Ravi",    "Elif",    "Tomás",   "Aiko",   "Grace", "Omar",
    "Freya",  "Joaquim", "Leila",  "Pavel",   "Inês",    "Kwame",   "Sofia",  "Hiro",  "Marta",
    "Dmitri", "Amara",   "Lukas",  "Priya",   "Youssef", "Clara",   "Mei",    "Anton", "Beatriz",
    "Chidi",  "Nora",    "Rafael", "Zeynep",  "Oskar",   "Fatima",  "Hugo",   "Iris",  "Jamal",
    "Katya",  "Liam",    "Noor",   "Paulo",   "Quinn",   "Rosa",    "Sven",   "Tariq", "Uma",
    "Viktor", "Wanda",   "Xenia",  "Yara",    "Zoran",   "Alma",    "Bruno",  "Celia", "Dario",
    "Esther", "Felix",   "Gita",   "Henrik",  "Isabel",  "Jonas",   "Kofi",   "Lucia", "Milan",
    "Nadia",  "Otto",    "Paloma", "Rania",   "Samuel",  "Thandi",  "Ulrich", "Vera",  "Walid",
    "Yusuf",  "Zita",    "Arjun",  "Bianca",  "Carlos",  "Dina",    "Emil",   "Farah", "Goran",
    "Hana",   "Ivo",     "Jelena", "Karim",   "Lena",    "Marco",   "Nils",   "Olga",  "Pedro",
    "Ruth",   "Stefan",  "Tessa",  "Umberto", "Vania",   "William",
});

}  // namespace

std::string_view FirstName(std::uint64_t number) { return kNames[number % kNames.size()]; }

}  // namespace ridestream::loadtest
