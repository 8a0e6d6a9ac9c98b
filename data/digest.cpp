#include "data/digest.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "cluster/error.h"

namespace smoothlab::data {

namespace {

/// A digest under way.
class Digest {
 public:
  /// `where` names in errors what it is of.
  Digest(const std::string& algorithm, const std::string& where)
      : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    const EVP_MD* kind = algorithm == "md5" ? EVP_md5() : EVP_sha256();
    if (!context_ || EVP_DigestInit_ex(context_.get(), kind, nullptr) != 1)
      throw EnvironmentError(fmt::format("OpenSSL does not offer {}", algorithm), where,
                             "allow it in OpenSSL's configuration");
  }
  void add(const void* bytes, size_t count) { EVP_DigestUpdate(context_.get(), bytes, count); }
  std::string hexadecimal() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    EVP_DigestFinal_ex(context_.get(), digest, &length);
    std::string text;
    for (unsigned i = 0; i < length; ++i) text += fmt::format("{:02x}", digest[i]);
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

}  // namespace

std::string sha256(const std::vector<std::pair<const void*, size_t>>& blocks) {
  Digest digest("sha256", "memory");
  for (const auto& [bytes, count] : blocks) digest.add(bytes, count);
  return digest.hexadecimal();
}

std::string file_digest(const std::string& path, const std::string& algorithm) {
  if (algorithm != "md5" && algorithm != "sha256")
    throw UsageError(fmt::format("unknown digest '{}'", algorithm), path, "choose md5 or sha256");
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
