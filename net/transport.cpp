// TCP and TLS on a non-blocking socket.
#include "net/transport.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace portcullis::net {

namespace {

// A BIO over a socket that never raises SIGPIPE.
int bio_write(BIO* bio, const char* data, int size) {
  const int fd = static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
  BIO_clear_retry_flags(bio);
  const ssize_t n = ::send(fd, data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(n);
}

int bio_read(BIO* bio, char* data, int size) {
  const int fd = static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
  BIO_clear_retry_flags(bio);
  const ssize_t n = ::recv(fd, data, static_cast<std::size_t>(size), 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  if (n == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(n);
}

long bio_ctrl(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH: return 1;
    case BIO_CTRL_EOF: return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    default: return 0;
  }
}

BIO_METHOD* socket_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "portcullis socket");
    BIO_meth_set_write(m, bio_write);
    BIO_meth_set_read(m, bio_read);
    BIO_meth_set_ctrl(m, bio_ctrl);
    return m;
  }();
  return method;
}

bool attach(SSL* ssl, int fd) {
  BIO* bio = BIO_new(socket_method());
  if (bio == nullptr) return false;
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd)));
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
  return true;
}

bool is_ip_literal(const std::string& host) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, host.c_str(), bytes) == 1 || inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

std::string common_name(X509* certificate) {
  char text[256];
  const int n = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, text, sizeof text);
  return n < 0 ? std::string() : std::string(text, static_cast<std::size_t>(n));
}

}  // namespace

Transport::Transport(boost::asio::io_context& context, Tcp::socket socket)
    : Expirable(context), socket_(std::move(socket)), fd_(socket_.native_handle()) {
  boost::system::error_code ignored;
  socket_.native_non_blocking(true, ignored);
  socket_.set_option(Tcp::no_delay(true), ignored);
}

Transport::~Transport() {
  close();
  if (ssl_ != nullptr) SSL_free(ssl_);
}

Result<void> Transport::start_tls(std::shared_ptr<const TlsServerContext> context) {
  ssl_ = SSL_new(context->native());
  if (ssl_ == nullptr || !attach(ssl_, fd_))
    return PC_BUG("cannot set up TLS: " + take_openssl_errors("out of memory"));
  verifies_peer_ = (SSL_get_verify_mode(ssl_) & SSL_VERIFY_PEER) != 0;
  tls_context_ = std::move(context);
  SSL_set_accept_state(ssl_);
  return ok();
}

Result<void> Transport::start_tls(std::shared_ptr<const TlsClientContext> context, const std::string& host) {
  ssl_ = SSL_new(context->native());
  if (ssl_ == nullptr || !attach(ssl_, fd_))
    return PC_BUG("cannot set up TLS: " + take_openssl_errors("out of memory"));
  const std::string& name = context->server_name().empty() ? host : context->server_name();
  verifies_peer_ = context->verifies();
  if (is_ip_literal(name)) {
    if (verifies_peer_) X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), name.c_str());
  } else {
    SSL_set_tlsext_host_name(ssl_, name.c_str());
    if (verifies_peer_) SSL_set1_host(ssl_, name.c_str());
  }
  tls_context_ = std::move(context);
  SSL_set_connect_state(ssl_);
  return ok();
}

awaitable<Result<void>> Transport::handshake() {
  for (;;) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_);
    if (result == 1) co_return ok();
    const IoStatus status = tls_result(result, "TLS handshake");
    if (status == IoStatus::kEnd) co_return make_error(Code::kUnavailable, "TLS handshake: connection closed by peer");
    if (status == IoStatus::kFailed) {
      const long verdict = verifies_peer_ ? SSL_get_verify_result(ssl_) : X509_V_OK;
      if (verdict != X509_V_OK) {
        co_return make_error(Code::kDenied, std::string("TLS handshake: certificate not accepted: ") +
                                                X509_verify_cert_error_string(verdict));
      }
      co_return error_;
    }
    Result<void> ready = co_await wait(status);
    if (!ready.ok()) co_return std::move(ready).error();
  }
}

IoStatus Transport::tls_result(int result, std::string_view what) {
  const int code = SSL_get_error(ssl_, result);
  switch (code) {
    case SSL_ERROR_WANT_READ: return IoStatus::kWantRead;
    case SSL_ERROR_WANT_WRITE: return IoStatus::kWantWrite;
    case SSL_ERROR_ZERO_RETURN: return IoStatus::kEnd;
    case SSL_ERROR_SYSCALL:
      if (errno == 0 || ERR_peek_error() == 0) {
        const int reason = errno;
        if (reason == 0 || result == 0) return IoStatus::kEnd;
        error_ = make_error(Code::kUnavailable, std::string(what) + ": " + std::strerror(reason));
        return IoStatus::kFailed;
      }
      [[fallthrough]];
    default:
      error_ = make_error(Code::kUnavailable, std::string(what) + ": " + take_openssl_errors("connection failed"));
      return IoStatus::kFailed;
  }
}

IoStatus Transport::try_read(char* data, std::size_t size, std::size_t& done) {
  done = 0;
  if (!socket_.is_open()) {
    error_ = make_error(Code::kCancelled, "connection closed");
    return IoStatus::kFailed;
  }
  if (ssl_ != nullptr) {
    ERR_clear_error();
    errno = 0;
    const int result = SSL_read_ex(ssl_, data, size, &done);
    return result == 1 ? IoStatus::kDone : tls_result(result, "read");
  }
  const ssize_t n = ::recv(fd_, data, size, 0);
  if (n > 0) {
    done = static_cast<std::size_t>(n);
    return IoStatus::kDone;
  }
  if (n == 0) return IoStatus::kEnd;
  if (errno == EAGAIN || errno == EINTR) return IoStatus::kWantRead;
  error_ = make_error(Code::kUnavailable, std::string("read: ") + std::strerror(errno));
  return IoStatus::kFailed;
}

IoStatus Transport::try_write(const char* data, std::size_t size, std::size_t& done) {
  done = 0;
  if (!socket_.is_open()) {
    error_ = make_error(Code::kCancelled, "connection closed");
    return IoStatus::kFailed;
  }
  if (ssl_ != nullptr) {
    ERR_clear_error();
    errno = 0;
    const int result = SSL_write_ex(ssl_, data, size, &done);
    return result == 1 ? IoStatus::kDone : tls_result(result, "write");
  }
  const ssize_t n = ::send(fd_, data, size, MSG_NOSIGNAL);
  if (n >= 0) {
    done = static_cast<std::size_t>(n);
    return IoStatus::kDone;
  }
  if (errno == EAGAIN || errno == EINTR) return IoStatus::kWantWrite;
  error_ = make_error(Code::kUnavailable, std::string("write: ") + std::strerror(errno));
  return IoStatus::kFailed;
}

Result<void> Transport::check_alive() const {
  if (expired()) return make_error(Code::kTimeout, "deadline exceeded");
  if (cancelled_) return make_error(Code::kCancelled, "cancelled");
  return ok();
}

awaitable<Result<void>> Transport::wait(IoStatus wanted) {
  PC_CO_TRY_VOID(check_alive());
  Result<void> ready = co_await wait_ready(socket_, wanted == IoStatus::kWantWrite ? WaitFor::kWrite : WaitFor::kRead);
  PC_CO_TRY_VOID(check_alive());
  co_return ready;
}

awaitable<Result<void>> Transport::write_all(std::string_view data) {
  while (!data.empty()) {
    std::size_t done = 0;
    const IoStatus status = try_write(data.data(), data.size(), done);
    if (status == IoStatus::kDone) {
      data.remove_prefix(done);
      continue;
    }
    if (status == IoStatus::kEnd) co_return make_error(Code::kUnavailable, "write: connection closed by peer");
    if (status == IoStatus::kFailed) co_return error_;
    Result<void> ready = co_await wait(status);
    if (!ready.ok()) co_return ready;
  }
  co_return ok();
}

bool Transport::stirred() {
  char byte = 0;
  const ssize_t n = ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return !(n < 0 && errno == EAGAIN) || (ssl_ != nullptr && SSL_has_pending(ssl_) != 0);
}

void Transport::cancel() noexcept {
  cancelled_ = true;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Transport::on_expired() noexcept {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Transport::shutdown_write() noexcept {
  if (!socket_.is_open()) return;
  ERR_clear_error();
  if (ssl_ != nullptr && SSL_is_init_finished(ssl_) != 0) SSL_shutdown(ssl_);
  ERR_clear_error();
  boost::system::error_code ignored;
  socket_.shutdown(Tcp::socket::shutdown_send, ignored);
}

void Transport::close() noexcept {
  if (!socket_.is_open()) return;
  ERR_clear_error();
  if (ssl_ != nullptr && SSL_is_init_finished(ssl_) != 0) SSL_shutdown(ssl_);
  ERR_clear_error();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

std::string Transport::peer_address() const {
  boost::system::error_code failed;
  const Tcp::endpoint peer = socket_.remote_endpoint(failed);
  if (failed) return {};
  const std::string address = peer.address().to_string();
  const std::string port = ":" + std::to_string(peer.port());
  return peer.address().is_v6() ? "[" + address + "]" + port : address + port;
}

std::string Transport::peer_common_name() const {
  if (ssl_ == nullptr) return {};
  X509* certificate = SSL_get1_peer_certificate(ssl_);
  if (certificate == nullptr) return {};
  std::string name = common_name(certificate);
  X509_free(certificate);
  return name;
}

std::string Transport::peer_chain_pem() const {
  std::string pem;
  const STACK_OF(X509)* chain = ssl_ == nullptr ? nullptr : SSL_get_peer_cert_chain(ssl_);
  for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i) {
    BIO* out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(out, sk_X509_value(chain, i));
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    pem.append(data, static_cast<std::size_t>(size));
    BIO_free(out);
  }
  return pem;
}

std::string_view Transport::alpn() const noexcept {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  if (ssl_ != nullptr) SSL_get0_alpn_selected(ssl_, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

}  // namespace portcullis::net
