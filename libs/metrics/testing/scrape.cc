#include "libs/metrics/testing/scrape.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <string_view>

#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "libs/base/host_port.h"

namespace ridestream::metrics::testing {
namespace {

/// Connects, sends all, reads until the server closes.
absl::StatusOr<std::string> Exchange(const std::string& address, const std::string& request) {
  const absl::StatusOr<HostPort> server = ParseHostPort(address);
  if (!server.ok()) return server.status();
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(server->port);
  if (inet_pton(AF_INET, server->host.c_str(), &to.sin_addr) != 1) {
    return absl::InvalidArgumentError(fmt::format("'{}' is not an IPv4 address", server->host));
  }
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{.tv_sec = 40, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  std::string answer;
  char buffer[16'384];
  ssize_t count = connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to));
  if (count == 0) count = send(fd, request.data(), request.size(), MSG_NOSIGNAL);
  while (count > 0 && (count = recv(fd, buffer, sizeof(buffer), 0)) > 0) {
    answer.append(buffer, static_cast<std::size_t>(count));
  }
  const int error = errno;
  close(fd);
  if (count < 0) {
    return absl::UnavailableError(
        error == EAGAIN
            ? fmt::format("{}: no answer within {} s", address, static_cast<int>(patience.tv_sec))
            : fmt::format("{}: {}", address, std::strerror(error)));
  }
  return answer;
}

/// Removes `a="x",b="y"}` from the front of the text. Returns false if the text doesn't begin like
/// that.
bool TakeLabels(std::string_view& text, std::map<std::string, std::string>& labels) {
  while (!text.empty() && text.front() != '}') {
    const std::size_t equals = text.find("=\"");
    if (equals == std::string_view::npos) return false;
    std::string& value = labels[std::string(text.substr(0, equals))];
    text.remove_prefix(equals + 2);
    while (!text.empty() && text.front() != '"') {
      if (text.front() == '\\') text.remove_prefix(1);
      if (text.empty()) return false;
      value += text.front();
      text.remove_prefix(1);
    }
    if (text.empty()) return false;
    text.remove_prefix(text.starts_with("\",") ? 2 : 1);
  }
  if (text.empty()) return false;
  text.remove_prefix(1);
  return true;
}

/// The metric that the series of this name belongs to.
std::string MetricOf(const std::string& series, const Metrics& metrics) {
  if (metrics.contains(series)) return series;
  for (const char* suffix : {"_bucket", "_count", "_sum"}) {
    absl::string_view name(series);
    if (absl::ConsumeSuffix(&name, suffix) && metrics.contains(std::string(name))) {
      return std::string(name);
    }
  }
  return "";
}

bool TakeSeries(std::string_view line, Metrics& metrics) {
  const std::size_t end = line.find_first_of("{ ");
  if (end == std::string_view::npos) return false;
  const std::string metric = MetricOf(std::string(line.substr(0, end)), metrics);
  if (metric.empty()) return false;
  Series series;
  const bool labelled = line[end] == '{';
  line.remove_prefix(labelled ? end + 1 : end);
  if (labelled && !TakeLabels(line, series.labels)) return false;
  if (!absl::SimpleAtod(absl::string_view(line.data(), line.size()), &series.value)) return false;
  metrics[metric].series.push_back(std::move(series));
  return true;
}

}  // namespace

absl::StatusOr<std::string> HttpGet(const std::string& address, const std::string& path) {
  absl::StatusOr<std::string> answer = Exchange(
      // By 1.0 nobody sends it in chunks.
      address, fmt::format("GET {} HTTP/1.0\r\nHost: {}\r\n\r\n", path, address));
  if (!answer.ok()) return answer.status();
  const std::size_t body = answer->find("\r\n\r\n");
  if (!(answer->starts_with("HTTP/1.1 200 ") || answer->starts_with("HTTP/1.0 200 ")) ||
      body == std::string::npos) {
    return absl::InternalError(fmt::format("{}{} answered: {}", address, path, *answer));
  }
  return answer->substr(body + 4);
}

absl::StatusOr<Metrics> ParseMetrics(const std::string& text) {
  Metrics metrics;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string hash, kind, name;
    if (line.starts_with("# ") && words >> hash >> kind >> name) {
      std::string rest;
      std::getline(words >> std::ws, rest);
      (kind == "TYPE" ? metrics[name].type : metrics[name].help) = rest;
    } else if (!TakeSeries(line, metrics)) {
      return absl::InvalidArgumentError(fmt::format("isn't of the text format: {}", line));
    }
  }
  return metrics;
}

absl::StatusOr<Metrics> ScrapeMetrics(const std::string& address) {
  const absl::StatusOr<std::string> body = HttpGet(address, "/metrics");
  if (!body.ok()) return body.status();
  return ParseMetrics(*body);
}

double Sum(const Metrics& metrics, const std::string& name,
           const std::map<std::string, std::string>& labels) {
  double sum = 0;
  const auto found = metrics.find(name);
  if (found == metrics.end()) return 0;
  for (const Series& series : found->second.series) {
    if (std::includes(series.labels.begin(), series.labels.end(), labels.begin(), labels.end())) {
      sum += series.value;
    }
  }
  return sum;
}

}  // namespace ridestream::metrics::testing
