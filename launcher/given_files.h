#pragma once

#include <string>
#include <vector>

namespace smoothlab::launcher {

/// The files less what a pattern such as logits/*.h5 catches beside them: shards of one of them, and the same
/// file once more. What is left out is said on stderr.
std::vector<std::string> whole_files(const std::vector<std::string>& given);

/// "2 of 3: runs/a/logits/test.h5"; of one file its path alone.
std::string numbered(size_t number, size_t files, const std::string& path);

}  // namespace smoothlab::launcher
