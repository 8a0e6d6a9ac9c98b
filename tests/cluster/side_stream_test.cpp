#include "cluster/side_stream.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "cluster/device.h"
#include "cluster/error.h"

namespace smoothlab::cluster {
namespace {

const c10::Device cpu(c10::DeviceType::CPU);

TEST(SideStream, RunsWorkOnTheCpuAtOnce) {
  const SideStream side(cpu);
  EXPECT_EQ(side.device(), cpu);
  at::Tensor made;
  const SideStream::Ready ready = side.run([&] {
    made = at::arange(4);
    return std::vector<at::Tensor>{made};
  });
  EXPECT_TRUE(made.equal(at::tensor({0, 1, 2, 3}, at::kLong)));
  ready.wait();
  SideStream::Ready().wait();
}

TEST(SideStream, PassesOnWhatWorkThrows) {
  const SideStream side(cpu);
  EXPECT_THROW(side.run([]() -> std::vector<at::Tensor> { throw DataError("damaged", "file", "fetch it"); }),
               DataError);
}

TEST(SideStream, UploadToTheCpuIsTheTensorItself) {
  const at::Tensor tensor = at::ones({2, 3});
  EXPECT_TRUE(upload(tensor, cpu).is_same(tensor));
}

TEST(SideStream, RefusesADeviceThatIsNotThere) {
  const c10::Device absent(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(cuda_devices()));
  EXPECT_THROW(SideStream{absent}, EnvironmentError);
  EXPECT_THROW(upload(at::ones({1}), absent), EnvironmentError);
}

}  // namespace
}  // namespace smoothlab::cluster
