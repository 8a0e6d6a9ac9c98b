#pragma once

#include <functional>
#include <string>

#include "cluster/communicator.h"

namespace smoothlab::trainer {

/// Runs `work` on rank 0 and gives what it returns to every rank. An error there is thrown, the same, on
/// every rank. For what one rank does for all, such as files of the run. Collective.
std::string text_from_root(cluster::Communicator& communicator, const std::function<std::string()>& work);
void on_root(cluster::Communicator& communicator, const std::function<void()>& work);

}  // namespace smoothlab::trainer
