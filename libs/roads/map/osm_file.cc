// With bzip2_streams.cc the only file that includes libosmium, which is large and reports errors by
// exceptions.

#include "libs/roads/map/osm_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <osmium/builder/attr.hpp>
#include <osmium/io/gzip_compression.hpp>
#include <osmium/io/pbf_input.hpp>
#include <osmium/io/pbf_output.hpp>
#include <osmium/io/xml_input.hpp>
#include <osmium/io/xml_output.hpp>
#include <osmium/memory/buffer.hpp>
#include <osmium/osm/entity.hpp>
#include <osmium/osm/node.hpp>
#include <osmium/osm/relation.hpp>
#include <osmium/osm/way.hpp>
#include <osmium/thread/pool.hpp>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/roads/map/bzip2_streams.h"

namespace ridestream::roads {
namespace {

[[maybe_unused]] const bool kReadsBzip2 = RegisterBzip2Streams();

/// Runs `work`, and converts libosmium's exceptions to a status.
template <class Work>
absl::Status WithoutExceptions(const std::string& path, Work work) {
  try {
    work();
    return absl::OkStatus();
  } catch (const osmium::unsupported_file_format_error& e) {
    return absl::InvalidArgumentError(
        fmt::format("{}: {}; use .osm.pbf, .osm, .osm.gz or .osm.bz2", path, e.what()));
  } catch (const std::system_error& e) {
    const std::string message = fmt::format("{}: {}", path, e.code().message());
    if (e.code() == std::errc::no_such_file_or_directory) return absl::NotFoundError(message);
    if (e.code() == std::errc::permission_denied) return absl::PermissionDeniedError(message);
    if (e.code() == std::errc::file_exists) return absl::AlreadyExistsError(message);
    return absl::DataLossError(message);
  } catch (const std::exception& e) {
    return absl::DataLossError(
        fmt::format("{} is damaged or not an OpenStreetMap file: {}", path, e.what()));
  }
}

/// The file, if its name implies a format. Without this libosmium would read "" from the terminal.
absl::StatusOr<osmium::io::File> FileAt(const std::string& path) {
  osmium::io::File file(path);
  if (file.filename().empty() || file.format() == osmium::io::file_format::unknown) {
    return absl::InvalidArgumentError(fmt::format(
        "the name \"{}\" has no known map format; use .osm.pbf, .osm, .osm.gz or .osm.bz2", path));
  }
  return file;
}

absl::Status NotOneMoment(const std::string& path) {
  return absl::InvalidArgumentError(fmt::format(
      "{} is a history or change file, with several versions of an object: extract the map of one "
      "moment from it, as by `osmium time-filter`, or apply the changes to a map, as by `osmium "
      "apply-changes`",
      path));
}

/// Whether the file has several versions of an object, by its name or by its header.
bool HoldsSeveralVersions(const osmium::io::File& file, osmium::thread::Pool& pool) {
  if (file.has_multiple_object_versions()) return true;
  osmium::io::Reader reader(file, pool, osmium::osm_entity_bits::nothing);
  const bool several = reader.header().has_multiple_object_versions();
  reader.close();
  return several;
}

/// Calls `visit` with each buffer of entities of these kinds.
template <class Visit>
void ForEachBuffer(const osmium::io::File& file, osmium::thread::Pool& pool,
                   osmium::osm_entity_bits::type kinds, Visit visit) {
  osmium::io::Reader reader(file, pool, kinds, osmium::io::read_meta::no);
  while (const osmium::memory::Buffer buffer = reader.read()) visit(buffer);
  reader.close();  // reports what its destructor would swallow
}

/// Passes ways and relations to a builder, and reuses its buffers.
class Filler {
 public:
  explicit Filler(RoadGraphBuilder& builder) : builder_(builder) {}

  void Add(const osmium::Way& way) {
    ReadTags(way.tags());
    node_ids_.clear();
    for (const osmium::NodeRef& node : way.nodes()) node_ids_.push_back(node.ref());
    builder_.AddWay(way.id(), node_ids_, tags_);
    // Some files store locations on ways, and omit nodes without tags.
    for (const osmium::NodeRef& node : way.nodes()) {
      const osmium::Location at = node.location();
      if (at.valid()) builder_.SetPosition(node.ref(), LatLng{at.y(), at.x()});
    }
  }

  void Add(const osmium::Relation& relation) {
    ReadTags(relation.tags());
    members_.clear();
    for (const osmium::RelationMember& member : relation.members()) {
      const auto type = member.type() == osmium::item_type::node  ? RelationMember::Type::kNode
                        : member.type() == osmium::item_type::way ? RelationMember::Type::kWay
                                                                  : RelationMember::Type::kRelation;
      members_.push_back({type, member.ref(), member.role()});
    }
    builder_.AddRelation(members_, tags_);
  }

  void AddTagsOf(const osmium::Node& node) {
    ReadTags(node.tags());
    builder_.SetNodeTags(node.id(), tags_);
  }

 private:
  void ReadTags(const osmium::TagList& tags) {
    tags_.Clear();
    // Each key and value ends with a zero byte. A further zero byte inside would make libosmium
    // search for the end beyond the list.
    if (std::count(tags.data() + sizeof(tags), tags.data() + tags.byte_size(), 0) % 2 != 0) {
      throw osmium::io_error("a tag holds a zero byte");
    }
    for (const osmium::Tag& tag : tags) tags_.Add(tag.key(), tag.value());
  }

  RoadGraphBuilder& builder_;
  Tags tags_;
  std::vector<std::int64_t> node_ids_;
  std::vector<RelationMember> members_;
};

osmium::item_type TypeOf(RelationMember::Type type) {
  if (type == RelationMember::Type::kNode) return osmium::item_type::node;
  return type == RelationMember::Type::kWay ? osmium::item_type::way : osmium::item_type::relation;
}

}  // namespace

absl::Status ReadOsmFile(const std::string& path, RoadGraphBuilder& builder) {
  const absl::StatusOr<osmium::io::File> file = FileAt(path);
  if (!file.ok()) return file.status();
  bool several_versions = false;
  const absl::Status read = WithoutExceptions(path, [&] {
    osmium::thread::Pool pool(1);  // its own, so that no thread stays behind
    several_versions = HoldsSeveralVersions(*file, pool);
    if (several_versions) return;

    Filler filler(builder);
    ForEachBuffer(*file, pool, osmium::osm_entity_bits::way | osmium::osm_entity_bits::relation,
                  [&](const osmium::memory::Buffer& buffer) {
                    for (const auto& way : buffer.select<osmium::Way>()) {
                      if (way.visible()) filler.Add(way);
                    }
                    for (const auto& relation : buffer.select<osmium::Relation>()) {
                      if (relation.visible()) filler.Add(relation);
                    }
                  });
    ForEachBuffer(*file, pool, osmium::osm_entity_bits::node,
                  [&](const osmium::memory::Buffer& buffer) {
                    for (const auto& node : buffer.select<osmium::Node>()) {
                      if (!node.visible()) continue;
                      const osmium::Location at = node.location();
                      if (at.valid()) builder.SetPosition(node.id(), LatLng{at.y(), at.x()});
                      if (!node.tags().empty()) filler.AddTagsOf(node);
                    }
                  });
  });
  return several_versions ? NotOneMoment(path) : read;
}

absl::Status WriteOsmFile(const OsmData& map, const std::string& path) {
  const absl::StatusOr<osmium::io::File> file = FileAt(path);
  if (!file.ok()) return file.status();
  return WithoutExceptions(path, [&] {
    using namespace osmium::builder::attr;  // NOLINT: its attributes are meant to be used so
    osmium::memory::Buffer buffer(1 << 16, osmium::memory::Buffer::auto_grow::yes);
    for (const OsmNode& node : map.nodes) {
      const osmium::Location at(node.position.lng_e7, node.position.lat_e7);
      osmium::builder::add_node(buffer, _id(node.id), _version(1), _location(at), _tags(node.tags));
    }
    for (const OsmWay& way : map.ways) {
      osmium::builder::add_way(buffer, _id(way.id), _version(1), _nodes(way.node_ids),
                               _tags(way.tags));
    }
    for (const OsmRelation& relation : map.relations) {
      std::vector<member_type> members;
      for (const auto& member : relation.members) {
        members.emplace_back(TypeOf(member.type), member.id, member.role.c_str());
      }
      osmium::builder::add_relation(buffer, _id(relation.id), _version(1), _members(members),
                                    _tags(relation.tags));
    }
    osmium::thread::Pool pool(1);
    osmium::io::Writer writer(*file, pool);
    writer(std::move(buffer));
    writer.close();
  });
}

}  // namespace ridestream::roads
