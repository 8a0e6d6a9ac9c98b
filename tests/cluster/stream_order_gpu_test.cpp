#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "cluster/device.h"
#include "cluster/error.h"
#include "cluster/side_stream.h"

namespace smoothlab::cluster {
namespace {

class StreamOrderGpu : public testing::Test {
 protected:
  void SetUp() override {
    if (cuda_devices() == 0) GTEST_SKIP() << "no CUDA device";
    matrix_ = at::eye(4096, at::TensorOptions().device(gpu_));
    (void)keep_busy().cpu();
  }
  /// Milliseconds of work on the current stream.
  at::Tensor keep_busy() const {
    at::Tensor product = matrix_;
    for (int i = 0; i < 10; ++i) product = product.matmul(matrix_);
    return product;
  }
  at::Tensor filled(int64_t value) const {
    return at::full({1 << 20}, value, at::TensorOptions().dtype(at::kLong).device(gpu_));
  }

  const c10::Device gpu_{c10::DeviceType::CUDA, 0};
  at::Tensor matrix_;
};

void expect_filled(const at::Tensor& tensor, int64_t value) {
  EXPECT_EQ(tensor.min().item<int64_t>(), value);
  EXPECT_EQ(tensor.max().item<int64_t>(), value);
}

TEST_F(StreamOrderGpu, WhoWaitsSeesTheWork) {
  const SideStream side(gpu_);
  for (int64_t round = 1; round <= 10; ++round) {
    at::Tensor made = filled(0);
    at::Tensor copy;
    const SideStream::Ready made_ready = side.run([&] {
      const at::Tensor busy = keep_busy();
      copy = filled(round);
      return std::vector<at::Tensor>{copy};
    });
    made_ready.wait();
    made.copy_(copy);
    expect_filled(made, round);
  }
}

TEST_F(StreamOrderGpu, MemoryIsNotGivenAwayBeforeItsUserIsDone) {
  const SideStream side(gpu_);
  for (int64_t round = 1; round <= 10; ++round) {
    at::Tensor used;
    {
      at::Tensor made;
      const SideStream::Ready ready = side.run([&] {
        made = filled(round);
        return std::vector<at::Tensor>{made};
      });
      ready.wait();
      const at::Tensor busy = keep_busy();
      used = made.clone();
    }
    // What the side stream makes now must not lie where `made` is still being read.
    (void)side.run([&] { return std::vector<at::Tensor>{filled(-1)}; });
    expect_filled(used, round);
  }
}

TEST_F(StreamOrderGpu, PageLockedMemoryIsNotReusedBeforeItIsCopied) {
  const SideStream side(gpu_);
  std::vector<at::Tensor> copies;
  const SideStream::Ready ready = side.run([&] {
    const at::Tensor busy = keep_busy();
    for (int64_t i = 0; i < 50; ++i) copies.push_back(upload(at::full({1 << 16}, i, at::kLong), gpu_));
    return copies;
  });
  ready.wait();
  for (size_t i = 0; i < copies.size(); ++i) expect_filled(copies[i], static_cast<int64_t>(i));
}

TEST_F(StreamOrderGpu, UploadKeepsValuesAndStrides) {
  const at::Tensor dense = at::arange(2 * 3 * 5 * 7, at::kFloat).view({2, 3, 5, 7});
  for (const at::Tensor& host :
       {dense, dense.contiguous(at::MemoryFormat::ChannelsLast), dense.slice(3, 0, 7, 2), at::ones({0})}) {
    const at::Tensor copy = upload(host, gpu_);
    EXPECT_EQ(copy.device(), gpu_);
    EXPECT_TRUE(copy.cpu().equal(host));
    if (host.is_non_overlapping_and_dense()) {
      EXPECT_EQ(copy.strides(), host.strides());
    }
  }
}

TEST_F(StreamOrderGpu, ThreadsShareAStream) {
  const SideStream side(gpu_);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (size_t t = 0; t < wrong.size(); ++t)
    threads.emplace_back([&, t] {
      for (int64_t i = 0; i < 100; ++i) {
        const int64_t value = static_cast<int64_t>(t) * 1000 + i;
        at::Tensor made;
        const SideStream::Ready ready = side.run([&] {
          made = upload(at::full({1 << 12}, value, at::kLong), gpu_).add(1);
          return std::vector<at::Tensor>{made};
        });
        ready.wait();
        wrong[t] += !made.eq(value + 1).all().item<bool>();
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

TEST_F(StreamOrderGpu, TooLittleMemoryIsAnErrorOfTheEnvironment) {
  const SideStream side(gpu_);
  const auto ask_for_too_much = [&] {
    return std::vector<at::Tensor>{at::empty({int64_t{1} << 50}, at::TensorOptions().device(gpu_))};
  };
  EXPECT_THROW(side.run(ask_for_too_much), EnvironmentError);
}

}  // namespace
}  // namespace smoothlab::cluster
