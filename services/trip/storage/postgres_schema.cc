#include "services/trip/storage/postgres_schema.h"

#include <array>

namespace ridestream::trip {
namespace {

// As in schema.cc: the log is the truth and holds the trips themselves (`event`: a serialized
// v1.TripEvent); `trips` is an index over it that holds the invariants. States are the numbers of
// v1.TripState; below 5 a trip is open. Times are microseconds since 1970.
//
// The log's order is its commit order. `log_has_no_holes` demands that an entry follow the last one
// that is committed or of its own transaction: of two writers at once the second finds the number
// taken, waits for the first, and fails. So no reader ever sees n + 1 before n, whoever writes. The
// store's advisory lock (postgres_ledger.cc) keeps its writers from failing like that.
constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE quotes (
  quote_id      text PRIMARY KEY,
  rider_id      text NOT NULL,
  expires_at_us bigint NOT NULL,
  trip          bytea NOT NULL
);
CREATE INDEX quotes_by_expiry ON quotes (expires_at_us);

CREATE TABLE trips (
  first_sequence    bigint PRIMARY KEY,
  latest_sequence   bigint NOT NULL CHECK (latest_sequence >= first_sequence),
  trip_id           text NOT NULL UNIQUE,
  market            text NOT NULL,
  rider_id          text NOT NULL,
  request_id        text NOT NULL,
  quote_id          text NOT NULL UNIQUE,
  state             smallint NOT NULL CHECK (state BETWEEN 1 AND 7),
  version           bigint NOT NULL,
  party_size        smallint NOT NULL CHECK (party_size BETWEEN 1 AND 8),
  driver_id         text,
  seats             smallint NOT NULL DEFAULT 0 CHECK (seats BETWEEN 0 AND 8),
  latest_pickup_us  bigint,
  latest_dropoff_us bigint,
  UNIQUE (rider_id, request_id),
  CHECK (CASE WHEN state IN (1, 7) THEN driver_id IS NULL
              WHEN state = 6 THEN true
              ELSE driver_id IS NOT NULL END),
  CHECK (driver_id IS NULL OR party_size <= seats),
  CHECK ((latest_dropoff_us IS NULL) = (latest_pickup_us IS NULL)
         AND coalesce(latest_dropoff_us >= latest_pickup_us, true))
);
CREATE UNIQUE INDEX one_open_trip_a_rider ON trips (rider_id) WHERE state < 5;
CREATE INDEX open_trips_of_driver ON trips (driver_id) WHERE state < 5 AND driver_id IS NOT NULL;
CREATE INDEX open_trips_by_market ON trips (market, first_sequence) WHERE state < 5;
CREATE INDEX trips_of_rider ON trips (rider_id, first_sequence);

CREATE TABLE trip_log (
  sequence bigint PRIMARY KEY,
  trip     bigint NOT NULL,  -- trips.first_sequence; the trigger is stricter than a reference.
  market   text NOT NULL,
  event    bytea NOT NULL
);

CREATE TABLE used_ids (
  scope   smallint NOT NULL CHECK (scope BETWEEN 1 AND 3),
  caller  text NOT NULL,
  id      text NOT NULL,
  trip_id text NOT NULL REFERENCES trips (trip_id),
  content text NOT NULL,
  PRIMARY KEY (scope, caller, id)
);

CREATE FUNCTION ridestream_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation';
END $$;

CREATE FUNCTION ridestream_check_changed_trip() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  broken text;
BEGIN
  IF NEW.version <> OLD.version + 1 OR NEW.latest_sequence <= OLD.latest_sequence
     OR NEW.first_sequence <> OLD.first_sequence OR NEW.trip_id <> OLD.trip_id
     OR NEW.rider_id <> OLD.rider_id OR NEW.request_id <> OLD.request_id
     OR NEW.quote_id <> OLD.quote_id THEN
    broken := 'a trip grows by one version and keeps its identity';
  ELSIF NEW.latest_pickup_us IS DISTINCT FROM OLD.latest_pickup_us
     OR NEW.latest_dropoff_us IS DISTINCT FROM OLD.latest_dropoff_us THEN
    broken := 'what a rider was promised is not changed';
  ELSIF NOT (CASE OLD.state WHEN 1 THEN NEW.state IN (1, 2, 6, 7)
                            WHEN 2 THEN NEW.state IN (2, 1, 3, 6)
                            WHEN 3 THEN NEW.state IN (3, 1, 4, 6)
                            WHEN 4 THEN NEW.state IN (4, 5, 6)
                            ELSE false END) THEN
    broken := 'illegal transition of a trip';
  ELSIF OLD.driver_id IS NOT NULL AND NEW.state <> 1
     AND NEW.driver_id IS DISTINCT FROM OLD.driver_id
     AND NOT (OLD.state = 2 AND NEW.state = 2 AND OLD.latest_pickup_us IS NOT NULL) THEN
    broken := 'a trip changes its driver only by waiting again, or when shared';
  ELSIF NEW.state = 4 AND NEW.party_size + (
      SELECT coalesce(sum(party_size), 0) FROM trips
      WHERE driver_id = NEW.driver_id AND state < 5 AND state = 4
        AND first_sequence <> NEW.first_sequence) > NEW.seats THEN
    broken := 'riders aboard exceed the seats of the driver';
  ELSIF NEW.state = 2 AND NEW.driver_id IS DISTINCT FROM OLD.driver_id AND EXISTS (
      SELECT 1 FROM trips WHERE driver_id = NEW.driver_id AND state < 5
        AND first_sequence <> NEW.first_sequence
        AND (latest_pickup_us IS NULL) <> (NEW.latest_pickup_us IS NULL)) THEN
    broken := 'riders of one car either all share or none does';
  END IF;
  IF broken IS NOT NULL THEN
    RAISE EXCEPTION '%', broken USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION ridestream_check_new_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.sequence <> 1 + (SELECT coalesce(max(sequence), 0) FROM trip_log) THEN
    RAISE EXCEPTION 'the log has no holes' USING ERRCODE = 'check_violation';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM trips
                 WHERE first_sequence = NEW.trip AND latest_sequence = NEW.sequence) THEN
    RAISE EXCEPTION 'an entry of the log is a change of its trip' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER trip_begins_requested BEFORE INSERT ON trips FOR EACH ROW
  WHEN (NEW.state <> 1 OR NEW.version <> 1 OR NEW.latest_sequence <> NEW.first_sequence)
  EXECUTE FUNCTION ridestream_refuse('a trip begins as REQUESTED, version 1');
CREATE TRIGGER trip_changes_step_by_step BEFORE UPDATE ON trips FOR EACH ROW
  EXECUTE FUNCTION ridestream_check_changed_trip();
CREATE TRIGGER trips_stay BEFORE DELETE OR TRUNCATE ON trips FOR EACH STATEMENT
  EXECUTE FUNCTION ridestream_refuse('trips are not deleted');
CREATE TRIGGER log_has_no_holes BEFORE INSERT ON trip_log FOR EACH ROW
  EXECUTE FUNCTION ridestream_check_new_entry();
CREATE TRIGGER log_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON trip_log FOR EACH STATEMENT
  EXECUTE FUNCTION ridestream_refuse('the log only grows');
CREATE TRIGGER used_ids_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON used_ids FOR EACH STATEMENT
  EXECUTE FUNCTION ridestream_refuse('an id that was used is not forgotten');
)sql";

// What PostgresReportExchange keeps: the newest report of each market. Unlogged: after a crash or a
// failover it is empty, until dispatch reports again.
constexpr std::string_view kVersion2 = R"sql(
CREATE UNLOGGED TABLE surge (
  market         text PRIMARY KEY,
  reported_at_us bigint NOT NULL,
  report         bytea NOT NULL  -- A serialized v1.ReportSurgeRequest.
);
)sql";

// As version 4 in schema.cc.
constexpr std::string_view kVersion3 = R"sql(
CREATE TABLE leases (
  market     text PRIMARY KEY,
  holder     text NOT NULL,
  address    text NOT NULL,
  term       bigint NOT NULL CHECK (term >= 1),
  ends_at_us bigint NOT NULL
);
CREATE TRIGGER lease_terms_grow BEFORE UPDATE ON leases FOR EACH ROW
  WHEN (NEW.market <> OLD.market OR NEW.term < OLD.term
        OR (NEW.holder <> OLD.holder AND NEW.term = OLD.term))
  EXECUTE FUNCTION ridestream_refuse('a new holder of a lease has a larger term');
CREATE TRIGGER leases_stay BEFORE DELETE OR TRUNCATE ON leases FOR EACH STATEMENT
  EXECUTE FUNCTION ridestream_refuse('leases are not deleted, they end');
)sql";

// As version 5 in schema.cc.
constexpr std::string_view kVersion4 = R"sql(
CREATE TABLE settings (
  name  text PRIMARY KEY,
  value text NOT NULL
);
CREATE TRIGGER settings_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON settings FOR EACH STATEMENT
  EXECUTE FUNCTION ridestream_refuse('a setting holds for all that was written');

ALTER TABLE leases ADD CONSTRAINT term_leaves_room CHECK (term < 1::bigint << 62);
)sql";

constexpr std::array<std::string_view, 4> kMigrations = {kVersion1, kVersion2, kVersion3,
                                                         kVersion4};

}  // namespace

std::span<const std::string_view> PostgresMigrations() { return kMigrations; }

}  // namespace ridestream::trip
