#include "cluster/failure.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <new>
#include <stdexcept>

namespace smoothlab::cluster {
namespace {

using testing::HasSubstr;
using testing::Not;

Error error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const std::exception& failure) {
    return as_error(failure);
  }
  return UsageError("nothing was thrown", "", "");
}

TEST(Failure, ErrorsStayWhatTheyAre) {
  const Error error = error_of([] { throw DataError("cut short", "x.idx", "fetch it again"); });
  EXPECT_EQ(error.code(), ExitCode::data);
  EXPECT_STREQ(error.what(), "cut short (x.idx); fetch it again");
}

// The words of LibTorch 1.13 and of 2.6.
TEST(Failure, LackOfGpuMemorySaysWhatWasAskedFor) {
  for (
      const char* words :
      {"CUDA out of memory. Tried to allocate 20.00 GiB (GPU 0; 39.59 GiB total capacity; 1 GiB already ...)",
       "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 79.11 GiB of which ..."}) {
    const Error error = error_of([&] { throw c10::OutOfMemoryError({"alloc", "f.cpp", 1}, words); });
    EXPECT_EQ(error.code(), ExitCode::environment);
    EXPECT_THAT(error.what(), testing::StartsWith("GPU out of memory (20.00 GiB asked for"));
    EXPECT_THAT(error.what(), HasSubstr("train.micro_batch"));
  }
}

// More bytes than an address can have, so that no machine's settings can grant it.
TEST(Failure, LibTorchsLackOfMemoryIsTheMachinesAndOneCleanLine) {
  const Error error = error_of([] { at::empty({int64_t{1} << 50}, at::kFloat); });
  EXPECT_EQ(error.code(), ExitCode::environment);
  EXPECT_THAT(error.what(), HasSubstr("out of memory ("));
  EXPECT_THAT(error.what(), HasSubstr("train.global_batch"));
  EXPECT_THAT(error.what(), HasSubstr("--batch-tokens or --beam of translate"));
  EXPECT_THAT(error.what(), Not(HasSubstr("enforce fail")));
  EXPECT_THAT(error.what(), Not(HasSubstr("frame #")));
  EXPECT_EQ(error_of([] { throw std::bad_alloc(); }).code(), ExitCode::environment);
}

TEST(Failure, OtherFailuresOfLibTorchHaveNoBacktrace) {
  const Error error = error_of([] { at::mm(at::ones({2, 3}), at::ones({2, 3})); });
  EXPECT_EQ(error.code(), ExitCode::failure);
  EXPECT_THAT(error.what(), HasSubstr("2x3"));
  EXPECT_THAT(error.what(), Not(HasSubstr("frame #")));
  EXPECT_THAT(error.what(), Not(HasSubstr("Exception raised from")));
  EXPECT_EQ(error_of([] { throw std::runtime_error("odd"); }).code(), ExitCode::failure);
}

}  // namespace
}  // namespace smoothlab::cluster
