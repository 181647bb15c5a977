package org.ridestream.client;

import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.ridestream.dispatch.v1.DispatchServiceGrpc;

/** Converts gRPC's errors to exceptions of this library. */
final class Statuses {
  /** Faults of the service or of a proxy. */
  static final Set<Status.Code> FAULTS = Set.of(
      Status.Code.INTERNAL, Status.Code.UNKNOWN, Status.Code.DATA_LOSS, Status.Code.UNIMPLEMENTED);

  /** Consecutive faults after which a stream isn't retried. */
  static final int MAX_FAULTS = 5;

  private static final Metadata.Key<String> RETRY_AFTER =
      Metadata.Key.of("retry-after-ms", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<String> MARKET =
      Metadata.Key.of("ridestream-market", Metadata.ASCII_STRING_MARSHALLER);
  private static final Metadata.Key<String> ADDRESS =
      Metadata.Key.of("ridestream-address", Metadata.ASCII_STRING_MARSHALLER);

  private Statuses() {}

  /** Converts the error of a call to the method. */
  static RidestreamException exceptionOf(Throwable failure, MethodDescriptor<?, ?> method) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof InvalidProtocolBufferException) {
        String name = method.getFullMethodName();
        return new ProtocolException("a message came that is no answer of " + name);
      }
    }
    Status status = Status.fromThrowable(failure);
    // Netty's report of a connection that closed before the call was sent; a service's has no
    // cause.
    boolean isBroken =
        status.getCode() == Status.Code.UNKNOWN && status.getCause() instanceof IOException;
    Status.Code code = isBroken ? Status.Code.UNAVAILABLE : status.getCode();
    String description = status.getDescription() == null ? "" : status.getDescription();
    boolean isDrive = method == DispatchServiceGrpc.getDriveMethod();
    if (isDrive && status.getCode() == Status.Code.ABORTED) return new FencedException(description);
    Metadata trailers = Status.trailersFromThrowable(failure);
    if (trailers == null) trailers = new Metadata();
    return new CallFailedException(
        code, description, retryAfterOf(trailers), trailers.get(MARKET), trailers.get(ADDRESS));
  }

  private static @Nullable Duration retryAfterOf(Metadata trailers) {
    String text = trailers.get(RETRY_AFTER);
    if (text == null || !text.matches("[0-9]{1,9}")) return null;
    return Duration.ofMillis(Long.parseLong(text));
  }

  /** Returns the code with this number; FAILED_PRECONDITION for OK and unknown numbers. */
  static Status.Code codeOf(int number) {
    Status.Code[] codes = Status.Code.values();
    return number > 0 && number < codes.length ? codes[number] : Status.Code.FAILED_PRECONDITION;
  }
}
