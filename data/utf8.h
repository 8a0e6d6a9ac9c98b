#pragma once

#include <cstddef>
#include <string_view>

namespace smoothlab::data {

/// Where UTF-8 breaks: the offset of the first byte that does not belong (an overlong form, a surrogate, a
/// number above 10FFFF or a cut sequence is none), or npos for text that is whole.
size_t utf8_break(std::string_view text);

}  // namespace smoothlab::data
