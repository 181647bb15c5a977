// Command go_home is a rider who goes home: LAT LNG LAT LNG, from where they are to where they live.
package main

import (
	"context"
	"fmt"

	"ridestream.org/clients/go"
	"ridestream.org/clients/go/examples/internal/app"
	tripv1 "ridestream.org/clients/go/gen/ridestream/trip/v1"
)

func main() {
	ctx := context.Background()
	rider := ridestream.NewRider(app.Connection())
	defer rider.Close()
	quote, err := rider.Quote(ctx, &tripv1.QuoteTripRequest{
		Market: "city", PartySize: 1,
		Pickup:  ridestream.Place(app.Degrees(1), app.Degrees(2)),
		Dropoff: ridestream.Place(app.Degrees(3), app.Degrees(4)),
	})
	app.Check(err)
	fmt.Printf("%.2f %s\n", float64(quote.Fare.Total.AmountMinor)/100, quote.Fare.Total.CurrencyCode)
	trip, err := rider.Request(ctx, &tripv1.RequestTripRequest{QuoteId: quote.QuoteId, RiderName: "Ada", Note: "blue coat"})
	app.Check(err)
	for update, err := range rider.Watch(ctx, trip.TripId) {
		app.Check(err)
		fmt.Println(update.Trip.State, update.Trip.Driver.GetName())
	}
}
