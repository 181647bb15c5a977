#include "libs/roads/engine/prepared_file.h"

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace ridestream::roads {
namespace {

static_assert(std::endian::native == std::endian::little, "the file is written as memory lies");

constexpr char kMagic[8] = {'R', 'I', 'D', 'E', 'R', 'O', 'A', 'D'};
/// Increase it with every change of the file's format, and of the order that FindContractionOrder
/// finds.
constexpr std::uint32_t kVersion = 1;

/// The start of the file. The order and a CRC-32 of everything before it follow.
struct Header {
  char magic[8];
  std::uint32_t version;
  std::uint32_t node_count;
  std::uint64_t fingerprint;
};
static_assert(sizeof(Header) == 24);

std::uint32_t Checksum(const char* data, std::size_t size) {
  return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(data), size));
}

template <class Value>
void Append(std::string& bytes, const Value* values, std::size_t count) {
  bytes.append(reinterpret_cast<const char*>(values), count * sizeof(Value));
}

class Fnv {
 public:
  void Add(std::uint64_t value) {
    for (int byte = 0; byte < 8; ++byte) {
      hash_ = (hash_ ^ (value >> (8 * byte) & 0xff)) * 0x100000001b3;
    }
  }
  std::uint64_t hash() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325;
};

absl::StatusOr<std::string> ReadAll(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return absl::NotFoundError(path + ": no such file");
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) return absl::UnavailableError(path + ": can't be read");
  return bytes;
}

bool IsPermutation(std::span<const NodeIndex> order) {
  std::vector<bool> seen(order.size());
  for (const NodeIndex node : order) {
    if (node >= order.size() || seen[node]) return false;
    seen[node] = true;
  }
  return true;
}

}  // namespace

std::uint64_t Fingerprint(const RoadGraph& graph) {
  Fnv fnv;
  fnv.Add(graph.node_count());
  for (NodeIndex node = 0; node < graph.node_count(); ++node) {
    const LatLng at = graph.position(node);
    fnv.Add(std::uint64_t{static_cast<std::uint32_t>(at.lat_e7)} << 32 |
            static_cast<std::uint32_t>(at.lng_e7));
  }
  fnv.Add(graph.edge_count());
  for (const Edge& e : graph.edges()) fnv.Add(std::uint64_t{e.from} << 32 | e.to);
  for (const EdgePath& path : graph.forbidden_paths()) {
    fnv.Add(path.size());
    for (const EdgeIndex edge : path) fnv.Add(edge);
  }
  return fnv.hash();
}

absl::Status SavePrepared(const std::string& path, const RoadGraph& graph,
                          std::span<const NodeIndex> node_order) {
  Header header{{}, kVersion, static_cast<std::uint32_t>(node_order.size()), Fingerprint(graph)};
  std::memcpy(header.magic, kMagic, sizeof(kMagic));
  std::string bytes;
  Append(bytes, &header, 1);
  Append(bytes, node_order.data(), node_order.size());
  const std::uint32_t checksum = Checksum(bytes.data(), bytes.size());
  Append(bytes, &checksum, 1);

  // Written under a temporary name first, because services that start together may both write.
  const std::string temporary = fmt::format("{}.{}.tmp", path, getpid());
  std::ofstream file(temporary, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  std::error_code error;
  if (!file.fail()) std::filesystem::rename(temporary, path, error);
  if (file.fail() || error) {
    const std::string reason = error ? error.message() : std::strerror(errno);
    std::filesystem::remove(temporary, error);
    return absl::UnavailableError(fmt::format("{}: can't be written: {}", path, reason));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<NodeIndex>> LoadPrepared(const std::string& path,
                                                    const RoadGraph& graph) {
  const absl::StatusOr<std::string> bytes = ReadAll(path);
  if (!bytes.ok()) return bytes.status();
  Header header;
  std::uint32_t checksum;
  if (bytes->size() < sizeof(header.magic) ||
      std::memcmp(bytes->data(), kMagic, sizeof(kMagic)) != 0) {
    return absl::InvalidArgumentError(path + ": is not a prepared graph");
  }
  if (bytes->size() < sizeof(header) + sizeof(checksum)) {
    return absl::DataLossError(path + ": is cut off");
  }
  std::memcpy(&header, bytes->data(), sizeof(header));
  if (header.version != kVersion) {
    return absl::InvalidArgumentError(
        fmt::format("{}: is of version {}; this is {}", path, header.version, kVersion));
  }
  const std::size_t checked = bytes->size() - sizeof(checksum);
  std::memcpy(&checksum, bytes->data() + checked, sizeof(checksum));
  if (checked != sizeof(header) + std::size_t{header.node_count} * sizeof(NodeIndex) ||
      checksum != Checksum(bytes->data(), checked)) {
    return absl::DataLossError(path + ": is damaged: its checksum or its size is wrong");
  }
  if (header.fingerprint != Fingerprint(graph) || header.node_count != graph.node_count()) {
    return absl::FailedPreconditionError(path + ": was made for other streets than these");
  }
  std::vector<NodeIndex> order(header.node_count);
  std::memcpy(order.data(), bytes->data() + sizeof(header), order.size() * sizeof(NodeIndex));
  if (!IsPermutation(order)) {
    return absl::DataLossError(path + ": is damaged: its order names a point twice or not at all");
  }
  return order;
}

}  // namespace ridestream::roads
