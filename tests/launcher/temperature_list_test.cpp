#include "launcher/temperature_list.h"

#include <gtest/gtest.h>

#include "cluster/error.h"

namespace smoothlab::launcher {
namespace {

TEST(TemperatureList, ListsAndRanges) {
  EXPECT_EQ(temperature_list("2,0.5,1,0.5", "--t"), (std::vector<double>{0.5, 1, 2}));
  EXPECT_EQ(temperature_list("0.5:2:4", "--t"), (std::vector<double>{0.5, 1, 1.5, 2}));
  EXPECT_EQ(temperature_list("0.1:1:10", "--t")[6], 0.7) << "as 0.7 would be written";
}

TEST(TemperatureList, WhatIsNone) {
  for (const char* wrong : {"", "0", "-1", "a", "1,", "1,,2", "1;2", "1:2", "2:1:3", "1:2:1", "1:2:2.5",
                            "1:2:3:4", "inf", "nan", "1e9", "1:2:5000"})
    EXPECT_THROW(temperature_list(wrong, "--t"), UsageError) << wrong;
}

}  // namespace
}  // namespace smoothlab::launcher
