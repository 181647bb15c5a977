// Executes the commands of the conformance run with this library; see tests/conformance/README.md.
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <variant>

#include "absl/base/thread_annotations.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "google/protobuf/util/json_util.h"
#include "ridestream/client/driver.h"
#include "ridestream/client/errors.h"
#include "ridestream/client/place.h"
#include "ridestream/client/rider.h"

namespace ridestream::client {
namespace {

using nlohmann::json;
namespace dispatch = ::ridestream::dispatch::v1;
namespace trip = ::ridestream::trip::v1;

void WriteMessage(const json& message) {
  static absl::Mutex mu;
  absl::MutexLock lock(&mu);
  // A token or an error may hold bytes that aren't UTF-8.
  std::cout << message.dump(-1, ' ', false, json::error_handler_t::replace) << '\n' << std::flush;
}

void WriteEvent(const std::string& handle, const std::string& event, const json& data) {
  WriteMessage({{"handle", handle}, {"event", event}, {"data", data}});
}

json ToJson(const google::protobuf::Message& message) {
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text);
  if (!status.ok()) throw std::runtime_error(status.ToString());
  return json::parse(text);
}

json ToJson(const absl::Status& error) {
  if (error.ok()) return nullptr;
  static const std::map<ErrorKind, std::string> kNames = {{ErrorKind::kStatus, "status"},
                                                          {ErrorKind::kBeforeTheWire, "status"},
                                                          {ErrorKind::kRejected, "rejected"},
                                                          {ErrorKind::kProtocol, "protocol"},
                                                          {ErrorKind::kStopped, "stopped"}};
  return {{"kind", kNames.at(DetailsOf(error).kind)},
          {"code", absl::StatusCodeToString(error.code())},
          {"message", std::string(error.message())}};
}

std::string ReadFile(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  return content.str();
}

Connection ConnectionOf(const json& request) {
  const std::string token_file = request.at("token_file");
  return {
      .address = request.at("address"),
      .token =
          [token_file] { return std::string(absl::StripAsciiWhitespace(ReadFile(token_file))); },
      .roots = ReadFile(request.at("roots"))};
}

common::v1::LatLng PlaceOf(const json& request, const char* field) {
  return Place(request.at(field).at(0), request.at(field).at(1));
}

struct EventName {
  std::string operator()(const Connected&) const { return "connected"; }
  std::string operator()(const Disconnected&) const { return "disconnected"; }
  std::string operator()(const dispatch::Offer&) const { return "offer"; }
  std::string operator()(const dispatch::OfferEnded&) const { return "offer_ended"; }
  std::string operator()(const dispatch::Plan&) const { return "plan"; }
  std::string operator()(const dispatch::Rejected&) const { return "rejected"; }
  std::string operator()(const dispatch::WaitingPlace&) const { return "waiting_place"; }
};

struct EventData {
  json operator()(const Connected& event) const { return {{"resumed", event.resumed}}; }
  json operator()(const Disconnected& event) const {
    return {{"code", absl::StatusCodeToString(event.status.code())}};
  }
  json operator()(const google::protobuf::Message& message) const { return ToJson(message); }
};

/// A driver whose events can be left unread for a while.
class AdaptedDriver {
 public:
  AdaptedDriver(std::string handle, std::unique_ptr<Driver> driver)
      : handle_(std::move(handle)), driver_(std::move(driver)), thread_([this] { Follow(); }) {}
  ~AdaptedDriver() {
    SetReading(true);
    driver_->Close();
    thread_.join();
  }

  Driver& driver() { return *driver_; }
  void SetReading(bool on) {
    absl::MutexLock lock(&mu_);
    is_reading_ = on;
  }

 private:
  void Follow() {
    for (;;) {
      {
        absl::MutexLock lock(&mu_);
        mu_.Await(absl::Condition(&is_reading_));
      }
      const std::optional<Event> event = driver_->Next();
      if (!event) return WriteEvent(handle_, "ended", ToJson(driver_->status()));
      WriteEvent(handle_, std::visit(EventName(), *event), std::visit(EventData(), *event));
    }
  }

  const std::string handle_;
  const std::unique_ptr<Driver> driver_;
  absl::Mutex mu_;
  bool is_reading_ ABSL_GUARDED_BY(mu_) = true;
  std::thread thread_;  // The last member: it uses the others.
};

template <typename T>
absl::StatusOr<json> ResultOf(const absl::StatusOr<T>& message) {
  if (!message.ok()) return message.status();
  return ToJson(*message);
}

absl::StatusOr<json> ResultOf(const absl::Status& status) {
  if (!status.ok()) return status;
  return json();
}

absl::StatusOr<json> Command(Driver& driver, const std::string& command,
                             const std::string& target) {
  if (command == "accept") return ResultOf(driver.Accept(target).get());
  if (command == "decline") return ResultOf(driver.Decline(target).get());
  if (command == "arrived") return ResultOf(driver.Arrived(target).get());
  if (command == "picked_up") return ResultOf(driver.PickedUp(target).get());
  if (command == "dropped_off") return ResultOf(driver.DroppedOff(target).get());
  if (command == "give_up") return ResultOf(driver.GiveUp(target).get());
  if (command == "end_shift") return ResultOf(driver.EndShift().get());
  throw std::runtime_error(absl::StrCat("command ", command, " is unknown"));
}

class Adapter {
 public:
  /// Closes all drivers and riders, and waits for the threads.
  ~Adapter() {
    std::map<std::string, std::shared_ptr<AdaptedDriver>> drivers;
    std::map<std::string, std::shared_ptr<Rider>> riders;
    std::map<std::string, std::shared_ptr<TripWatch>> watches;
    {
      absl::MutexLock lock(&mu_);
      drivers.swap(drivers_);
      riders.swap(riders_);
      watches.swap(watches_);
    }
    for (const auto& [handle, driver] : drivers) driver->driver().Close();
    for (const auto& [handle, rider] : riders) rider->Close();
    for (const auto& [handle, watch] : watches) watch->Cancel();
    absl::MutexLock lock(&mu_);
    const auto is_idle = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) { return running_ == 0; };
    mu_.Await(absl::Condition(&is_idle));
  }

  void Start(json request) {
    Spawn([this, request = std::move(request)] { Answer(request); });
  }

 private:
  /// Runs `work` on a new thread.
  template <typename Work>
  void Spawn(Work work) {
    {
      absl::MutexLock lock(&mu_);
      ++running_;
    }
    std::thread([this, work = std::move(work)]() mutable {
      {
        const Work done = std::move(work);
        done();
      }
      absl::MutexLock lock(&mu_);
      --running_;
    }).detach();
  }

  void Answer(const json& request) {
    json answer = {{"id", request.at("id")}};
    try {
      const absl::StatusOr<json> result = Perform(request);
      if (result.ok()) {
        answer["result"] = *result;
      } else {
        answer["error"] = ToJson(result.status());
      }
    } catch (const std::exception& error) {
      answer["error"] = {{"kind", "bug"}, {"message", error.what()}};
    }
    WriteMessage(answer);
  }

  absl::StatusOr<json> Perform(const json& request) {
    const std::string op = request.at("op"), handle = request.at("handle");
    if (op == "driver_open") return OpenDriver(handle, request);
    if (op.starts_with("driver_")) return PerformDriver(op, *Find(drivers_, handle), request);
    if (op == "rider_open") {
      const std::chrono::duration<double> patience(request.at("patience_s"));
      const auto rider = std::make_shared<Rider>(
          ConnectionOf(request), std::chrono::duration_cast<std::chrono::milliseconds>(patience));
      absl::MutexLock lock(&mu_);
      riders_[handle] = rider;
      return json();
    }
    return PerformRider(op, *Find(riders_, handle), request);
  }

  absl::StatusOr<json> OpenDriver(const std::string& handle, const json& request) {
    absl::StatusOr<std::unique_ptr<Driver>> driver = Driver::Start(
        ConnectionOf(request),
        {.market = request.at("market"), .seats = request.at("seats"), .name = request.at("name")});
    if (!driver.ok()) return driver.status();
    const auto adapted = std::make_shared<AdaptedDriver>(handle, *std::move(driver));
    absl::MutexLock lock(&mu_);
    drivers_[handle] = adapted;
    return json();
  }

  absl::StatusOr<json> PerformDriver(const std::string& op, AdaptedDriver& adapted,
                                     const json& request) {
    Driver& driver = adapted.driver();
    if (op == "driver_move") {
      return ResultOf(driver.MoveTo(request.at("place").at(0), request.at("place").at(1)));
    }
    if (op == "driver_command") return Command(driver, request.at("command"), request.at("target"));
    if (op == "driver_read") {
      adapted.SetReading(request.at("on"));
    } else if (op == "driver_close") {
      driver.Close();
    } else {
      throw std::runtime_error(absl::StrCat("op ", op, " is unknown"));
    }
    return json();
  }

  absl::StatusOr<json> PerformRider(const std::string& op, Rider& rider, const json& request) {
    if (op == "rider_close") {
      rider.Close();
      return json();
    }
    if (op == "quote") {
      trip::QuoteTripRequest ride;
      ride.set_market(request.at("market"));
      *ride.mutable_pickup() = PlaceOf(request, "pickup");
      *ride.mutable_dropoff() = PlaceOf(request, "dropoff");
      ride.set_party_size(request.at("party_size"));
      return ResultOf(rider.Quote(ride));
    }
    if (op == "request") {
      trip::RequestTripRequest ride;
      ride.set_request_id(request.at("request_id"));
      ride.set_quote_id(request.at("quote_id"));
      ride.set_rider_name(request.at("name"));
      ride.set_note(request.at("note"));
      return ResultOf(rider.Request(ride));
    }
    const std::string trip_id = request.at("trip_id");
    if (op == "get") return ResultOf(rider.Get(trip_id));
    if (op == "watch") return Watch(rider, trip_id, request.at("watch"));
    if (op == "change") {
      trip::ChangeDestinationRequest change;
      change.set_request_id(request.at("request_id"));
      change.set_trip_id(trip_id);
      *change.mutable_dropoff() = PlaceOf(request, "dropoff");
      return ResultOf(rider.ChangeDestination(change));
    }
    if (op != "cancel") throw std::runtime_error(absl::StrCat("op ", op, " is unknown"));
    trip::CancelTripRequest cancel;
    cancel.set_request_id(request.at("request_id"));
    cancel.set_trip_id(trip_id);
    return ResultOf(rider.Cancel(cancel));
  }

  absl::StatusOr<json> Watch(Rider& rider, const std::string& trip_id, const std::string& handle) {
    absl::StatusOr<std::unique_ptr<TripWatch>> opened = rider.Watch(trip_id);
    if (!opened.ok()) return opened.status();
    const std::shared_ptr<TripWatch> watch = *std::move(opened);
    {
      absl::MutexLock lock(&mu_);
      watches_[handle] = watch;
    }
    Spawn([watch, handle] {
      while (const auto update = watch->Next()) WriteEvent(handle, "trip", ToJson(*update));
      WriteEvent(handle, "ended", ToJson(watch->status()));
    });
    return json();
  }

  template <typename T>
  std::shared_ptr<T> Find(const std::map<std::string, std::shared_ptr<T>>& all,
                          const std::string& handle) {
    absl::MutexLock lock(&mu_);
    return all.at(handle);
  }

  absl::Mutex mu_;
  std::map<std::string, std::shared_ptr<AdaptedDriver>> drivers_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, std::shared_ptr<Rider>> riders_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, std::shared_ptr<TripWatch>> watches_ ABSL_GUARDED_BY(mu_);
  int running_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace
}  // namespace ridestream::client

int main() {
  ridestream::client::Adapter adapter;
  for (std::string line; std::getline(std::cin, line);) {
    adapter.Start(nlohmann::json::parse(line));
  }
}
