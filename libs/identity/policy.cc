#include "libs/identity/policy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include "libs/base/invariant.h"
#include "libs/base/validation.h"
#include "ridestream/auth/v1/policy.pb.h"

namespace ridestream::identity {
namespace {

namespace v1 = auth::v1;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

constexpr std::string_view kService = "service/";

using Names = google::protobuf::RepeatedPtrField<std::string>;

bool Contains(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The caller's name in policies.
std::string NameInPolicies(const Principal& caller) {
  return caller.role == Role::kService ? Name(caller) : std::string(RoleName(caller.role));
}

bool IsKnown(std::string_view name) {
  return RoleFromToken(name).has_value() ||
         (name.starts_with(kService) && IsId(name.substr(kService.size())));
}

std::optional<Scope> ScopeFor(const v1::Policy& policy, const Principal& caller) {
  const std::string name = NameInPolicies(caller);
  if (Contains(policy.all(), name)) return Scope::kAll;
  if (Contains(policy.own(), name)) return Scope::kOwn;
  if (Contains(policy.anonymous(), name)) return Scope::kAnonymous;
  return std::nullopt;
}

/// The fields of a path such as "hello.market"; empty if there is no such text field.
std::vector<const FieldDescriptor*> FieldsOf(const Descriptor& type, std::string_view path) {
  std::vector<const FieldDescriptor*> fields;
  const Descriptor* within = &type;
  while (true) {
    const std::string name(path.substr(0, path.find('.')));
    const FieldDescriptor* field = within == nullptr ? nullptr : within->FindFieldByName(name);
    if (field == nullptr) return {};
    fields.push_back(field);
    if (name.size() == path.size()) break;
    if (field->is_repeated()) return {};
    path.remove_prefix(name.size() + 1);
    within = field->message_type();
  }
  if (fields.back()->type() != FieldDescriptor::TYPE_STRING) return {};
  return fields;
}

/// The non-empty values of the field in the request.
std::vector<std::string> ValuesOf(const Message& request, const std::string& path) {
  const Message* within = &request;
  const std::vector<const FieldDescriptor*> fields = FieldsOf(*request.GetDescriptor(), path);
  for (std::size_t i = 0; i + 1 < fields.size(); ++i) {
    within = &within->GetReflection()->GetMessage(*within, fields[i]);
  }
  std::vector<std::string> values;
  if (fields.empty()) return values;
  const FieldDescriptor* field = fields.back();
  const auto* reflection = within->GetReflection();
  const int count = field->is_repeated() ? reflection->FieldSize(*within, field) : 1;
  for (int i = 0; i < count; ++i) {
    std::string value = field->is_repeated() ? reflection->GetRepeatedString(*within, field, i)
                                             : reflection->GetString(*within, field);
    if (!value.empty()) values.push_back(std::move(value));
  }
  return values;
}

absl::Status CheckRequest(const Principal& caller, const v1::Policy& policy, Scope scope,
                          const Message& request) {
  if (!caller.market.empty() && !policy.market_field().empty()) {
    for (const std::string& market : ValuesOf(request, policy.market_field())) {
      if (market == caller.market) continue;
      return absl::PermissionDeniedError(
          fmt::format("{}: the caller is bound to another market", policy.market_field()));
    }
  }
  if (scope == Scope::kOwn && !policy.subject_field().empty()) {
    for (const std::string& subject : ValuesOf(request, policy.subject_field())) {
      if (subject == caller.id) continue;
      return absl::PermissionDeniedError(
          fmt::format("{}: the caller may name only itself", policy.subject_field()));
    }
  }
  return absl::OkStatus();
}

/// Describes what is wrong with a method's policy; empty if nothing is.
std::string FaultOf(const MethodDescriptor& method) {
  if (!method.options().HasExtension(v1::policy)) return "has no policy";
  const v1::Policy& policy = method.options().GetExtension(v1::policy);
  std::set<std::string> listed;
  for (const Names* names : {&policy.all(), &policy.own(), &policy.anonymous()}) {
    for (const std::string& name : *names) {
      if (!IsKnown(name))
        return fmt::format("lists {}, which is neither a role nor a service", name);
      if (!listed.insert(name).second) return fmt::format("lists {} twice", name);
    }
  }
  if (listed.empty()) return "lists nobody";
  for (const std::string& path : {policy.market_field(), policy.subject_field()}) {
    if (!path.empty() && FieldsOf(*method.input_type(), path).empty()) {
      return fmt::format("names {}, which is not a text field of {}", path,
                         method.input_type()->name());
    }
  }
  return "";
}

std::string Code(const std::string& text) { return text.empty() ? "" : fmt::format("`{}`", text); }

}  // namespace

absl::StatusOr<Permission> Authorize(const Principal* caller, const MethodDescriptor& method,
                                     const Message* request) {
  if (caller == nullptr) {
    return absl::UnauthenticatedError("this call needs a token, or a service's certificate");
  }
  const v1::Policy& policy = method.options().GetExtension(v1::policy);
  const std::optional<Scope> scope = ScopeFor(policy, *caller);
  if (scope) {
    absl::Status status;
    if (request != nullptr) status = CheckRequest(*caller, policy, *scope, *request);
    if (!status.ok()) return status;
    return Permission{*scope, caller->market};
  }
  return absl::PermissionDeniedError(
      fmt::format("{} isn't for {}", method.full_name(), NameInPolicies(*caller)));
}

std::set<std::string> ServicesListed(const std::vector<std::string>& proto_services) {
  std::set<std::string> services;
  for (const std::string& name : proto_services) {
    const ServiceDescriptor* service =
        google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(name);
    if (!RIDESTREAM_INVARIANT(service != nullptr, "a service's protos are linked")) continue;
    for (int i = 0; i < service->method_count(); ++i) {
      const v1::Policy& policy = service->method(i)->options().GetExtension(v1::policy);
      for (const Names* names : {&policy.all(), &policy.own(), &policy.anonymous()}) {
        for (const std::string& listed : *names) {
          if (listed.starts_with(kService)) services.insert(listed.substr(kService.size()));
        }
      }
    }
  }
  return services;
}

absl::Status CheckPolicies(const std::vector<const ServiceDescriptor*>& services) {
  std::string faults;
  for (const ServiceDescriptor* service : services) {
    for (int i = 0; i < service->method_count(); ++i) {
      const MethodDescriptor& method = *service->method(i);
      const std::string fault = FaultOf(method);
      if (!fault.empty()) {
        faults += fmt::format("{}{} {}", faults.empty() ? "" : "\n", method.full_name(), fault);
      }
    }
  }
  return faults.empty() ? absl::OkStatus() : absl::InvalidArgumentError(faults);
}

std::string PolicyTables(const std::vector<const ServiceDescriptor*>& services) {
  std::string text;
  for (const ServiceDescriptor* service : services) {
    text += fmt::format(
        "### {}\n\n"
        "| method | about everybody | about themselves | without names | market | subject |\n"
        "|---|---|---|---|---|---|\n",
        service->name());
    for (int i = 0; i < service->method_count(); ++i) {
      const MethodDescriptor& method = *service->method(i);
      const v1::Policy& policy = method.options().GetExtension(v1::policy);
      text += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", method.name(),
                          fmt::join(policy.all(), ", "), fmt::join(policy.own(), ", "),
                          fmt::join(policy.anonymous(), ", "), Code(policy.market_field()),
                          Code(policy.subject_field()));
    }
    text += "\n";
  }
  return text;
}

}  // namespace ridestream::identity
