#include "support/ranks.h"

namespace smoothlab::test {

cluster::Communicator& ranks() {
  static const std::unique_ptr<cluster::Communicator> communicator = cluster::make_communicator();
  return *communicator;
}

}  // namespace smoothlab::test
