#pragma once

#include <exception>

#include "cluster/error.h"

namespace smoothlab::cluster {

/// Any exception as one that has a code and reads on one line: an Error as it is; memory that cannot be had,
/// of the machine or of a device, as exit 4; LibTorch's without its backtrace, and anything else, as exit 1.
Error as_error(const std::exception& failure);

}  // namespace smoothlab::cluster
