#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace smoothlab::test {

/// A small HTTP server on 127.0.0.1 that can be told to misbehave. One connection at a time, closed after
/// each answer.
class LocalHttpServer {
 public:
  /// How the next answers go wrong; each is used up by one request.
  struct Fault {
    size_t cut_after = std::string::npos;  ///< closes the connection after so many bytes of the body
    int status = 0;                        ///< answers this, without a body
  };
  struct Request {
    std::string path;
    size_t start = 0;  ///< of the range asked for
  };

  LocalHttpServer() {
    socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (socket_ < 0 || bind(socket_, reinterpret_cast<sockaddr*>(&address), length) || listen(socket_, 16) ||
        getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length))
      throw std::runtime_error("no local server");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~LocalHttpServer() {
    stopping_ = true;
    shutdown(socket_, SHUT_RDWR);
    thread_.join();
    close(socket_);
  }
  LocalHttpServer(const LocalHttpServer&) = delete;
  LocalHttpServer& operator=(const LocalHttpServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  void put(const std::string& path, const std::string& body) {
    const std::lock_guard<std::mutex> lock(mutex_);
    files_[path] = body;
  }
  void fail_next(Fault fault) {
    const std::lock_guard<std::mutex> lock(mutex_);
    faults_.push_back(fault);
  }
  void ignore_ranges() { ignore_ranges_ = true; }
  std::vector<Request> requests() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    while (!stopping_) {
      const int connection = accept(socket_, nullptr, nullptr);
      if (connection < 0) continue;
      const std::string answer = answer_to(read_request(connection));
      for (size_t sent = 0; sent < answer.size();) {
        const ssize_t count = send(connection, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
        if (count <= 0) break;
        sent += static_cast<size_t>(count);
      }
      shutdown(connection, SHUT_WR);
      char rest[256];
      while (recv(connection, rest, sizeof rest, 0) > 0) continue;
      close(connection);
    }
  }

  static std::string read_request(int connection) {
    std::string text;
    char block[4096];
    while (text.find("\r\n\r\n") == std::string::npos) {
      const ssize_t count = recv(connection, block, sizeof block, 0);
      if (count <= 0) break;
      text.append(block, static_cast<size_t>(count));
    }
    return text;
  }

  std::string answer_to(const std::string& text) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const size_t space = text.find(' ');
    if (space == std::string::npos) return {};
    Request request;
    request.path = text.substr(space + 1, text.find(' ', space + 1) - space - 1);
    const size_t range = text.find("Range: bytes=");
    if (range != std::string::npos && !ignore_ranges_) request.start = std::stoull(text.substr(range + 13));
    requests_.push_back(request);
    Fault fault;
    if (!faults_.empty()) {
      fault = faults_.front();
      faults_.erase(faults_.begin());
    }
    const auto file = files_.find(request.path);
    int status = fault.status;
    if (!status) status = file == files_.end() ? 404 : request.start ? 206 : 200;
    if (status / 100 == 2 && request.start >= file->second.size() && request.start) status = 416;
    const std::string head = "HTTP/1.1 " + std::to_string(status) + " said\r\nConnection: close\r\n";
    if (status / 100 != 2) return head + "Content-Length: 0\r\n\r\n";
    const std::string body = file->second.substr(request.start);
    const std::string total = std::to_string(file->second.size());
    return head + "Content-Length: " + std::to_string(body.size()) + "\r\n" +
           (status == 206 ? "Content-Range: bytes " + std::to_string(request.start) + "-" +
                                std::to_string(file->second.size() - 1) + "/" + total + "\r\n"
                          : std::string()) +
           "\r\n" + body.substr(0, fault.cut_after);
  }

  int socket_ = -1, port_ = 0;
  std::atomic<bool> stopping_{false}, ignore_ranges_{false};
  mutable std::mutex mutex_;
  std::map<std::string, std::string> files_;
  std::vector<Fault> faults_;
  std::vector<Request> requests_;
  std::thread thread_;
};

}  // namespace smoothlab::test
