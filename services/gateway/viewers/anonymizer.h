#pragma once

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "services/gateway/viewers/pseudonyms.h"

namespace ridestream::gateway {

/// How answers to callers that a method's policy lists as anonymous show a text field.
enum class TextTreatment {
  /// Cleared: names, notes and every field that isn't known to be harmless.
  kLeaveOut,
  /// Unchanged, because it identifies nobody.
  kKeep,
  /// A driver's id becomes its pseudonym.
  kHideDriver,
  /// A rider's id becomes kAnonymousRider, which shows only that there was a rider.
  kHideRider,
};

/// Removes names from answers, and replaces pseudonyms in requests with drivers' ids. Decides field
/// by field, at any depth; text fields that it doesn't know are cleared. Thread-safe.
class Anonymizer {
 public:
  static constexpr char kAnonymousRider[] = "anonymous";

  /// `keep_traces` keeps trips' trace contexts, which are random, for a page that links to the
  /// traces.
  explicit Anonymizer(Pseudonyms pseudonyms, bool keep_traces = false);

  const Pseudonyms& pseudonyms() const { return pseudonyms_; }
  TextTreatment TreatmentOf(const google::protobuf::FieldDescriptor& field) const;

  void Anonymize(google::protobuf::Message& answer) const;
  /// Replaces pseudonyms with drivers' ids, and returns the number of replacements. NOT_FOUND, with
  /// the field's name, for a text that isn't a pseudonym.
  absl::StatusOr<int> Reveal(google::protobuf::Message& request) const;

 private:
  const Pseudonyms pseudonyms_;
  absl::flat_hash_map<const google::protobuf::FieldDescriptor*, TextTreatment> treatments_;
};

}  // namespace ridestream::gateway
