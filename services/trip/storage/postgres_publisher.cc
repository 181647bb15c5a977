#include "services/trip/storage/postgres_publisher.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <charconv>
#include <utility>

#include "services/trip/storage/postgres_reader.h"
#include "services/trip/storage/postgres_schema.h"
#include "services/trip/storage/postgres_session.h"

namespace ridestream::trip {
namespace {

using postgres::Result;
using postgres::Statement;

constexpr int kPage = 512;
constexpr std::chrono::seconds kMaxPageRead{5};

constexpr Statement kEndOfLog{"log_end", "SELECT coalesce(max(sequence), 0) FROM trip_log"};
constexpr Statement kNextPage{
    "next_page", "SELECT event FROM trip_log WHERE sequence > $1 ORDER BY sequence LIMIT $2"};
constexpr Statement kFollow[] = {kEndOfLog, kNextPage};

void DrainEvents(int event_fd) {
  eventfd_t count = 0;
  (void)eventfd_read(event_fd, &count);  // Fails when there is none.
}

}  // namespace

absl::StatusOr<std::unique_ptr<PostgresPublisher>> PostgresPublisher::Open(
    Options options, postgres::Deadline deadline) {
  const int wake_up = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_up < 0) return absl::ResourceExhaustedError("no file descriptor for an eventfd");
  auto publisher =
      std::unique_ptr<PostgresPublisher>(new PostgresPublisher(std::move(options), wake_up));
  // Listens before it reads, so that nothing falls in between.
  if (absl::Status status = publisher->Listen(deadline); !status.ok()) return status;
  publisher->connection_->Send(kEndOfLog);
  const absl::StatusOr<std::vector<Result>> end = publisher->connection_->Sync(deadline);
  if (!end.ok()) return end.status();
  publisher->published_ = end->front().Uint64(0, 0);
  publisher->thread_ = std::thread([raw = publisher.get()] { raw->Loop(); });
  return publisher;
}

PostgresPublisher::PostgresPublisher(Options options, int wake_up)
    : options_(std::move(options)), wake_up_(wake_up) {}

PostgresPublisher::~PostgresPublisher() {
  if (thread_.joinable()) {
    {
      MutexLock lock(mu_);
      stopping_ = true;
    }
    eventfd_write(wake_up_, 1);
    thread_.join();
  }
  close(wake_up_);
}

absl::Status PostgresPublisher::Listen(postgres::Deadline deadline) {
  auto opened = OpenPostgresSession(options_.url, kFollow, /*for_writing=*/false, deadline);
  if (!opened.ok()) return opened.status();
  absl::Status status = (*opened)->Execute(fmt::format("LISTEN {}", kPostgresLogChannel), deadline);
  if (status.ok()) connection_ = *std::move(opened);
  return status;
}

void PostgresPublisher::Committed(Batch batch) {
  {
    MutexLock lock(mu_);
    while (committed_.size() >= kMaxBatches) taken_.Wait(mu_);
    committed_.push_back(std::move(batch));
  }
  eventfd_write(wake_up_, 1);
}

bool PostgresPublisher::TakeBatch(Batch& batch) {
  MutexLock lock(mu_);
  if (committed_.empty()) return false;
  batch = std::move(committed_.front());
  committed_.pop_front();
  taken_.Signal();
  return true;
}

void PostgresPublisher::Loop() {
  for (;;) {
    Wait();
    for (Batch batch; TakeBatch(batch);) Publish(std::move(batch));
    if (behind_) CatchUp();
    MutexLock lock(mu_);
    if (stopping_ && committed_.empty()) return;
  }
}

void PostgresPublisher::Wait() {
  // A lost connection's socket is -1, which poll skips: the next poll opens a new connection.
  pollfd pollers[] = {{wake_up_, POLLIN, 0},
                      {connection_ == nullptr ? -1 : connection_->socket(), POLLIN, 0}};
  if (poll(pollers, 2, static_cast<int>(kPollEvery.count())) == 0) behind_ = true;
  DrainEvents(wake_up_);
  if (pollers[1].revents != 0) ReadNotifications();
}

void PostgresPublisher::ReadNotifications() {
  const auto notifications = connection_->TakeNotifications();
  if (!notifications.ok()) {
    behind_ = true;
    return;
  }
  for (const postgres::Notification& notification : *notifications) {
    std::uint64_t sequence = 0;
    const std::string& text = notification.payload;
    std::from_chars(text.data(), text.data() + text.size(), sequence);
    if (notification.backend_pid != writer_pid_ && sequence > published_) behind_ = true;
  }
}

void PostgresPublisher::Publish(Batch batch) {
  const std::vector<EventPtr> events = TakeEvents(batch);
  if (!PublishNext(events)) {
    CatchUp();
    // While the database doesn't answer the commands are answered nevertheless: they are durable,
    // and what is missing is published when it can be read.
    if (!PublishNext(events)) behind_ = true;
  }
  if (!events.empty() && options_.on_written) options_.on_written(events);
  for (Work& work : batch) Complete(work);
}

bool PostgresPublisher::PublishNext(const std::vector<EventPtr>& events) {
  auto next = events.begin();
  while (next != events.end() && (*next)->sequence() <= published_) ++next;
  if (next == events.end()) return true;
  if ((*next)->sequence() != published_ + 1) return false;
  if (options_.listener) options_.listener({next, events.end()});
  published_ = events.back()->sequence();
  return true;
}

void PostgresPublisher::CatchUp() {
  const absl::Status status = ReadOn();
  behind_ = !status.ok();
  if (!status.ok() && !failing_ && options_.on_failure) options_.on_failure(status);
  failing_ = !status.ok();
}

absl::Status PostgresPublisher::ReadOn() {
  for (;;) {
    const postgres::Deadline deadline = std::chrono::steady_clock::now() + kMaxPageRead;
    if (connection_ == nullptr || connection_->broken()) {
      if (absl::Status status = Listen(deadline); !status.ok()) return status;
    }
    connection_->Send(kNextPage, {published_.load(), kPage});
    const absl::StatusOr<std::vector<Result>> page = connection_->Sync(deadline);
    if (!page.ok()) return page.status();
    const Result& rows = page->front();
    std::vector<EventPtr> events;
    for (int row = 0; row < rows.rows(); ++row) {
      absl::StatusOr<v1::TripEvent> event = ParseLoggedEvent(rows.Text(row, 0));
      if (!event.ok()) return event.status();
      events.push_back(std::make_shared<const v1::TripEvent>(*std::move(event)));
    }
    if (!PublishNext(events)) return absl::DataLossError("the log has a gap");
    if (rows.rows() < kPage) return absl::OkStatus();
  }
}

}  // namespace ridestream::trip
