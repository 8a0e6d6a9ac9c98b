#pragma once

#include <cstdint>

namespace smoothlab::cluster {

/// Whether this process may hold `files` more open for long beside what it needs otherwise. Lifts its own
/// limit (RLIMIT_NOFILE, of shells often 1024) as far as that takes and the machine lets it.
bool has_room_for_open_files(int64_t files);

}  // namespace smoothlab::cluster
