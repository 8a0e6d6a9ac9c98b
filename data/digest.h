#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace smoothlab::data {

/// A digest under way. algorithm: "md5" or "sha256"; `where` names in errors what it is of. Throws UsageError
/// for another algorithm, EnvironmentError where OpenSSL does not offer it.
class Digest {
 public:
  Digest(const std::string& algorithm, const std::string& where);
  ~Digest();
  Digest(Digest&&) noexcept;
  void add(const void* bytes, size_t count);
  /// Lower-case hexadecimal, of all that was added; the last call.
  std::string hexadecimal();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Lower-case hexadecimal digest of a file. algorithm: "md5" or "sha256", as published by the set's authors.
/// Throws DataError for a file that cannot be read, UsageError for another algorithm.
std::string file_digest(const std::string& path, const std::string& algorithm);

/// Lower-case hexadecimal SHA-256 of blocks of memory, one after the other.
std::string sha256(const std::vector<std::pair<const void*, size_t>>& blocks);

}  // namespace smoothlab::data
