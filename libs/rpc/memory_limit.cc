#include "libs/rpc/memory_limit.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace ridestream::rpc {

std::size_t MemoryLimitBytes() {
  auto limit = static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) *
               static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  // A container sees its own limit in these files. A missing file, or the word "max", means no
  // limit.
  for (const char* path :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream file(path);
    std::size_t bytes = 0;
    if (file >> bytes) limit = std::min(limit, bytes);
  }
  return limit;
}

}  // namespace ridestream::rpc
