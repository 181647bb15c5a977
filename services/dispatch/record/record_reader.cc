#include "services/dispatch/record/record_reader.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <zlib.h>

#include <array>
#include <utility>

#include "services/dispatch/record/record_file.h"

namespace ridestream::dispatch {
namespace {

constexpr std::size_t kReadBytes = 64 * 1'024;
constexpr int kGzipOnly = 16;  // Added to the window's bits.
/// No batch is nearly as large: a file that says otherwise is damaged or made up.
constexpr std::size_t kMaxBatchBytes = std::size_t{256} << 20;

class Inflater {
 public:
  Inflater() : begun_(inflateInit2(&stream_, MAX_WBITS + kGzipOnly) == Z_OK) {}
  ~Inflater() {
    if (begun_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Takes bytes from the front of `input`, as far as the member's end, and appends what they
  /// stand for. What zlib returned.
  int Inflate(std::string& input, std::string& output) {
    if (!begun_) return Z_MEM_ERROR;
    stream_.next_in = reinterpret_cast<Bytef*>(input.data());
    stream_.avail_in = static_cast<uInt>(input.size());
    int result = Z_OK;
    while (result == Z_OK && stream_.avail_in > 0 && output.size() <= kMaxBatchBytes) {
      std::array<char, kReadBytes> piece;
      stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream_.avail_out = static_cast<uInt>(piece.size());
      result = inflate(&stream_, Z_NO_FLUSH);
      output.append(piece.data(), piece.size() - stream_.avail_out);
    }
    input.erase(0, input.size() - stream_.avail_in);
    return result;
  }

 private:
  z_stream stream_{};
  const bool begun_;
};

}  // namespace

RecordReader::RecordReader(const std::string& path) : path_(path), file_(path, std::ios::binary) {}

absl::StatusOr<std::unique_ptr<RecordReader>> RecordReader::Open(const std::string& path) {
  std::unique_ptr<RecordReader> reader(new RecordReader(path));
  if (!reader->file_) return absl::NotFoundError(fmt::format("{}: can't be opened", path));
  auto first = reader->Next();
  const bool is_record = first.ok() && *first && (*first)->has_header();
  if (!is_record) return absl::InvalidArgumentError(fmt::format("{}: isn't a record", path));
  reader->header_ = std::move(*(*first)->mutable_header());
  if (reader->header_.format() != kRecordFormat) {
    return absl::FailedPreconditionError(
        fmt::format("{}: has format {}, but this version reads only format {}: replay it with the "
                    "version of Ridestream that wrote it",
                    path, reader->header_.format(), kRecordFormat));
  }
  return reader;
}

absl::StatusOr<std::optional<record::Record>> RecordReader::Next() {
  if (batch_read_ == batch_.size()) {
    const auto more = ReadBatch();
    if (!more.ok()) return more.status();
    if (!*more) return std::nullopt;
  }
  using google::protobuf::io::CodedInputStream;
  const std::size_t left = batch_.size() - batch_read_;
  CodedInputStream input(reinterpret_cast<const std::uint8_t*>(batch_.data() + batch_read_),
                         static_cast<int>(left));
  std::uint32_t length = 0;
  record::Record record;
  if (!input.ReadVarint32(&length)) return Damaged("has no length of a record");
  const auto limit = input.PushLimit(static_cast<int>(length));
  if (length > left || !record.ParseFromCodedStream(&input) || !input.ConsumedEntireMessage() ||
      input.BytesUntilLimit() != 0) {
    return Damaged("has something that is no record");
  }
  input.PopLimit(limit);
  batch_read_ += static_cast<std::size_t>(input.CurrentPosition());
  return record;
}

absl::StatusOr<bool> RecordReader::ReadBatch() {
  batch_.clear();
  batch_read_ = 0;
  Inflater inflater;
  bool any = false;
  while (true) {
    if (input_.empty()) {
      input_.resize(kReadBytes);
      file_.read(input_.data(), static_cast<std::streamsize>(input_.size()));
      input_.resize(static_cast<std::size_t>(file_.gcount()));
      if (file_.bad()) return Damaged("can't be read");
    }
    if (input_.empty()) {
      torn_ = any;
      batch_.clear();
      return false;
    }
    any = true;
    const int result = inflater.Inflate(input_, batch_);
    if (result == Z_STREAM_END) {
      ++batches_;
      // A batch without a record says nothing, and isn't written.
      if (batch_.empty()) return Damaged("is empty");
      return true;
    }
    if (result != Z_OK) return Damaged("is not what gzip writes");
    if (batch_.size() > kMaxBatchBytes) return Damaged("is too large");
  }
}

absl::Status RecordReader::Damaged(const std::string& how) const {
  return absl::DataLossError(
      fmt::format("{}: damaged: the batch after {} whole ones {}", path_, batches_, how));
}

}  // namespace ridestream::dispatch
