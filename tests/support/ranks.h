#pragma once

#include "cluster/communicator.h"

namespace smoothlab::test {

/// The ranks that run this test together. MPI can be started once a process, so the tests of one executable
/// share a communicator, made at the first call. All ranks must then make the same collective calls: use
/// EXPECT rather than ASSERT before one.
cluster::Communicator& ranks();

/// The greatest that any rank gives, where ranks() has been called; else what is given. Collective then, and
/// the end of ranks(): what holds a device is let go of before the process ends and its driver with it.
int worst_of_ranks(int verdict);

}  // namespace smoothlab::test
