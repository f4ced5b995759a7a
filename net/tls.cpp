// TLS contexts over OpenSSL 3.
#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace portcullis::net {

namespace {

int native_version(TlsVersion version) noexcept {
  switch (version) {
    case TlsVersion::kTls10: return TLS1_VERSION;
    case TlsVersion::kTls11: return TLS1_1_VERSION;
    case TlsVersion::kTls12: return TLS1_2_VERSION;
    case TlsVersion::kTls13: return TLS1_3_VERSION;
  }
  return TLS1_3_VERSION;
}

// Keys that are asked for a pass phrase have none here.
int no_password(char*, int, int, void*) { return 0; }

std::unique_ptr<BIO, int (*)(BIO*)> reader(const std::string& pem) {
  return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free};
}

Error bad(const char* what) {
  return make_error(Code::kInvalid, std::string(what) + ": " + take_openssl_errors("invalid"));
}

Result<void> use_certificate(SSL_CTX* context, const std::string& chain_pem, const std::string& key_pem) {
  ERR_clear_error();
  const auto chain = reader(chain_pem);
  X509* leaf = PEM_read_bio_X509_AUX(chain.get(), nullptr, no_password, nullptr);
  if (leaf == nullptr) return bad("certificate");
  const bool accepted = SSL_CTX_use_certificate(context, leaf) == 1;
  X509_free(leaf);
  if (!accepted) return bad("certificate");
  while (X509* next = PEM_read_bio_X509(chain.get(), nullptr, no_password, nullptr)) {
    if (SSL_CTX_add0_chain_cert(context, next) != 1) {
      X509_free(next);
      return bad("certificate chain");
    }
  }
  ERR_clear_error();  // the end of the PEM text counts as an error there
  const auto key_text = reader(key_pem);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(key_text.get(), nullptr, no_password, nullptr);
  if (key == nullptr) return bad("private key");
  const bool key_accepted = SSL_CTX_use_PrivateKey(context, key) == 1;
  EVP_PKEY_free(key);
  if (!key_accepted || SSL_CTX_check_private_key(context) != 1) return bad("private key does not match certificate");
  return ok();
}

Result<void> trust(SSL_CTX* context, const std::string& bundle_pem, bool announce) {
  ERR_clear_error();
  const auto bundle = reader(bundle_pem);
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  int count = 0;
  while (X509* authority = PEM_read_bio_X509_AUX(bundle.get(), nullptr, no_password, nullptr)) {
    X509_STORE_add_cert(store, authority);
    if (announce) SSL_CTX_add_client_CA(context, authority);
    X509_free(authority);
    ++count;
  }
  ERR_clear_error();
  if (count == 0) return make_error(Code::kInvalid, "certificate authority bundle: no certificate in it");
  return ok();
}

int select_alpn_callback(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                         unsigned int in_size, void* argument) {
  const auto* context = static_cast<const TlsServerContext*>(argument);
  std::string_view chosen;
  if (!context->select_alpn({reinterpret_cast<const char*>(in), in_size}, chosen)) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = reinterpret_cast<const unsigned char*>(chosen.data());
  *out_size = static_cast<unsigned char>(chosen.size());
  return SSL_TLSEXT_ERR_OK;
}

// The certificate itself must carry the name; only the leaf (depth 0) is looked at.
int verify_common_name(int preverified, X509_STORE_CTX* store) {
  if (preverified != 1 || X509_STORE_CTX_get_error_depth(store) != 0) return preverified;
  const auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const auto* context = static_cast<const TlsServerContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  if (context == nullptr || context->client_common_name().empty()) return 1;
  char name[256];
  const int size = X509_NAME_get_text_by_NID(X509_get_subject_name(X509_STORE_CTX_get_current_cert(store)),
                                             NID_commonName, name, sizeof name);
  if (size >= 0 && std::string_view(name, static_cast<std::size_t>(size)) == context->client_common_name()) return 1;
  X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
  return 0;
}

// What both sides share: nothing that is obsolete, and a record is read with one system call.
void set_common(SSL_CTX* context, TlsVersion min_version) {
  SSL_CTX_set_min_proto_version(context, native_version(min_version));
  if (min_version < TlsVersion::kTls12) SSL_CTX_set_security_level(context, 0);  // OpenSSL 3 has 1.0 and 1.1 there only
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  // AES-128 first: the same strength in practice and less work.
  SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
}

}  // namespace

std::string take_openssl_errors(std::string_view otherwise) {
  std::string text;
  while (const unsigned long code = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(code);
    if (!text.empty()) text += "; ";
    text += reason != nullptr ? std::string(reason) : "error " + std::to_string(code);
  }
  return text.empty() ? std::string(otherwise) : text;
}

Result<TlsVersion> parse_tls_version(std::string_view text) {
  if (text == "1.0") return TlsVersion::kTls10;
  if (text == "1.1") return TlsVersion::kTls11;
  if (text == "1.2") return TlsVersion::kTls12;
  if (text == "1.3") return TlsVersion::kTls13;
  return make_error(Code::kInvalid, "unknown TLS version \"" + std::string(text) + "\" (1.0, 1.1, 1.2, 1.3)");
}

Result<std::shared_ptr<const TlsServerContext>> TlsServerContext::create(const TlsServerOptions& options) {
  std::shared_ptr<TlsServerContext> made(new TlsServerContext(options));
  SSL_CTX* context = made->context_ = SSL_CTX_new(TLS_server_method());
  if (context == nullptr) return PC_BUG("cannot make a TLS context");
  set_common(context, options.min_version);
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_app_data(context, made.get());
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>("portcullis"), 10);
  SSL_CTX_set_alpn_select_cb(context, select_alpn_callback, made.get());
  PC_TRY_VOID(use_certificate(context, options.certificate_chain_pem, options.private_key_pem));
  if (!options.client_ca_pem.empty()) {
    PC_TRY_VOID(trust(context, options.client_ca_pem, true));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, verify_common_name);
  }
  return std::shared_ptr<const TlsServerContext>(std::move(made));
}

TlsServerContext::~TlsServerContext() { SSL_CTX_free(context_); }

bool TlsServerContext::select_alpn(std::string_view offer, std::string_view& chosen) const noexcept {
  for (const std::string& ours : options_.alpn) {
    for (std::size_t at = 0; at < offer.size();) {
      const auto size = static_cast<unsigned char>(offer[at]);
      if (at + 1 + size <= offer.size() && offer.substr(at + 1, size) == ours) {
        chosen = ours;
        return true;
      }
      at += 1u + size;
    }
  }
  return false;
}

void TlsServerCell::publish(std::shared_ptr<const TlsServerContext> next) {
  const std::lock_guard lock(mutex_);
  current_.swap(next);
}

std::shared_ptr<const TlsServerContext> TlsServerCell::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

Result<std::shared_ptr<const TlsClientContext>> TlsClientContext::create(const TlsClientOptions& options) {
  std::shared_ptr<TlsClientContext> made(new TlsClientContext());
  SSL_CTX* context = made->context_ = SSL_CTX_new(TLS_client_method());
  if (context == nullptr) return PC_BUG("cannot make a TLS context");
  made->server_name_ = options.server_name;
  made->verifies_ = !options.insecure_skip_verify;
  set_common(context, options.min_version);
  SSL_CTX_set_verify(context, made->verifies_ ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (made->verifies_) {
    if (options.ca_bundle_pem.empty()) {
      SSL_CTX_set_default_verify_paths(context);
    } else {
      PC_TRY_VOID(trust(context, options.ca_bundle_pem, false));
    }
  }
  if (options.certificate_pem.empty() != options.private_key_pem.empty()) {
    return make_error(Code::kInvalid, "client certificate and client key are needed both");
  }
  if (!options.certificate_pem.empty()) {
    PC_TRY_VOID(use_certificate(context, options.certificate_pem, options.private_key_pem));
  }
  std::string wire;
  for (const std::string& protocol : options.alpn) {
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  if (!wire.empty()) {
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(wire.data()),
                            static_cast<unsigned int>(wire.size()));
  }
  return std::shared_ptr<const TlsClientContext>(std::move(made));
}

TlsClientContext::~TlsClientContext() { SSL_CTX_free(context_); }

}  // namespace portcullis::net
