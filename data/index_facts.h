#pragma once

#include <string>
#include <string_view>

#include "data/image_index.h"

namespace smoothlab::data {

/// The facts of an index as they lie in its file: CBOR, which keeps paths that are no UTF-8.
std::string pack_facts(const IndexFacts& facts);
/// False for bytes that are none.
bool unpack_facts(std::string_view bytes, IndexFacts& facts);

}  // namespace smoothlab::data
