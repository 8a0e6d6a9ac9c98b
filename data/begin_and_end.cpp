#include "data/begin_and_end.h"

#include "cluster/error.h"

namespace smoothlab::data {

void require_begin_and_end(const Vocabulary& vocabulary, const std::string& path) {
  const bool has_begin = vocabulary.special.begin >= 0, has_end = vocabulary.special.end >= 0;
  if (has_begin && has_end) return;
  const char* missing = has_begin ? "no end token" : has_end ? "no begin token" : "no begin and no end token";
  throw DataError(std::string("the vocabulary has ") + missing, path,
                  "name one that was trained with both, or let data prepare text train it");
}

}  // namespace smoothlab::data
