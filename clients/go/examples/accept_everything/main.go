// Command accept_everything is a driver who accepts everything, and is at each stop at once.
package main

import (
	"context"
	"log"

	"ridestream.org/clients/go"
	"ridestream.org/clients/go/examples/internal/app"
	dispatchv1 "ridestream.org/clients/go/gen/ridestream/dispatch/v1"
)

func main() {
	ctx := context.Background()
	driver, err := ridestream.Drive(ctx, app.Connection(), ridestream.Shift{Market: "city", Seats: 4, Name: "Grace"})
	app.Check(err)
	app.Check(driver.MoveTo(app.Degrees(1), app.Degrees(2), 0, 0))
	for event := range driver.Events() {
		switch e := event.(type) {
		case *dispatchv1.Offer:
			_, err = driver.Accept(ctx, e.OfferId)
		case *dispatchv1.Plan:
			err = drive(ctx, driver, e.Stops)
		}
		if err != nil {
			log.Print(err) // The rider may have cancelled.
		}
	}
	app.Check(driver.Err())
}

func drive(ctx context.Context, driver *ridestream.Driver, stops []*dispatchv1.Stop) error {
	if len(stops) == 0 {
		return nil
	}
	stop := stops[0]
	app.Check(driver.MoveTo(float64(stop.Place.LatE7)/1e7, float64(stop.Place.LngE7)/1e7, 0, 0))
	if stop.Kind == dispatchv1.StopKind_STOP_KIND_DROP_OFF {
		_, err := driver.DroppedOff(ctx, stop.TripId)
		return err
	}
	if _, err := driver.Arrived(ctx, stop.TripId); err != nil {
		return err
	}
	_, err := driver.PickedUp(ctx, stop.TripId)
	return err
}
