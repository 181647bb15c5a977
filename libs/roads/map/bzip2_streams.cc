#include "libs/roads/map/bzip2_streams.h"

#include <bzlib.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <osmium/io/compression.hpp>
#include <osmium/io/error.hpp>
#include <osmium/io/file_compression.hpp>
#include <osmium/io/writer_options.hpp>
#include <string>
#include <system_error>

namespace ridestream::roads {
namespace {

[[noreturn]] void Fail(const char* what, int code) {
  throw osmium::io_error(fmt::format("bzip2: {} (error {})", what, code));
}

/// Reads a file of any number of streams, one behind the other. Owns the file.
class Bzip2Reader final : public osmium::io::Decompressor {
 public:
  explicit Bzip2Reader(int fd) : fd_(fd) {}
  ~Bzip2Reader() override {
    EndStream();
    ::close(fd_);
  }
  Bzip2Reader(const Bzip2Reader&) = delete;
  Bzip2Reader& operator=(const Bzip2Reader&) = delete;

  /// "" at the end of the file.
  std::string read() override {
    std::string out(input_buffer_size, '\0');
    stream_.next_out = out.data();
    stream_.avail_out = static_cast<unsigned>(out.size());
    while (stream_.avail_out > 0) {
      const bool is_at_end = stream_.avail_in == 0 && !Refill();
      if (!is_in_stream_) {
        if (is_at_end) break;
        BeginStream();
      }
      const unsigned room = stream_.avail_out;
      const int result = BZ2_bzDecompress(&stream_);
      if (result == BZ_STREAM_END) {
        EndStream();
      } else if (result != BZ_OK) {
        Fail("the file is damaged", result);
      } else if (is_at_end && stream_.avail_out == room) {
        Fail("the file is cut off", BZ_UNEXPECTED_EOF);
      }
    }
    out.resize(out.size() - stream_.avail_out);
    return out;
  }

  void close() override { EndStream(); }

 private:
  void BeginStream() {
    if (const int result = BZ2_bzDecompressInit(&stream_, 0, 0); result != BZ_OK) {
      Fail("can't begin to read", result);
    }
    is_in_stream_ = true;
  }

  void EndStream() {
    if (is_in_stream_) BZ2_bzDecompressEnd(&stream_);
    is_in_stream_ = false;
  }

  /// False at the end of the file.
  bool Refill() {
    ssize_t size;
    do {
      size = ::read(fd_, in_.data(), in_.size());
    } while (size < 0 && errno == EINTR);
    if (size < 0) throw std::system_error(errno, std::generic_category());
    read_ += static_cast<std::size_t>(size);
    set_offset(read_);
    stream_.next_in = in_.data();
    stream_.avail_in = static_cast<unsigned>(size);
    return size > 0;
  }

  const int fd_;
  bz_stream stream_{};
  bool is_in_stream_ = false;
  std::size_t read_ = 0;
  std::array<char, 1 << 16> in_;
};

/// Writes a single stream. Owns the file.
class Bzip2Writer final : public osmium::io::Compressor {
 public:
  Bzip2Writer(int fd, osmium::io::fsync sync) : Compressor(sync), file_(::fdopen(fd, "wb")) {
    if (file_ == nullptr) throw std::system_error(errno, std::generic_category());
    int error = BZ_OK;
    stream_ = BZ2_bzWriteOpen(&error, file_, 6, 0, 0);
    if (error != BZ_OK) {
      std::fclose(file_);
      Fail("can't begin to write", error);
    }
  }
  ~Bzip2Writer() override { (void)Close(/*abandon=*/true); }
  Bzip2Writer(const Bzip2Writer&) = delete;
  Bzip2Writer& operator=(const Bzip2Writer&) = delete;

  void write(const std::string& data) override {
    int error = BZ_OK;
    std::string copy = data;  // The library asks for bytes that it may change, and doesn't.
    BZ2_bzWrite(&error, stream_, copy.data(), static_cast<int>(copy.size()));
    if (error != BZ_OK) Fail("can't write", error);
  }

  void close() override {
    if (const int error = Close(/*abandon=*/false); error != BZ_OK) Fail("can't write", error);
  }

 private:
  int Close(bool abandon) {
    if (file_ == nullptr) return BZ_OK;
    int error = BZ_OK;
    BZ2_bzWriteClose(&error, stream_, abandon ? 1 : 0, nullptr, nullptr);
    if (std::fclose(file_) != 0 && error == BZ_OK) error = BZ_IO_ERROR;
    file_ = nullptr;
    return error;
  }

  std::FILE* file_;
  BZFILE* stream_ = nullptr;
};

}  // namespace

bool RegisterBzip2Streams() {
  osmium::io::CompressionFactory::instance().register_compression(
      osmium::io::file_compression::bzip2,
      [](int fd, osmium::io::fsync sync) { return new Bzip2Writer(fd, sync); },
      [](int fd) { return new Bzip2Reader(fd); },
      [](const char*, std::size_t) -> osmium::io::Decompressor* {
        throw osmium::unsupported_file_format_error("bzip2 is read from files only");
      });
  return true;
}

}  // namespace ridestream::roads
