#pragma once

namespace ridestream::roads {

/// Lets libosmium read and write bzip2 by this library instead of its own: that one (2.19) takes
/// the end of a stream for the end of the file where it meets both at once, so that of files in
/// several streams, as pbzip2 writes them, the last ones are lost. Call once, before any file is
/// opened, and don't include osmium/io/bzip2_compression.hpp or any_compression.hpp. Always returns
/// true.
bool RegisterBzip2Streams();

}  // namespace ridestream::roads
