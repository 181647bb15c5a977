// The packaged abseil isn't instrumented, so ThreadSanitizer doesn't see that a Status shared by
// two threads counts its references with atomics, and takes the last one's delete, or that of its
// payloads, for a race. Part of every test that is built with ThreadSanitizer.
extern "C" const char* __tsan_default_suppressions();  // NOLINT: the sanitizer's name.
extern "C" const char* __tsan_default_suppressions() {
  return "race:absl::*Status::Unref\nrace:absl::*status_internal::Payload\n";
}
