// A driver who accepts everything, and is at each stop at once: accept_everything LAT LNG.
#include "app.h"
#include "ridestream/client/driver.h"

namespace dispatch = ridestream::dispatch::v1;
using ridestream::client::Driver;

// Goes to the plan's first stop; the plan that follows has the next one.
absl::Status Serve(Driver& driver, const dispatch::Plan& plan) {
  if (plan.stops().empty()) return absl::OkStatus();
  const dispatch::Stop& stop = plan.stops(0);
  app::Check(driver.MoveTo(stop.place().lat_e7() / 1e7, stop.place().lng_e7() / 1e7));
  if (stop.kind() == dispatch::STOP_KIND_DROP_OFF)
    return driver.DroppedOff(stop.trip_id()).get().status();
  const absl::Status status = driver.Arrived(stop.trip_id()).get().status();
  return status.ok() ? driver.PickedUp(stop.trip_id()).get().status() : status;
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto driver =
      app::Check(Driver::Start(app::Connection(), {.market = "city", .name = "Grace"}));
  app::Check(driver->MoveTo(std::stod(argv[1]), std::stod(argv[2])));
  while (const auto event = driver->Next()) {
    absl::Status status;
    if (const auto* offer = std::get_if<dispatch::Offer>(&*event)) {
      status = driver->Accept(offer->offer_id()).get().status();
    } else if (const auto* plan = std::get_if<dispatch::Plan>(&*event)) {
      status = Serve(*driver, *plan);
    }
    if (!status.ok()) std::cerr << status << '\n';  // The rider may have cancelled.
  }
  app::Check(driver->status());
}
