#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "libs/process/child_process.h"
#include "libs/process/temporary_folder.h"

namespace ridestream::kafka_tests {

/// A Kafka broker (KRaft: it is its own controller) on free ports of 127.0.0.1, in a temporary
/// folder of its own. Not thread-safe.
class KafkaBroker {
 public:
  /// Returns when the broker answers. NOT_FOUND, with what to run, if Java or Kafka is missing. The
  /// class path is read from the file that RIDESTREAM_KAFKA_CLASSPATH names, by default
  /// build/kafka.classpath, which deploy/kafka/fetch writes.
  static absl::StatusOr<std::unique_ptr<KafkaBroker>> Start();
  /// Kills the broker and removes its folder.
  ~KafkaBroker();

  /// HOST:PORT, the same after Restart.
  const std::string& address() const { return address_; }
  const std::string& folder() const { return folder_.path(); }

  /// `settings` are NAME=VALUE.
  absl::Status CreateTopic(const std::string& topic, int partitions,
                           const std::vector<std::string>& settings = {});
  /// Creates a topic for the exporter, and the topic for its position.
  absl::Status CreateTopics(const std::string& topic, int partitions);
  absl::Status DeleteTopic(const std::string& topic);

  void Kill();
  /// Restarts the broker on the same folder and ports.
  absl::Status Restart();

  /// Runs a tool of Kafka's, by the name of its class, to its end; returns what it printed on
  /// stdout.
  absl::StatusOr<std::string> RunTool(const std::string& tool,
                                      const std::vector<std::string>& arguments) const;

 private:
  KafkaBroker(std::string classpath, process::TemporaryFolder folder);
  process::ChildProcess::Options Java(const std::string& main_class,
                                      const std::vector<std::string>& arguments,
                                      const std::string& log_path) const;
  absl::Status Format();

  const std::string classpath_;
  const process::TemporaryFolder folder_;
  std::string address_;
  std::unique_ptr<process::ChildProcess> process_;
};

/// Runs a shell command to its end and returns what it printed on stdout; an error unless it exits
/// with 0.
absl::StatusOr<std::string> OutputOf(const std::string& command);

}  // namespace ridestream::kafka_tests
