// Only carries a precompiled header.
