#pragma once

#include <vector>

#include "eval/toy_decoding.h"
#include "eval/translation.h"

namespace smoothlab::test {

/// Sentences of 1 to 9 tokens, and who they are.
inline models::SourceSentences many_sentences(int32_t count) {
  std::vector<std::vector<int32_t>> each;
  for (int32_t i = 0; i < count; ++i) each.emplace_back(static_cast<size_t>(1 + i * 7 % 9), i);
  return sentences(each);
}
inline std::vector<int64_t> ids_of(const models::SourceSentences& sources) {
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < sources.size(); ++i) ids.push_back(1000 + i);
  return ids;
}

inline bool same(const std::vector<std::vector<eval::Hypothesis>>& a,
                 const std::vector<std::vector<eval::Hypothesis>>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].size() != b[i].size()) return false;
    for (size_t j = 0; j < a[i].size(); ++j) {
      const auto &x = a[i][j], &y = b[i][j];
      if (x.tokens != y.tokens || x.log_probability != y.log_probability || x.score != y.score ||
          x.cut != y.cut)
        return false;
    }
  }
  return true;
}

}  // namespace smoothlab::test
