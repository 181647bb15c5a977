// REST's transcoder: a line "METHOD /path?query", then the body. An accepted input gives a message
// of the route, whose JSON must be accepted again.

#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>

#include "ridestream/dispatch/v1/dispatch.pb.h"
#include "ridestream/location/v1/location.pb.h"
#include "ridestream/market/v1/market.pb.h"
#include "ridestream/trip/v1/trip.pb.h"
#include "services/gateway/rest/routes.h"
#include "services/gateway/rest/transcoder.h"

namespace ridestream::gateway {
namespace {

Services AllServices() {
  Services services;
  for (const auto* file :
       {trip::v1::Trip::descriptor()->file(), market::v1::Market::descriptor()->file(),
        location::v1::NearbyDriver::descriptor()->file(),
        dispatch::v1::DriveRequest::descriptor()->file()}) {
    services.Add(*file, {});  // Nobody is called.
  }
  return services;
}

Request ReadRequest(std::string_view text) {
  Request request;
  std::string_view line = text.substr(0, text.find('\n'));
  if (line.size() < text.size()) request.body = text.substr(line.size() + 1);
  const std::size_t space = line.find(' ');
  request.method = line.substr(0, space);
  if (space == std::string_view::npos) return request;
  line.remove_prefix(space + 1);
  const std::size_t question = line.find('?');
  request.path = line.substr(0, question);
  if (question != std::string_view::npos) request.query = line.substr(question + 1);
  return request;
}

}  // namespace
}  // namespace ridestream::gateway

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ridestream::gateway;
  static const Services services = AllServices();
  static const auto routes = Routes::Read(services);
  if (!routes.ok()) std::abort();
  const Request request = ReadRequest({reinterpret_cast<const char*>(data), size});
  const auto found = routes->Find(request.method, request.path);
  const auto* route = std::get_if<Routes::Found>(&found);
  if (route == nullptr) return 0;
  const auto message = RequestToMessage(*route->route, route->variables, request);
  if (!message.ok()) return 0;
  const auto* type = route->route->method->descriptor->input_type();
  if (!MessageToJson(*type, *message).ok()) std::abort();
  return 0;
}
