#include "tests/kafka/kafka_broker.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include "libs/process/free_port.h"
#include "libs/process/run_command.h"
#include "services/exporter/kafka/handle.h"

namespace ridestream::kafka_tests {
namespace {

constexpr std::chrono::seconds kPatience{60};
constexpr std::chrono::milliseconds kPollEvery{50};

absl::StatusOr<std::string> FindClassPath() {
  const char* named = std::getenv("RIDESTREAM_KAFKA_CLASSPATH");
  std::ifstream file(named == nullptr ? "build/kafka.classpath" : named);
  std::string classpath;
  if (std::getline(file, classpath) && std::system("java -version >/dev/null 2>&1") == 0) {
    return classpath;
  }
  return absl::NotFoundError("there is no Kafka here; ./ride kafka gets it");
}

}  // namespace

absl::StatusOr<std::string> OutputOf(const std::string& command) {
  auto finished = process::RunCommand(command);
  if (!finished.ok()) return finished.status();
  if (finished->wait_status == 0) return std::move(finished->output);
  return absl::InternalError(fmt::format(
      "{}: {}: {}", command, process::DescribeWaitStatus(finished->wait_status), finished->output));
}

KafkaBroker::KafkaBroker(std::string classpath, process::TemporaryFolder folder)
    : classpath_(std::move(classpath)), folder_(std::move(folder)) {}

absl::StatusOr<std::unique_ptr<KafkaBroker>> KafkaBroker::Start() {
  auto classpath = FindClassPath();
  if (!classpath.ok()) return classpath.status();
  auto folder = process::TemporaryFolder::Make();
  if (!folder.ok()) return folder.status();
  std::unique_ptr<KafkaBroker> broker(new KafkaBroker(*std::move(classpath), *std::move(folder)));
  absl::Status status = broker->Format();
  if (status.ok()) status = broker->Restart();
  if (!status.ok()) return status;
  return broker;
}

KafkaBroker::~KafkaBroker() { Kill(); }

process::ChildProcess::Options KafkaBroker::Java(const std::string& main_class,
                                                 const std::vector<std::string>& arguments,
                                                 const std::string& log_path) const {
  // The broker ends with this process, also when a test aborts.
  std::vector<std::string> all = {"--pdeathsig=KILL",
                                  "java",
                                  "-Xmx512m",
                                  "-XX:+UseSerialGC",
                                  "-Xshare:auto",
                                  "-XX:TieredStopAtLevel=1",
                                  "-Dlog4j2.configurationFile=" + folder() + "/log4j2.properties",
                                  "-cp",
                                  classpath_,
                                  main_class};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return {.binary = "setpriv", .arguments = std::move(all), .log_path = log_path};
}

absl::Status KafkaBroker::Format() {
  const int port = process::FreePort();
  const int controller_port = process::FreePort();
  address_ = fmt::format("127.0.0.1:{}", port);
  std::ofstream(folder() + "/log4j2.properties")
      << "rootLogger.level = WARN\nrootLogger.appenderRef.err.ref = err\n"
         "appender.err.type = Console\nappender.err.name = err\nappender.err.target = SYSTEM_ERR\n"
         "appender.err.layout.type = PatternLayout\n"
         "appender.err.layout.pattern = %d %p %c{1} %m%n\n";
  std::ofstream(folder() + "/server.properties") << fmt::format(
      "process.roles=broker,controller\nnode.id=1\ncontroller.listener.names=CONTROLLER\n"
      "controller.quorum.voters=1@127.0.0.1:{1}\n"
      "listeners=PLAINTEXT://127.0.0.1:{0},CONTROLLER://127.0.0.1:{1}\n"
      "log.dirs={2}/data\nauto.create.topics.enable=false\n"
      "offsets.topic.replication.factor=1\noffsets.topic.num.partitions=1\n"
      "transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n"
      "transaction.state.log.num.partitions=1\ngroup.initial.rebalance.delay.ms=0\n",
      port, controller_port, folder());
  auto format =
      process::ChildProcess::Start(Java("kafka.tools.StorageTool",
                                        {"format", "--cluster-id", "cmlkZXN0cmVhbS10ZXN0cw",
                                         "--config", folder() + "/server.properties"},
                                        folder() + "/format.log"));
  if (!format.ok()) return format.status();
  const int status = (*format)->Stop(0);
  if (status == 0) return absl::OkStatus();
  return absl::InternalError("formatting Kafka's folder: " + (*format)->LogEnd());
}

void KafkaBroker::Kill() {
  if (process_ != nullptr) process_->Stop(SIGKILL);
  process_.reset();
}

absl::Status KafkaBroker::Restart() {
  auto process = process::ChildProcess::Start(
      Java("kafka.Kafka", {folder() + "/server.properties"}, folder() + "/log"));
  if (!process.ok()) return process.status();
  process_ = *std::move(process);
  auto client = exporter::MakeClient(
      RD_KAFKA_PRODUCER,
      {{"bootstrap.servers", address_}, {"reconnect.backoff.max.ms", "100"}, {"log_level", "2"}});
  if (!client.ok()) return client.status();
  const auto end = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    const rd_kafka_metadata_t* metadata = nullptr;
    if (rd_kafka_metadata(client->get(), 1, nullptr, &metadata, 1'000) ==
        RD_KAFKA_RESP_ERR_NO_ERROR) {
      const bool is_ready = metadata->broker_cnt > 0;
      rd_kafka_metadata_destroy(metadata);
      if (is_ready) return absl::OkStatus();
    }
    if (process_->HasEnded() || std::chrono::steady_clock::now() > end) {
      return absl::UnavailableError("Kafka doesn't start: " + process_->LogEnd());
    }
    std::this_thread::sleep_for(kPollEvery);
  }
}

absl::StatusOr<std::string> KafkaBroker::RunTool(const std::string& tool,
                                                 const std::vector<std::string>& arguments) const {
  std::string command = fmt::format(
      "timeout 120 java -Xmx256m -XX:TieredStopAtLevel=1 "
      "-Dlog4j2.configurationFile={}/log4j2.properties -cp '{}' {}",
      folder(), classpath_, tool);
  for (const std::string& argument : arguments) command += fmt::format(" '{}'", argument);
  auto output = OutputOf(command + " 2>>" + folder() + "/tools.log");
  if (!output.ok() && process_ != nullptr && process_->HasEnded()) {
    return absl::InternalError(fmt::format(
        "the broker {}: {}", process::DescribeWaitStatus(process_->Stop(0)), process_->LogEnd()));
  }
  return output;
}

absl::Status KafkaBroker::CreateTopic(const std::string& topic, int partitions,
                                      const std::vector<std::string>& settings) {
  std::vector<std::string> arguments = {
      "--bootstrap-server",      address_, "--create", "--topic", topic, "--partitions",
      std::to_string(partitions)};
  for (const std::string& setting : settings) {
    arguments.insert(arguments.end(), {"--config", setting});
  }
  return RunTool("org.apache.kafka.tools.TopicCommand", arguments).status();
}

absl::Status KafkaBroker::CreateTopics(const std::string& topic, int partitions) {
  absl::Status status = CreateTopic(topic, partitions);
  if (!status.ok()) return status;
  return CreateTopic(topic + ".position", 1, {"cleanup.policy=compact"});
}

absl::Status KafkaBroker::DeleteTopic(const std::string& topic) {
  return RunTool("org.apache.kafka.tools.TopicCommand",
                 {"--bootstrap-server", address_, "--delete", "--topic", topic})
      .status();
}

}  // namespace ridestream::kafka_tests
