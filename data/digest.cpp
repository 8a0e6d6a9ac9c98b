#include "data/digest.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "cluster/error.h"
#include "data/file_bytes.h"

namespace smoothlab::data {

struct Digest::State {
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context{EVP_MD_CTX_new(), EVP_MD_CTX_free};
};

Digest::Digest(const std::string& algorithm, const std::string& where) : state_(std::make_unique<State>()) {
  if (algorithm != "md5" && algorithm != "sha256")
    throw UsageError(fmt::format("unknown digest '{}'", algorithm), where, "choose md5 or sha256");
  const EVP_MD* kind = algorithm == "md5" ? EVP_md5() : EVP_sha256();
  if (!state_->context || EVP_DigestInit_ex(state_->context.get(), kind, nullptr) != 1)
    throw EnvironmentError(fmt::format("OpenSSL does not offer {}", algorithm), where,
                           "allow it in OpenSSL's configuration");
}

Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;

void Digest::add(const void* bytes, size_t count) {
  EVP_DigestUpdate(state_->context.get(), bytes, count);
}

std::string Digest::hexadecimal() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  EVP_DigestFinal_ex(state_->context.get(), digest, &length);
  std::string text;
  for (unsigned i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

std::string sha256(const std::vector<std::pair<const void*, size_t>>& blocks) {
  Digest digest("sha256", "memory");
  for (const auto& [bytes, count] : blocks) digest.add(bytes, count);
  return digest.hexadecimal();
}

std::string file_digest(const std::string& path, const std::string& algorithm) {
  require_no_folder(path, "name a file");
  Digest digest(algorithm, path);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file)
    throw DataError(fmt::format("cannot open: {}", std::strerror(errno)), path,
                    "check the path and its permissions");
  std::vector<unsigned char> block(1 << 20);
  while (const size_t count = std::fread(block.data(), 1, block.size(), file.get()))
    digest.add(block.data(), count);
  if (std::ferror(file.get()))
    throw DataError(fmt::format("cannot read: {}", std::strerror(errno)), path, "check the disk");
  return digest.hexadecimal();
}

}  // namespace smoothlab::data
