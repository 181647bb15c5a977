// The packaged abseil isn't instrumented, so ThreadSanitizer doesn't see that a Status shared by
// two threads counts its references with atomics, and takes the last one's delete for a race.
// Linked into tests in which statuses go from thread to thread; without the sanitizer nobody calls
// this.
extern "C" const char* __tsan_default_suppressions();  // NOLINT: the sanitizer's name.
extern "C" const char* __tsan_default_suppressions() { return "race:absl::*Status::Unref\n"; }
