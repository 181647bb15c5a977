package org.ridestream.client.conformance;

import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import org.jspecify.annotations.Nullable;
import org.ridestream.client.Connected;
import org.ridestream.client.Disconnected;
import org.ridestream.client.Driver;
import org.ridestream.client.DriverListener;
import org.ridestream.dispatch.v1.Offer;
import org.ridestream.dispatch.v1.OfferEnded;
import org.ridestream.dispatch.v1.Plan;
import org.ridestream.dispatch.v1.Rejected;

/**
 * Writes a driver's events to the adapter's output. While reading is off, a callback blocks, so the
 * library delivers no further event.
 */
final class Events implements DriverListener {
  private final Adapter adapter;
  private final String handle;
  private boolean isReading = true; // Guarded by this.

  Events(Adapter adapter, String handle) {
    this.adapter = adapter;
    this.handle = handle;
  }

  synchronized void setReading(boolean on) {
    isReading = on;
    notifyAll();
  }

  private synchronized void writeEvent(String event, JsonElement data) {
    adapter.writeEvent(handle, event, data);
    try {
      while (!isReading) wait();
    } catch (InterruptedException interrupted) {
      throw new IllegalStateException(interrupted);
    }
  }

  @Override
  public void onConnected(Driver driver, Connected connected) {
    JsonObject data = new JsonObject();
    data.addProperty("resumed", connected.resumed());
    writeEvent("connected", data);
  }

  @Override
  public void onDisconnected(Driver driver, Disconnected disconnected) {
    JsonObject data = new JsonObject();
    data.addProperty("code", disconnected.error().code().name());
    writeEvent("disconnected", data);
  }

  @Override
  public void onOffer(Driver driver, Offer offer) {
    writeEvent("offer", Adapter.toJson(offer));
  }

  @Override
  public void onOfferEnded(Driver driver, OfferEnded ended) {
    writeEvent("offer_ended", Adapter.toJson(ended));
  }

  @Override
  public void onPlan(Driver driver, Plan plan) {
    writeEvent("plan", Adapter.toJson(plan));
  }

  @Override
  public void onRejected(Driver driver, Rejected rejected) {
    writeEvent("rejected", Adapter.toJson(rejected));
  }

  @Override
  public void onEnded(Driver driver, @Nullable Throwable error) {
    writeEvent("ended", error == null ? JsonNull.INSTANCE : Adapter.toJson(error));
  }
}
