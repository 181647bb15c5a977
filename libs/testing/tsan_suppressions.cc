// The packaged abseil isn't instrumented, so ThreadSanitizer doesn't see that threads that share a
// Status count its references atomically, and reports the final delete, of the Status or its
// payloads, as a race. Linked into every test that is built with ThreadSanitizer.
extern "C" const char* __tsan_default_suppressions();  // NOLINT: the sanitizer's name.
extern "C" const char* __tsan_default_suppressions() {
  return "race:absl::*Status::Unref\nrace:absl::*status_internal::Payload\n";
}
