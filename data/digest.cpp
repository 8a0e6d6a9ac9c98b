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

std::string file_digest(const std::string& path, const std::string& algorithm) {
  if (algorithm != "md5" && algorithm != "sha256")
    throw UsageError(fmt::format("unknown digest '{}'", algorithm), path, "choose md5 or sha256");
  const EVP_MD* kind = algorithm == "md5" ? EVP_md5() : EVP_sha256();
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  if (!context || EVP_DigestInit_ex(context.get(), kind, nullptr) != 1)
    throw EnvironmentError(fmt::format("OpenSSL does not offer {}", algorithm), path,
                           "allow it in OpenSSL's configuration");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file)
    throw DataError(fmt::format("cannot open: {}", std::strerror(errno)), path,
                    "check the path and its permissions");
  std::vector<unsigned char> block(1 << 20);
  while (const size_t count = std::fread(block.data(), 1, block.size(), file.get()))
    EVP_DigestUpdate(context.get(), block.data(), count);
  if (std::ferror(file.get()))
    throw DataError(fmt::format("cannot read: {}", std::strerror(errno)), path, "check the disk");
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  EVP_DigestFinal_ex(context.get(), digest, &length);
  std::string hexadecimal;
  for (unsigned i = 0; i < length; ++i) hexadecimal += fmt::format("{:02x}", digest[i]);
  return hexadecimal;
}

}  // namespace smoothlab::data
