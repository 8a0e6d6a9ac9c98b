#include "eval/worker_threads.h"

#include "cluster/device.h"

namespace smoothlab::eval {

int thread_count(int wanted) {
  return wanted > 0 ? wanted : cluster::available_cores();
}

}  // namespace smoothlab::eval
