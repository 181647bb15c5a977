#include "libs/tracing/span.h"

#include <algorithm>

#include "libs/tracing/tracer.h"

namespace ridestream::tracing {

Span& Span::operator=(Span&& other) noexcept {
  if (this != &other) {
    End();
    tracer_ = other.tracer_;
    data_ = std::move(other.data_);
  }
  return *this;
}

const SpanContext& Span::context() const {
  static const auto* const none = new SpanContext();
  return data_ == nullptr ? *none : data_->context;
}

void Span::SetAttribute(std::string_view key, AttributeValue value) {
  if (data_ == nullptr) return;
  auto& attributes = data_->attributes;
  const auto found = std::find_if(attributes.begin(), attributes.end(),
                                  [&](const Attribute& other) { return other.key == key; });
  if (found != attributes.end()) {
    found->value = std::move(value);
  } else if (attributes.size() < kMaxAttributes) {
    attributes.push_back({std::string(key), std::move(value)});
  } else {
    ++data_->dropped_attributes;
  }
}

void Span::AddEvent(std::string_view name, std::vector<Attribute> attributes) {
  if (data_ == nullptr) return;
  if (data_->events.size() < kMaxEvents) {
    data_->events.push_back({tracer_->Now(), std::string(name), std::move(attributes)});
  } else {
    ++data_->dropped_events;
  }
}

void Span::AddLink(const SpanContext& context, std::vector<Attribute> attributes) {
  if (data_ == nullptr || !context.valid()) return;
  if (data_->links.size() < kMaxLinks) {
    data_->links.push_back({context, std::move(attributes)});
  } else {
    ++data_->dropped_links;
  }
}

void Span::SetStatus(SpanStatus status, std::string_view message) {
  if (data_ == nullptr) return;
  data_->status = status;
  data_->status_message = message;
}

void Span::End() {
  if (data_ != nullptr) EndAt(tracer_->Now());
}

void Span::EndAt(Time end) {
  if (data_ == nullptr) return;
  data_->end = std::max(end, data_->start);
  tracer_->OnEnd(std::move(*data_));
  data_.reset();
}

}  // namespace ridestream::tracing
