#pragma once

namespace ridestream::roads {

/// Makes libosmium read and write bzip2 by this library instead of its own. libosmium 2.19 mistakes
/// the end of a stream for the end of the file if both are in one buffer, so the last streams of
/// files with several, as pbzip2 writes them, are lost. Call it once before any file is opened, and
/// don't include osmium/io/bzip2_compression.hpp or any_compression.hpp. Always returns true.
bool RegisterBzip2Streams();

}  // namespace ridestream::roads
