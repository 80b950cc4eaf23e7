#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace pade::testing {

/// What a LoopbackServer answers.
struct ServerBehaviour {
  std::map<std::string, std::string> files;  ///< path → contents
  bool knows_ranges = true;
  size_t cut_after = std::string::npos;  ///< bytes of a body, after which the connection breaks
};

/// An HTTP server on this machine that knows GET and ranges to the end, for tests of fetching.
class LoopbackServer {
 public:
  LoopbackServer() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    REQUIRE(bind(listener_, reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(listen(listener_, 8) == 0);
    REQUIRE(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) == 0);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { serve(); });
  }
  ~LoopbackServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  const std::string& url() const { return url_; }

  void set(ServerBehaviour behaviour) {
    const std::lock_guard lock(mutex_);
    behaviour_ = std::move(behaviour);
  }

  /// `/path` or `/path from 123` for each request since the last call.
  std::vector<std::string> take_requests() {
    const std::lock_guard lock(mutex_);
    return std::exchange(requests_, {});
  }

 private:
  void serve() {
    for (int connection; (connection = accept(listener_, nullptr, nullptr)) >= 0;) {
      answer(connection);
      close(connection);
    }
  }

  void answer(int connection) {
    std::string request;
    char piece[1024];
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t count = recv(connection, piece, sizeof piece, 0);
      if (count <= 0) return;
      request.append(piece, static_cast<size_t>(count));
    }
    const std::string path = request.substr(4, request.find(' ', 4) - 4);
    const size_t range = request.find("Range: bytes=");
    const size_t from = range == std::string::npos ? 0 : std::stoul(request.substr(range + 13));
    const std::lock_guard lock(mutex_);
    requests_.push_back(path + (from ? " from " + std::to_string(from) : ""));
    send_all(connection, response(path, from));
  }

  std::string response(const std::string& path, size_t from) const {
    const auto file = behaviour_.files.find(path);
    if (file == behaviour_.files.end()) return head("404 Not Found", 0);
    const std::string& contents = file->second;
    if (from == 0 || !behaviour_.knows_ranges)
      return head("200 OK", contents.size()) + contents.substr(0, behaviour_.cut_after);
    if (from >= contents.size()) return head("416 Range Not Satisfiable", 0);
    const std::string range = std::to_string(from) + "-" + std::to_string(contents.size() - 1) +
                              "/" + std::to_string(contents.size());
    return head("206 Partial Content", contents.size() - from,
                "Content-Range: bytes " + range + "\r\n") +
           contents.substr(from, behaviour_.cut_after);
  }

  static std::string head(const std::string& status, size_t length, const std::string& more = "") {
    return "HTTP/1.1 " + status +
           "\r\nConnection: close\r\nContent-Length: " + std::to_string(length) + "\r\n" + more +
           "\r\n";
  }

  static void send_all(int connection, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(count));
    }
  }

  int listener_;
  std::string url_;
  std::mutex mutex_;
  ServerBehaviour behaviour_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace pade::testing
