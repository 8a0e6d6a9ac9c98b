#include "eval/hypothesis.h"

#include <fmt/format.h>

#include <algorithm>

#include "cluster/error.h"

namespace smoothlab::eval {

int64_t most_tokens(const SearchOptions& options, int64_t source_tokens) {
  return std::max(source_tokens + options.longest_extra, options.shortest);
}

void check(const SearchOptions& options) {
  if (!(options.temperature >= 1e-3 && options.temperature <= 1e3))
    throw UsageError(fmt::format("a search cannot use temperature {}", options.temperature), "temperature",
                     "choose one in 0.001 … 1000");
  if (options.n < 1)
    throw UsageError(fmt::format("{} hypotheses a sentence", options.n), "n-best", "ask for 1 at least");
  if (options.longest_extra < 0 || options.shortest < 0)
    throw UsageError("a length below 0", "longest-extra, shortest", "give 0 or more");
}

}  // namespace smoothlab::eval
