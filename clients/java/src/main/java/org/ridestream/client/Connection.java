package org.ridestream.client;

import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientInterceptors;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.TlsChannelCredentials;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The address of the service, and the caller's credentials. Immutable; many drivers and riders may
 * share one.
 */
public final class Connection {
  private static final Metadata.Key<String> MARKET = key("ridestream-market");

  /**
   * The caller's credentials in the metadata. Equal if they would send the same metadata.
   *
   * @param key null if there are no credentials
   */
  record Proof(Metadata.@Nullable Key<String> key, String value) {
    Channel in(Channel channel, @Nullable String market) {
      Metadata headers = new Metadata();
      if (key != null) headers.put(key, value);
      // A proxy routes the call by this.
      if (market != null) headers.put(MARKET, market);
      return ClientInterceptors.intercept(
          channel, MetadataUtils.newAttachHeadersInterceptor(headers));
    }
  }

  private static final Metadata.Key<String> AUTHORIZATION = key("authorization");
  private static final Metadata.Key<String> CALLER = key("ridestream-caller");

  private final String address;
  private final ChannelCredentials credentials;
  private final @Nullable String authority;
  private final @Nullable TokenSource token;
  private final @Nullable String insecureCaller;

  private Connection(Builder builder) {
    address = builder.address;
    credentials = builder.credentials;
    authority = builder.authority;
    token = builder.token;
    insecureCaller = builder.insecureCaller;
  }

  /** Begins a connection over TLS to HOST:PORT, with the root certificates that Java trusts. */
  public static Builder to(String address) {
    return new Builder(address);
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  /** Host and port. */
  String address() {
    return address;
  }

  ManagedChannel open() {
    return open(address);
  }

  /** Opens a channel to an address, which may differ from the connection's. */
  ManagedChannel open(String address) {
    ManagedChannelBuilder<?> builder = Grpc.newChannelBuilder(address, credentials);
    if (authority != null) builder.overrideAuthority(authority);
    return builder
        .disableRetry() // The pauses of this library decide.
        // Detects a half-open connection within 30 s, even if nothing is sent.
        .keepAliveTime(20, TimeUnit.SECONDS)
        .keepAliveTimeout(10, TimeUnit.SECONDS)
        .build();
  }

  /** Fetches a token. */
  Proof prove() {
    if (insecureCaller != null) return new Proof(CALLER, insecureCaller);
    if (token == null) return new Proof(null, "");
    try {
      return new Proof(AUTHORIZATION, "Bearer " + token.token());
    } catch (Exception failure) {
      if (failure instanceof InterruptedException) Thread.currentThread().interrupt();
      throw new RidestreamException("the token source failed: " + failure, failure);
    }
  }

  /** Builds a {@link Connection}. */
  public static final class Builder {
    private final String address;
    private ChannelCredentials credentials = TlsChannelCredentials.create();
    private @Nullable String authority;
    private @Nullable TokenSource token;
    private @Nullable String insecureCaller;

    private Builder(String address) {
      this.address = address;
    }

    /** Sets the source of the caller's tokens. */
    public Builder token(TokenSource token) {
      this.token = token;
      return this;
    }

    /** Sets a PEM file of root certificates for verifying the service. */
    public Builder roots(Path pem) throws IOException {
      credentials = TlsChannelCredentials.newBuilder().trustManager(pem.toFile()).build();
      return this;
    }

    /** Sets the channel credentials, for cases that {@link #roots} doesn't cover. */
    public Builder credentials(ChannelCredentials credentials) {
      this.credentials = credentials;
      return this;
    }

    /** Sets the host name expected in the service's certificate; by default the address's. */
    public Builder authority(String host) {
      authority = host;
      return this;
    }

    /**
     * Uses plaintext and sends {@code driver/ID} or {@code rider/ID} instead of a token, for
     * services that run with --insecure.
     */
    public Builder insecureCaller(String caller) {
      insecureCaller = caller;
      credentials = InsecureChannelCredentials.create();
      return this;
    }

    public Connection build() {
      return new Connection(this);
    }
  }
}
