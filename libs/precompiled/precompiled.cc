// Exists only to build the precompiled header.
