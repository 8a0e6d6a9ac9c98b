#include "eval/length_penalty.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cluster/error.h"

namespace smoothlab::eval {

LengthPenalty::LengthPenalty(double alpha, int64_t longest) {
  if (!(alpha >= 0 && alpha <= 10))
    throw UsageError(fmt::format("a length penalty of {}", alpha), "length-penalty",
                     "choose one in 0 … 10; 0.6 is usual");
  values_.assign(static_cast<size_t>(longest) + 1, 1.0);
  for (size_t length = 1; length < values_.size(); ++length)
    values_[length] =
        std::max(values_[length - 1], std::pow((5.0 + static_cast<double>(length)) / 6.0, alpha));
}

}  // namespace smoothlab::eval
