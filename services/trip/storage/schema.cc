#include "services/trip/storage/schema.h"

#include <array>

namespace ridestream::trip {
namespace {

// The log is the truth and holds the trips themselves (`event`: a serialized v1.TripEvent); `trips`
// is an index over it that holds the invariants. States are the numbers of v1.TripState: 1
// REQUESTED, 2 ASSIGNED, 3 ARRIVED, 4 ABOARD, 5 COMPLETED, 6 CANCELLED, 7 UNSERVED; below 5 a trip
// is open. Times are microseconds since 1970.
constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE quotes (
  quote_id      TEXT PRIMARY KEY,
  rider_id      TEXT NOT NULL,
  expires_at_us INTEGER NOT NULL,
  trip          BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX quotes_by_expiry ON quotes (expires_at_us);

CREATE TABLE trips (
  first_sequence  INTEGER PRIMARY KEY,
  latest_sequence INTEGER NOT NULL CHECK (latest_sequence >= first_sequence),
  trip_id         TEXT NOT NULL UNIQUE,
  market          TEXT NOT NULL,
  rider_id        TEXT NOT NULL,
  request_id      TEXT NOT NULL,
  quote_id        TEXT NOT NULL,
  state           INTEGER NOT NULL CHECK (state BETWEEN 1 AND 7),
  version         INTEGER NOT NULL,
  party_size      INTEGER NOT NULL CHECK (party_size BETWEEN 1 AND 8),
  driver_id       TEXT,
  seats           INTEGER NOT NULL DEFAULT 0 CHECK (seats BETWEEN 0 AND 8),
  UNIQUE (rider_id, request_id),
  CHECK (CASE WHEN state IN (1, 7) THEN driver_id IS NULL
              WHEN state = 6 THEN 1
              ELSE driver_id IS NOT NULL END),
  CHECK (driver_id IS NULL OR party_size <= seats)
) STRICT;
CREATE UNIQUE INDEX one_open_trip_a_rider ON trips (rider_id) WHERE state < 5;
CREATE INDEX open_trips_of_driver ON trips (driver_id) WHERE state < 5 AND driver_id IS NOT NULL;

CREATE TRIGGER trip_begins_requested BEFORE INSERT ON trips
  WHEN NEW.state <> 1 OR NEW.version <> 1 OR NEW.latest_sequence <> NEW.first_sequence
BEGIN SELECT RAISE(ABORT, 'a trip begins as REQUESTED, version 1'); END;

CREATE TRIGGER trip_changes_step_by_step BEFORE UPDATE ON trips
  WHEN NEW.version <> OLD.version + 1 OR NEW.latest_sequence <= OLD.latest_sequence
    OR NEW.first_sequence <> OLD.first_sequence OR NEW.trip_id <> OLD.trip_id
    OR NEW.rider_id <> OLD.rider_id OR NEW.request_id <> OLD.request_id
BEGIN SELECT RAISE(ABORT, 'a trip grows by one version and keeps its identity'); END;

CREATE TRIGGER trip_transition_is_legal BEFORE UPDATE ON trips
  WHEN NOT CASE OLD.state WHEN 1 THEN NEW.state IN (1, 2, 6, 7)
                          WHEN 2 THEN NEW.state IN (2, 1, 3, 6)
                          WHEN 3 THEN NEW.state IN (3, 1, 4, 6)
                          WHEN 4 THEN NEW.state IN (4, 5)
                          ELSE 0 END
BEGIN SELECT RAISE(ABORT, 'illegal transition of a trip'); END;

CREATE TRIGGER open_trip_keeps_its_driver BEFORE UPDATE ON trips
  WHEN OLD.driver_id IS NOT NULL AND NEW.state <> 1 AND NEW.driver_id IS NOT OLD.driver_id
BEGIN SELECT RAISE(ABORT, 'a trip changes its driver only by waiting again'); END;

CREATE TRIGGER riders_aboard_fit BEFORE UPDATE ON trips
  WHEN NEW.state = 4 AND NEW.party_size + (
    SELECT coalesce(sum(party_size), 0) FROM trips
    WHERE driver_id = NEW.driver_id AND state < 5 AND state = 4
      AND first_sequence <> NEW.first_sequence) > NEW.seats
BEGIN SELECT RAISE(ABORT, 'riders aboard exceed the seats of the driver'); END;

CREATE TRIGGER trips_stay BEFORE DELETE ON trips
BEGIN SELECT RAISE(ABORT, 'trips are not deleted'); END;

CREATE TABLE trip_log (
  sequence INTEGER PRIMARY KEY,
  trip     INTEGER NOT NULL REFERENCES trips (first_sequence),
  market   TEXT NOT NULL,
  event    BLOB NOT NULL
) STRICT;

CREATE TRIGGER log_has_no_holes BEFORE INSERT ON trip_log
  WHEN NEW.sequence <> 1 + (SELECT coalesce(max(sequence), 0) FROM trip_log)
BEGIN SELECT RAISE(ABORT, 'the log has no holes'); END;

CREATE TRIGGER log_is_not_changed BEFORE UPDATE ON trip_log
BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;

CREATE TRIGGER log_is_not_cut BEFORE DELETE ON trip_log
BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;

CREATE TABLE destination_changes (
  trip_id    TEXT NOT NULL REFERENCES trips (trip_id),
  request_id TEXT NOT NULL,
  lat_e7     INTEGER NOT NULL,
  lng_e7     INTEGER NOT NULL,
  PRIMARY KEY (trip_id, request_id)
) STRICT, WITHOUT ROWID;
)sql";

// Riders who share: their promises are in the trip and never change; they and other
// riders aren't in one car; only they may be given from one driver to another, before it arrives.
constexpr std::string_view kVersion2 = R"sql(
ALTER TABLE trips ADD COLUMN latest_pickup_us INTEGER;
ALTER TABLE trips ADD COLUMN latest_dropoff_us INTEGER
  CHECK ((latest_dropoff_us IS NULL) = (latest_pickup_us IS NULL)
         AND coalesce(latest_dropoff_us >= latest_pickup_us, 1));

CREATE TRIGGER promises_are_kept_for_ever BEFORE UPDATE ON trips
  WHEN NEW.latest_pickup_us IS NOT OLD.latest_pickup_us
    OR NEW.latest_dropoff_us IS NOT OLD.latest_dropoff_us
BEGIN SELECT RAISE(ABORT, 'what a rider was promised is not changed'); END;

DROP TRIGGER open_trip_keeps_its_driver;
CREATE TRIGGER open_trip_keeps_its_driver BEFORE UPDATE ON trips
  WHEN OLD.driver_id IS NOT NULL AND NEW.state <> 1 AND NEW.driver_id IS NOT OLD.driver_id
    AND NOT (OLD.state = 2 AND NEW.state = 2 AND OLD.latest_pickup_us IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'a trip changes its driver only by waiting again, or when shared'); END;

CREATE TRIGGER only_sharing_riders_share BEFORE UPDATE ON trips
  WHEN NEW.state = 2 AND NEW.driver_id IS NOT OLD.driver_id AND EXISTS (
    SELECT 1 FROM trips WHERE driver_id = NEW.driver_id AND state < 5
      AND first_sequence <> NEW.first_sequence
      AND (latest_pickup_us IS NULL) <> (NEW.latest_pickup_us IS NULL))
BEGIN SELECT RAISE(ABORT, 'riders of one car either all share or none does'); END;
)sql";

// A quote serves one trip: a trigger and no UNIQUE, since it served several in older versions. A
// trip whose rider is aboard can be cancelled. Ids of commands are each for one use
// (domain/ledger.h has the scopes); those of changes of destination are taken over.
constexpr std::string_view kVersion3 = R"sql(
CREATE INDEX trips_by_quote ON trips (quote_id);
CREATE TRIGGER quote_serves_one_trip BEFORE INSERT ON trips
  WHEN EXISTS (SELECT 1 FROM trips WHERE quote_id = NEW.quote_id)
BEGIN SELECT RAISE(ABORT, 'a quote serves one trip'); END;

DROP TRIGGER trip_transition_is_legal;
CREATE TRIGGER trip_transition_is_legal BEFORE UPDATE ON trips
  WHEN NOT CASE OLD.state WHEN 1 THEN NEW.state IN (1, 2, 6, 7)
                          WHEN 2 THEN NEW.state IN (2, 1, 3, 6)
                          WHEN 3 THEN NEW.state IN (3, 1, 4, 6)
                          WHEN 4 THEN NEW.state IN (4, 5, 6)
                          ELSE 0 END
BEGIN SELECT RAISE(ABORT, 'illegal transition of a trip'); END;

CREATE TABLE used_ids (
  scope   INTEGER NOT NULL CHECK (scope BETWEEN 1 AND 3),
  caller  TEXT NOT NULL,
  id      TEXT NOT NULL,
  trip_id TEXT NOT NULL REFERENCES trips (trip_id),
  content TEXT NOT NULL,
  PRIMARY KEY (scope, caller, id)
) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO used_ids (scope, caller, id, trip_id, content)
  SELECT 2, 'rider/' || t.rider_id, c.request_id, c.trip_id, c.lat_e7 || ',' || c.lng_e7
  FROM destination_changes c JOIN trips t ON t.trip_id = c.trip_id ORDER BY t.first_sequence;
DROP TABLE destination_changes;

CREATE TRIGGER used_ids_stay BEFORE DELETE ON used_ids
BEGIN SELECT RAISE(ABORT, 'an id that was used is not forgotten'); END;
CREATE TRIGGER used_ids_are_not_changed BEFORE UPDATE ON used_ids
BEGIN SELECT RAISE(ABORT, 'an id is for one use'); END;
)sql";

// Which dispatch decides for a market: domain/lease.h. Whatever is done to a row, by hand too, its
// term never falls and grows with each new holder, since commands are judged by it.
constexpr std::string_view kVersion4 = R"sql(
CREATE TABLE leases (
  market     TEXT PRIMARY KEY,
  holder     TEXT NOT NULL,
  address    TEXT NOT NULL,
  term       INTEGER NOT NULL CHECK (term >= 1),
  ends_at_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER lease_terms_grow BEFORE UPDATE ON leases
  WHEN NEW.market IS NOT OLD.market OR NEW.term < OLD.term
    OR (NEW.holder IS NOT OLD.holder AND NEW.term = OLD.term)
BEGIN SELECT RAISE(ABORT, 'a new holder of a lease has a larger term'); END;

CREATE TRIGGER leases_stay BEFORE DELETE ON leases
BEGIN SELECT RAISE(ABORT, 'leases are not deleted, they end'); END;
)sql";

// What must be the same for every process that ever writes here; clock_rate.h has the only setting
// so far. And terms of leases, which somebody may have set by hand, leave room for new holders.
constexpr std::string_view kVersion5 = R"sql(
CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER settings_are_not_changed BEFORE UPDATE ON settings
BEGIN SELECT RAISE(ABORT, 'a setting holds for all that was written'); END;

CREATE TRIGGER settings_stay BEFORE DELETE ON settings
BEGIN SELECT RAISE(ABORT, 'a setting holds for all that was written'); END;

CREATE TRIGGER new_lease_terms_leave_room BEFORE INSERT ON leases WHEN NEW.term >= 1 << 62
BEGIN SELECT RAISE(ABORT, 'a term of a lease is less than 2^62'); END;

CREATE TRIGGER lease_terms_leave_room BEFORE UPDATE ON leases WHEN NEW.term >= 1 << 62
BEGIN SELECT RAISE(ABORT, 'a term of a lease is less than 2^62'); END;
)sql";

constexpr std::array<std::string_view, 5> kMigrations = {kVersion1, kVersion2, kVersion3, kVersion4,
                                                         kVersion5};

}  // namespace

std::span<const std::string_view> Migrations() { return kMigrations; }

}  // namespace ridestream::trip
