#include "services/dispatch/domain/session/drive_request_checks.h"

#include <gtest/gtest.h>

#include <string>

#include "libs/testing/status_matchers.h"

namespace ridestream::dispatch {
namespace {

using testing::IsOk;
using testing::StatusIs;

constexpr std::size_t kMaxErrorBytes = 200;

v1::Hello ValidHello() {
  v1::Hello hello;
  hello.set_market("city");
  hello.set_seats(4);
  return hello;
}

void ExpectRefused(const absl::Status& status, const std::string& field) {
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, field));
  EXPECT_LT(status.message().size(), kMaxErrorBytes) << field;
}

TEST(ValidateHelloTest, NamesTheFieldThatIsWrong) {
  struct Case {
    const char* field;
    void (*spoil)(v1::Hello&);
  };
  const Case cases[] = {
      {"hello.market", [](v1::Hello& h) { h.clear_market(); }},
      {"hello.market", [](v1::Hello& h) { h.set_market(std::string(65, 'x')); }},
      {"hello.market", [](v1::Hello& h) { h.set_market("ci\x1bty"); }},
      {"hello.seats", [](v1::Hello& h) { h.set_seats(0); }},
      {"hello.seats", [](v1::Hello& h) { h.set_seats(9); }},
      {"hello.name", [](v1::Hello& h) { h.set_name(std::string(65, 'x')); }},
      {"hello.name", [](v1::Hello& h) { h.set_name("two\nlines"); }},
      {"hello.name", [](v1::Hello& h) { h.set_name(std::string("a\0b", 3)); }},
      {"hello.name", [](v1::Hello& h) { h.set_name("a\u202eb"); }},
      {"hello.vehicle.model",
       [](v1::Hello& h) { h.mutable_vehicle()->set_model(std::string(65, 'x')); }},
      {"hello.vehicle.plate",
       [](v1::Hello& h) { h.mutable_vehicle()->set_plate(std::string(17, 'x')); }},
      {"hello.vehicle.plate", [](v1::Hello& h) { h.mutable_vehicle()->set_plate("A\tB"); }},
      {"hello.resume.session_id",
       [](v1::Hello& h) { h.mutable_resume()->set_session_id(std::string(1 << 20, 'x')); }},
      {"hello.resume.epoch", [](v1::Hello& h) { h.mutable_resume()->set_epoch(~0ull); }},
      {"hello.resume.plan_version",
       [](v1::Hello& h) { h.mutable_resume()->set_plan_version(~0ull); }},
  };
  EXPECT_THAT(ValidateHello(ValidHello()), IsOk());
  for (const Case& c : cases) {
    v1::Hello hello = ValidHello();
    c.spoil(hello);
    ExpectRefused(ValidateHello(hello), c.field);
  }
}

TEST(ValidateHelloTest, CountsCharactersOfNamesAndNotTheirBytes) {
  v1::Hello hello = ValidHello();
  std::string name;
  for (int i = 0; i < 64; ++i) name += "ส";
  hello.set_name(name);
  EXPECT_THAT(ValidateHello(hello), IsOk());
  hello.set_name(name + "ส");
  ExpectRefused(ValidateHello(hello), "hello.name");
}

TEST(ValidateCommandTest, NamesTheFieldThatIsWrong) {
  struct Case {
    const char* field;
    void (*fill)(v1::DriveRequest&);
  };
  const Case cases[] = {
      {"offer_answer.offer_id", [](v1::DriveRequest& r) { r.mutable_offer_answer(); }},
      {"offer_answer.offer_id",
       [](v1::DriveRequest& r) {
         r.mutable_offer_answer()->set_offer_id(std::string(1 << 20, 'x'));
       }},
      {"offer_answer.offer_id",
       [](v1::DriveRequest& r) { r.mutable_offer_answer()->set_offer_id("o-1\ntrip=t-2"); }},
      {"stop_update.trip_id",
       [](v1::DriveRequest& r) { r.mutable_stop_update()->set_trip_id(std::string(65, 'x')); }},
      {"stop_update.trip_id", [](v1::DriveRequest& r) { r.mutable_stop_update(); }},
      {"give_up.trip_id", [](v1::DriveRequest& r) { r.mutable_give_up()->set_trip_id("a b"); }},
      {"give_up.reason",
       [](v1::DriveRequest& r) {
         r.mutable_give_up()->set_trip_id("t-1");
         r.mutable_give_up()->set_reason(std::string(257, 'x'));
       }},
      {"give_up.reason",
       [](v1::DriveRequest& r) {
         r.mutable_give_up()->set_trip_id("t-1");
         r.mutable_give_up()->set_reason("\x1b[2J");
       }},
  };
  for (const Case& c : cases) {
    v1::DriveRequest request;
    c.fill(request);
    ExpectRefused(ValidateCommand(request), c.field);
  }
}

TEST(ValidateCommandTest, AcceptsCommandsAtTheirBounds) {
  v1::DriveRequest request;
  request.mutable_offer_answer()->set_offer_id(std::string(64, 'o'));
  EXPECT_THAT(ValidateCommand(request), IsOk());
  request.mutable_give_up()->set_trip_id(std::string(64, 't'));
  request.mutable_give_up()->set_reason(std::string(256, 'x'));
  EXPECT_THAT(ValidateCommand(request), IsOk());
  request.mutable_heartbeat();
  EXPECT_THAT(ValidateCommand(request), IsOk());
}

}  // namespace
}  // namespace ridestream::dispatch
