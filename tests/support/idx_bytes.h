#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace smoothlab::test {

/// An IDX file of bytes: magic, sizes, elements.
inline std::string idx(const std::vector<uint32_t>& sizes, const std::string& elements) {
  std::string bytes = {0, 0, 8, static_cast<char>(sizes.size())};
  for (const uint32_t size : sizes)
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift);
  return bytes + elements;
}

}  // namespace smoothlab::test
