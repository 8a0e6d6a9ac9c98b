#include "cluster/duration.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>

namespace smoothlab::cluster {

std::string duration_text(double seconds) {
  const auto whole = static_cast<int64_t>(std::ceil(seconds));
  if (whole >= 3600) return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
  if (whole >= 60) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} s", whole);
}

}  // namespace smoothlab::cluster
