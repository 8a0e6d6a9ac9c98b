#include "cluster/flat_layout.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/error.h"

namespace smoothlab::cluster {
namespace {

std::vector<at::Tensor> prototypes() {
  return {at::empty({3, 5}), at::empty({4, 3, 2, 2}).contiguous(at::MemoryFormat::ChannelsLast),
          at::empty({}), at::empty({0})};
}

TEST(FlatLayout, TensorsStandAlignedInTheOrderGiven) {
  const FlatLayout layout(prototypes(), {2, 1, 3, 0});
  EXPECT_EQ(layout.tensors(), 4);
  EXPECT_EQ(layout.offset(2), 0);
  EXPECT_EQ(layout.offset(1), 16);
  EXPECT_EQ(layout.offset(3), 64);
  EXPECT_EQ(layout.offset(0), 64);
  EXPECT_EQ(layout.total(), 80);
  EXPECT_EQ(layout.size(0), 15);
  EXPECT_THAT(layout.order(), testing::ElementsAre(2, 1, 3, 0));
}

TEST(FlatLayout, ViewsShareMemoryAndKeepStrides) {
  const FlatLayout layout(prototypes(), {2, 1, 3, 0});
  const at::Tensor flat = at::zeros({layout.total()});
  for (int64_t t = 0; t < 4; ++t) {
    const at::Tensor view = layout.view(flat, t);
    EXPECT_EQ(view.sizes(), prototypes()[t].sizes());
    EXPECT_EQ(view.strides(), prototypes()[t].strides());
    view.fill_(t + 1);
  }
  EXPECT_TRUE(layout.view(flat, 1).is_contiguous(at::MemoryFormat::ChannelsLast));
  EXPECT_EQ(flat.sum().item<float>(), 1 * 15 + 2 * 48 + 3 * 1);
  EXPECT_EQ(flat.slice(0, 1, 16).abs().sum().item<float>(), 0);  // the gap after the scalar
}

TEST(FlatLayout, ViewsWorkInsideALargerBufferAndForEveryType) {
  const FlatLayout layout(prototypes(), {0, 1, 2, 3});
  const at::Tensor both = at::arange(2 * layout.total(), at::kDouble);
  const at::Tensor second = both.narrow(0, layout.total(), layout.total());
  EXPECT_EQ(layout.view(second, 1).data_ptr<double>(), both.data_ptr<double>() + layout.total() + 16);
  EXPECT_EQ(layout.view(at::zeros({layout.total()}, at::kBFloat16), 0).scalar_type(), at::kBFloat16);
}

TEST(FlatLayout, RefusesWhatIsNoOrderOrNoBuffer) {
  EXPECT_THROW(FlatLayout(prototypes(), {0, 1, 2}), RunError);
  EXPECT_THROW(FlatLayout(prototypes(), {0, 1, 2, 2}), RunError);
  EXPECT_THROW(FlatLayout(prototypes(), {0, 1, 2, 4}), RunError);
  EXPECT_THROW(FlatLayout({at::empty({4, 4}).slice(1, 0, 2)}, {0}), RunError);
  const FlatLayout layout(prototypes(), {0, 1, 2, 3});
  EXPECT_THROW(layout.view(at::zeros({layout.total() - 1}), 0), RunError);
}

}  // namespace
}  // namespace smoothlab::cluster
