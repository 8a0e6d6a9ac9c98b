#include "eval/text_table.h"

#include <gtest/gtest.h>

#include "cluster/error.h"

namespace smoothlab::eval {
namespace {

TEST(TextTable, ColumnsAreAsWideAsTheirWidestCell) {
  EXPECT_EQ(text_table({{"run", "n", "ece"}, {"a", "10", "0.1 ± 0.2"}}),
            "  run   n        ece\n"
            "  a    10  0.1 ± 0.2\n");
}

TEST(TextTable, SomeColumnsAreFlushLeft) {
  EXPECT_EQ(text_table({{"run", "n", "state"}, {"a", "10", "x"}}, {0, 2}),
            "  run   n  state\n"
            "  a    10  x\n");
}

TEST(TextTable, ALineIsNotLongerThanTheFirst) {
  EXPECT_THROW(text_table({{"a"}, {"b", "c"}}), RunError);
  EXPECT_EQ(text_table({{"a", "b"}, {"c"}}), "  a  b\n  c\n");
}

TEST(TextTable, NothingIsNoTable) {
  EXPECT_EQ(text_table({}), "");
}

}  // namespace
}  // namespace smoothlab::eval
