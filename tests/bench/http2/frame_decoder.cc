#include "tests/bench/http2/frame_decoder.h"

#include <fmt/format.h>
#include <nghttp2/nghttp2.h>

#include <array>

namespace ridestream::bench {
namespace {

constexpr std::size_t kFrameHeaderBytes = 9;
constexpr std::size_t kSettingBytes = 6;
constexpr std::string_view kPreface = NGHTTP2_CLIENT_MAGIC;

std::uint32_t Number(std::string_view bytes) {
  std::uint32_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

/// The 31 bits of a stream or a window, without the reserved one.
std::uint32_t Number31(std::string_view bytes) { return Number(bytes) & 0x7fff'ffff; }

std::string TypeName(std::uint8_t type) {
  constexpr std::array kNames = {"DATA",          "HEADERS",      "PRIORITY", "RST_STREAM",
                                 "SETTINGS",      "PUSH_PROMISE", "PING",     "GOAWAY",
                                 "WINDOW_UPDATE", "CONTINUATION"};
  return type < kNames.size() ? kNames[type] : fmt::format("type {}", type);
}

std::string SettingName(std::uint32_t id) {
  constexpr std::array kNames = {"",
                                 "HEADER_TABLE_SIZE",
                                 "ENABLE_PUSH",
                                 "MAX_CONCURRENT_STREAMS",
                                 "INITIAL_WINDOW_SIZE",
                                 "MAX_FRAME_SIZE",
                                 "MAX_HEADER_LIST_SIZE"};
  return id > 0 && id < kNames.size() ? kNames[id] : fmt::format("{:#x}", id);
}

std::string Settings(std::string_view payload) {
  std::string text;
  for (; payload.size() >= kSettingBytes; payload.remove_prefix(kSettingBytes)) {
    text += fmt::format("{} {}={}", text.empty() ? ";" : ",",
                        SettingName(Number(payload.substr(0, 2))), Number(payload.substr(2, 4)));
  }
  return text;
}

std::string GoAway(std::string_view payload) {
  if (payload.size() < 8) return "";
  return fmt::format("; last stream {}, {}{}", Number31(payload.substr(0, 4)),
                     nghttp2_http2_strerror(Number(payload.substr(4, 4))),
                     payload.size() > 8 ? fmt::format(", \"{}\"", payload.substr(8)) : "");
}

std::string Flags(const Frame& frame) {
  std::string text;
  const auto add = [&](int flag, const char* name) {
    if ((frame.flags & flag) != 0) text += fmt::format(", {}", name);
  };
  switch (frame.type) {
    case NGHTTP2_SETTINGS:
    case NGHTTP2_PING:
      add(NGHTTP2_FLAG_ACK, "ACK");
      break;
    case NGHTTP2_DATA:
      add(NGHTTP2_FLAG_END_STREAM, "END_STREAM");
      break;
    case NGHTTP2_HEADERS:
      add(NGHTTP2_FLAG_END_STREAM, "END_STREAM");
      [[fallthrough]];
    case NGHTTP2_CONTINUATION:
      add(NGHTTP2_FLAG_END_HEADERS, "END_HEADERS");
      break;
    default:
      break;
  }
  return text;
}

std::string Content(const Frame& frame) {
  const std::string_view payload = frame.payload;
  switch (frame.type) {
    case NGHTTP2_SETTINGS:
      return Settings(payload);
    case NGHTTP2_GOAWAY:
      return GoAway(payload);
    case NGHTTP2_WINDOW_UPDATE:
      return fmt::format("; +{}", Number31(payload));
    case NGHTTP2_RST_STREAM:
      return fmt::format("; {}", nghttp2_http2_strerror(Number(payload)));
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION:
      for (const auto& [name, value] : frame.headers) {
        if (name == ":path" || name == "grpc-status") return fmt::format("; {} {}", name, value);
      }
      return "";
    default:
      return "";
  }
}

}  // namespace

std::size_t PlainBytes(const Frame& frame) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : frame.headers) bytes += name.size() + value.size();
  return bytes;
}

std::string Describe(const Frame& frame) {
  const std::string where =
      frame.stream == 0 ? "connection" : fmt::format("stream {}", frame.stream);
  return fmt::format("{} {} {}, {} bytes{}{}", frame.from_client ? "->" : "<-",
                     TypeName(frame.type), where, frame.payload.size(), Flags(frame),
                     Content(frame));
}

void ServerWindows::Add(const Frame& frame) {
  if (frame.from_client && frame.type == NGHTTP2_SETTINGS) {
    std::string_view payload = frame.payload;
    for (; payload.size() >= kSettingBytes; payload.remove_prefix(kSettingBytes)) {
      if (Number(payload.substr(0, 2)) == NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE) {
        initial_ = Number(payload.substr(2, 4));
      }
    }
  } else if (frame.from_client && frame.type == NGHTTP2_WINDOW_UPDATE) {
    (frame.stream == 0 ? connection_ : added_[frame.stream]) += Number31(frame.payload);
  } else if (!frame.from_client && frame.type == NGHTTP2_DATA) {
    const auto size = static_cast<std::int64_t>(frame.payload.size());
    connection_ -= size;
    added_[frame.stream] -= size;
  }
}

std::int64_t ServerWindows::OfStream(std::uint32_t stream) const {
  const auto found = added_.find(stream);
  return initial_ + (found == added_.end() ? 0 : found->second);
}

FrameDecoder::FrameDecoder(bool from_client, std::function<void(Frame)> on_frame)
    : from_client_(from_client), on_frame_(std::move(on_frame)), preface_due_(from_client) {}

FrameDecoder::~FrameDecoder() {
  if (inflater_ != nullptr) nghttp2_hd_inflate_del(inflater_);
}

absl::Status FrameDecoder::Feed(std::string_view bytes) {
  if (inflater_ == nullptr && nghttp2_hd_inflate_new(&inflater_) != 0) {
    return absl::ResourceExhaustedError("libnghttp2 can't make an inflater");
  }
  bytes_ += bytes;
  std::string_view rest = bytes_;
  if (preface_due_) {
    if (rest.size() < kPreface.size()) return absl::OkStatus();
    if (!rest.starts_with(kPreface)) {
      return absl::InvalidArgumentError("the connection doesn't begin with the preface of HTTP/2");
    }
    rest.remove_prefix(kPreface.size());
    preface_due_ = false;
  }
  while (rest.size() >= kFrameHeaderBytes) {
    const std::size_t length = Number(rest.substr(0, 3));
    if (rest.size() < kFrameHeaderBytes + length) break;
    Frame frame{.from_client = from_client_,
                .type = static_cast<std::uint8_t>(rest[3]),
                .flags = static_cast<std::uint8_t>(rest[4]),
                .stream = Number31(rest.substr(5, 4)),
                .payload = std::string(rest.substr(kFrameHeaderBytes, length))};
    rest.remove_prefix(kFrameHeaderBytes + length);
    if (absl::Status status = Take(std::move(frame)); !status.ok()) return status;
  }
  bytes_.erase(0, bytes_.size() - rest.size());
  return absl::OkStatus();
}

absl::Status FrameDecoder::Take(Frame frame) {
  if (frame.type == NGHTTP2_HEADERS) {
    std::string_view block = frame.payload;
    std::size_t padding = 0;
    if ((frame.flags & NGHTTP2_FLAG_PADDED) != 0 && !block.empty()) {
      padding = static_cast<unsigned char>(block[0]);
      block.remove_prefix(1);
    }
    const std::size_t priority = (frame.flags & NGHTTP2_FLAG_PRIORITY) != 0 ? 5 : 0;
    if (block.size() < priority + padding) {
      return absl::InvalidArgumentError("a HEADERS frame is shorter than its padding");
    }
    block_ = block.substr(priority, block.size() - priority - padding);
  } else if (frame.type == NGHTTP2_CONTINUATION) {
    block_ += frame.payload;
  } else {
    on_frame_(std::move(frame));
    return absl::OkStatus();
  }
  if ((frame.flags & NGHTTP2_FLAG_END_HEADERS) != 0) {
    if (absl::Status status = Inflate(frame); !status.ok()) return status;
  }
  on_frame_(std::move(frame));
  return absl::OkStatus();
}

absl::Status FrameDecoder::Inflate(Frame& frame) {
  const auto* next = reinterpret_cast<const std::uint8_t*>(block_.data());
  std::size_t left = block_.size();
  for (int flags = 0; (flags & NGHTTP2_HD_INFLATE_FINAL) == 0;) {
    nghttp2_nv field{};
    const auto taken =
        nghttp2_hd_inflate_hd2(inflater_, &field, &flags, next, left, /*in_final=*/1);
    if (taken < 0) {
      return absl::InvalidArgumentError(fmt::format("a header block of stream {}: {}", frame.stream,
                                                    nghttp2_strerror(static_cast<int>(taken))));
    }
    next += taken;
    left -= static_cast<std::size_t>(taken);
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      frame.headers.emplace_back(std::string(field.name, field.name + field.namelen),
                                 std::string(field.value, field.value + field.valuelen));
    }
  }
  nghttp2_hd_inflate_end_headers(inflater_);
  block_.clear();
  return absl::OkStatus();
}

}  // namespace ridestream::bench
