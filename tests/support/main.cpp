#include <gtest/gtest.h>

// Multi-rank tests make their own communicator; MPI is started by the first that does.
int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
