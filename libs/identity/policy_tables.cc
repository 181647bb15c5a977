// Checks the policies of all protos, and prints their tables for docs/security.md:
//   policy_tables DESCRIPTORS [FILE]     DESCRIPTORS is of protoc --descriptor_set_out.

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iostream>

#include "libs/identity/policy.h"
#include "libs/identity/policy_files.h"

namespace ridestream::identity {
namespace {

absl::Status Print(const std::string& descriptors, std::ostream& out) {
  const absl::StatusOr<ProtoServices> protos = ProtoServices::Read(descriptors);
  if (!protos.ok()) return protos.status();
  if (absl::Status status = CheckPolicies(protos->services()); !status.ok()) return status;
  out << PolicyTables(protos->services());
  return out.flush() ? absl::OkStatus() : absl::InternalError("the tables can't be written");
}

}  // namespace
}  // namespace ridestream::identity

int main(int argc, char** argv) {
  if (argc != 2 && argc != 3) {
    fmt::print(stderr, "usage: policy_tables DESCRIPTORS [FILE]\n");
    return 2;
  }
  std::ofstream file;
  if (argc == 3) file.open(argv[2]);
  const absl::Status status = ridestream::identity::Print(
      argv[1], argc == 3 ? static_cast<std::ostream&>(file) : std::cout);
  if (status.ok()) return 0;
  fmt::print(stderr, "{}\n", std::string(status.message()));
  return 1;
}
