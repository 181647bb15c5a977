#include "tests/chaos/dispatch_pair.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <thread>
#include <utility>

#include "libs/process/authority.h"
#include "libs/process/free_port.h"

namespace ridestream::chaos {
namespace {

constexpr std::chrono::seconds kEndsWithin{30};
constexpr std::chrono::milliseconds kLookEvery{10};

}  // namespace

absl::StatusOr<std::unique_ptr<DispatchPair>> DispatchPair::Start(
    const std::string& bin, const process::LocalServices& services,
    std::vector<std::string> flags) {
  std::unique_ptr<DispatchPair> pair(new DispatchPair());
  pair->binary_ = bin + "/dispatch";
  pair->folder_ = services.folder();
  pair->flags_ = std::move(flags);
  for (const std::string& flag : process::SecurityFlags(services.authority(), "dispatch")) {
    pair->flags_.push_back(flag);
  }
  pair->flags_.push_back("--trip=" + services.trip());
  pair->flags_.push_back("--location=" + services.location());
  for (std::size_t i = 0; i < pair->addresses_.size(); ++i) {
    pair->addresses_[i] = fmt::format("127.0.0.1:{}", process::FreePort());
    if (absl::Status status = pair->Launch(i); !status.ok()) return status;
  }
  return pair;
}

DispatchPair::~DispatchPair() {
  for (const auto& process : processes_) {
    if (process == nullptr) continue;
    process->Signal(SIGCONT);
    process->Stop(SIGTERM);
  }
}

std::string DispatchPair::addresses() const { return addresses_[0] + "," + addresses_[1]; }

void DispatchPair::KillHolder() { holder().Stop(SIGKILL); }

void DispatchPair::StopHolder() {
  holder().Signal(SIGSTOP);
  is_stopped_ = true;
}

absl::Status DispatchPair::Rejoin() {
  if (std::exchange(is_stopped_, false)) {
    holder().Signal(SIGCONT);
    const auto end = std::chrono::steady_clock::now() + kEndsWithin;
    while (!holder().HasEnded()) {
      if (std::chrono::steady_clock::now() > end) {
        return absl::DeadlineExceededError("the resumed process goes on without the lease");
      }
      std::this_thread::sleep_for(kLookEvery);
    }
    const int status = holder().Stop(0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 1) {
      return absl::InternalError("the resumed process " + process::DescribeWaitStatus(status) +
                                 ", not with 1: " + holder().LogEnd());
    }
  }
  const std::size_t failed = std::exchange(holder_, 1 - holder_);
  return Launch(failed);
}

absl::Status DispatchPair::Launch(std::size_t which) {
  std::vector<std::string> arguments = flags_;
  arguments.push_back("--listen=" + addresses_[which]);
  auto process = process::ChildProcess::Start(
      {.binary = binary_,
       .arguments = std::move(arguments),
       .log_path = fmt::format("{}/dispatch-{}.log", folder_, which + 1)});
  if (!process.ok()) return process.status();
  processes_[which] = *std::move(process);
  return processes_[which]->WaitUntilServing().status();
}

}  // namespace ridestream::chaos
