#pragma once

#include <string>

namespace smoothlab::cluster {

/// "42 s", "3 min 05 s", "2 h 07 min", rounded up to whole seconds, for people.
std::string duration_text(double seconds);

}  // namespace smoothlab::cluster
