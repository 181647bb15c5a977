#include "services/gateway/viewers/anonymizer.h"

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/invariant.h"
#include "ridestream/common/v1/common.pb.h"
#include "ridestream/dispatch/v1/dispatch.pb.h"
#include "ridestream/location/v1/location.pb.h"
#include "ridestream/trip/v1/trip.pb.h"

namespace ridestream::gateway {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

struct KnownText {
  const google::protobuf::Descriptor* type;
  int number;
  TextTreatment treatment;
};

std::vector<KnownText> KnownTexts() {
  using enum TextTreatment;
  using common::v1::Driver, common::v1::Money, common::v1::Passenger, common::v1::Vehicle;
  using location::v1::NearbyDriver, location::v1::WatchAreaResponse;
  using trip::v1::Cancellation, trip::v1::ImplausibleStep, trip::v1::Release, trip::v1::Tariff,
      trip::v1::Trip;
  namespace dispatch = dispatch::v1;
  return {
      {Money::descriptor(), Money::kCurrencyCodeFieldNumber, kKeep},
      {Tariff::descriptor(), Tariff::kCurrencyCodeFieldNumber, kKeep},
      {Vehicle::descriptor(), Vehicle::kModelFieldNumber, kKeep},
      {Trip::descriptor(), Trip::kTripIdFieldNumber, kKeep},
      {Trip::descriptor(), Trip::kMarketFieldNumber, kKeep},
      {Trip::descriptor(), Trip::kOfferIdFieldNumber, kKeep},
      {Cancellation::descriptor(), Cancellation::kByServiceIdFieldNumber, kKeep},
      {dispatch::GetDriverResponse::descriptor(), dispatch::GetDriverResponse::kMarketFieldNumber,
       kKeep},
      {dispatch::Stop::descriptor(), dispatch::Stop::kTripIdFieldNumber, kKeep},
      {dispatch::Offer::descriptor(), dispatch::Offer::kOfferIdFieldNumber, kKeep},
      {dispatch::Offer::descriptor(), dispatch::Offer::kTripIdFieldNumber, kKeep},
      {dispatch::OfferEnded::descriptor(), dispatch::OfferEnded::kOfferIdFieldNumber, kKeep},
      {dispatch::OfferEnded::descriptor(), dispatch::OfferEnded::kTripIdFieldNumber, kKeep},
      {dispatch::OfferAnswer::descriptor(), dispatch::OfferAnswer::kOfferIdFieldNumber, kKeep},
      {dispatch::StopUpdate::descriptor(), dispatch::StopUpdate::kTripIdFieldNumber, kKeep},
      {dispatch::GiveUp::descriptor(), dispatch::GiveUp::kTripIdFieldNumber, kKeep},
      {dispatch::AnsweredCommand::descriptor(),
       dispatch::AnsweredCommand::kGivenUpTripIdFieldNumber, kKeep},
      {Driver::descriptor(), Driver::kDriverIdFieldNumber, kHideDriver},
      {dispatch::Offer::descriptor(), dispatch::Offer::kDriverIdFieldNumber, kHideDriver},
      {dispatch::Plan::descriptor(), dispatch::Plan::kDriverIdFieldNumber, kHideDriver},
      {NearbyDriver::descriptor(), NearbyDriver::kDriverIdFieldNumber, kHideDriver},
      {WatchAreaResponse::descriptor(), WatchAreaResponse::kGoneDriverIdsFieldNumber, kHideDriver},
      {Trip::descriptor(), Trip::kReleasedDriverIdsFieldNumber, kHideDriver},
      {Release::descriptor(), Release::kDriverIdFieldNumber, kHideDriver},
      {ImplausibleStep::descriptor(), ImplausibleStep::kDriverIdFieldNumber, kHideDriver},
      {Cancellation::descriptor(), Cancellation::kByDriverIdFieldNumber, kHideDriver},
      {dispatch::GetDriverRequest::descriptor(), dispatch::GetDriverRequest::kDriverIdFieldNumber,
       kHideDriver},
      {Passenger::descriptor(), Passenger::kRiderIdFieldNumber, kHideRider},
      {Cancellation::descriptor(), Cancellation::kByRiderIdFieldNumber, kHideRider},
  };
}

bool IsText(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
}

/// Visits all non-empty texts, at any depth, with the message that contains them. `visit` may
/// change the text.
void ForEachText(Message& message,
                 const std::function<void(Message&, const FieldDescriptor&)>& visit) {
  const auto& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (IsText(*field)) {
      visit(message, *field);
    } else if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
      continue;
    } else if (field->is_repeated()) {
      for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
        ForEachText(*reflection.MutableRepeatedMessage(&message, field, i), visit);
      }
    } else {
      ForEachText(*reflection.MutableMessage(&message, field), visit);
    }
  }
}

/// Replaces the text, or each text of a repeated field. Stops and returns false at a text that has
/// no replacement.
bool Replace(Message& message, const FieldDescriptor& field,
             const std::function<std::optional<std::string>(const std::string&)>& replace) {
  const auto& reflection = *message.GetReflection();
  if (!field.is_repeated()) {
    auto text = replace(reflection.GetString(message, &field));
    if (text) reflection.SetString(&message, &field, *std::move(text));
    return text.has_value();
  }
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    auto text = replace(reflection.GetRepeatedString(message, &field, i));
    if (!text) return false;
    reflection.SetRepeatedString(&message, &field, i, *std::move(text));
  }
  return true;
}

}  // namespace

Anonymizer::Anonymizer(Pseudonyms pseudonyms, bool keep_traces)
    : pseudonyms_(std::move(pseudonyms)) {
  for (const KnownText& known : KnownTexts()) {
    treatments_[known.type->FindFieldByNumber(known.number)] = known.treatment;
  }
  if (keep_traces) {
    using trip::v1::Trip;
    treatments_[Trip::descriptor()->FindFieldByNumber(Trip::kTraceparentFieldNumber)] =
        TextTreatment::kKeep;
  }
}

TextTreatment Anonymizer::TreatmentOf(const FieldDescriptor& field) const {
  const auto found = treatments_.find(&field);
  return found == treatments_.end() ? TextTreatment::kLeaveOut : found->second;
}

void Anonymizer::Anonymize(Message& answer) const {
  // An unknown field may contain a name.
  answer.DiscardUnknownFields();
  ForEachText(answer, [this](Message& message, const FieldDescriptor& field) {
    switch (TreatmentOf(field)) {
      case TextTreatment::kKeep:
        return;
      case TextTreatment::kHideDriver:
        Replace(message, field, [this](const std::string& id) { return pseudonyms_.Hide(id); });
        return;
      case TextTreatment::kHideRider:
        Replace(message, field, [](const std::string&) { return kAnonymousRider; });
        return;
      case TextTreatment::kLeaveOut:
        break;
    }
    message.GetReflection()->ClearField(&message, &field);
  });
}

absl::StatusOr<int> Anonymizer::Reveal(Message& request) const {
  int revealed = 0;
  absl::Status status;
  ForEachText(request, [&](Message& message, const FieldDescriptor& field) {
    if (TreatmentOf(field) != TextTreatment::kHideDriver) return;
    const bool known = Replace(message, field, [&](const std::string& pseudonym) {
      return pseudonyms_.Reveal(pseudonym);
    });
    if (known) {
      ++revealed;
    } else {
      status =
          absl::NotFoundError(fmt::format("{}: viewers know no driver by this id", field.name()));
    }
  });
  if (!status.ok()) return status;
  return revealed;
}

}  // namespace ridestream::gateway
