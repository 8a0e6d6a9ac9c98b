#include "cluster/communicator.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>

#include "cluster/addressed_random.h"
#include "cluster/error.h"
#include "support/ranks.h"

namespace smoothlab::cluster {
namespace {

using test::ranks;
using testing::ElementsAre;

/// Hash of a tensor's bits, equal on all ranks only if the tensors are.
uint64_t fingerprint(const at::Tensor& tensor) {
  uint64_t hash = 1469598103934665603u;
  const auto* bytes = static_cast<const uint8_t*>(tensor.data_ptr());
  for (size_t i = 0; i < tensor.nbytes(); ++i) hash = (hash ^ bytes[i]) * 1099511628211u;
  return hash;
}

at::Tensor rank_values(int rank, int64_t size) {
  const AddressedRandom random(7, Purpose::generated_data, 0, static_cast<uint64_t>(rank));
  at::Tensor values = at::empty({size}, at::kFloat);
  float* value = values.data_ptr<float>();
  for (int64_t i = 0; i < size; ++i)
    value[i] = static_cast<float>(random.uniform(static_cast<uint32_t>(i)) - 0.5);
  return values;
}

TEST(CommunicatorMpi, RanksAreNumberedOnTheirNode) {
  const int size = ranks().size();
  EXPECT_EQ(ranks().local_size(), size);
  EXPECT_EQ(ranks().local_rank(), ranks().rank());
  EXPECT_EQ(ranks().backend(), "mpi");
  const at::Tensor seen = ranks().allgather(at::full({1}, ranks().rank(), at::kLong));
  EXPECT_TRUE(seen.equal(at::arange(size, at::kLong)));
}

TEST(CommunicatorMpi, SumMaxAndMinOfEveryType) {
  const int64_t n = ranks().size(), rank = ranks().rank();
  for (const auto type : {at::kFloat, at::kDouble, at::kLong, at::kInt, at::kByte}) {
    const at::Tensor own = at::arange(5, type) + rank;
    at::Tensor sum = own.clone(), most = own.clone(), least = own.clone();
    ranks().allreduce(sum, Reduction::sum);
    ranks().allreduce(most, Reduction::max);
    ranks().allreduce(least, Reduction::min);
    EXPECT_TRUE(sum.equal((at::arange(5, at::kLong) * n + n * (n - 1) / 2).to(type))) << type;
    EXPECT_TRUE(most.equal((at::arange(5, at::kLong) + n - 1).to(type))) << type;
    EXPECT_TRUE(least.equal(at::arange(5, type))) << type;
  }
}

TEST(CommunicatorMpi, SumsOfBfloat16) {
  const int64_t n = ranks().size(), rank = ranks().rank();
  const at::Tensor exact = (at::arange(50, at::kLong) + rank).to(at::kBFloat16);
  ranks().allreduce(exact, Reduction::sum);
  EXPECT_TRUE(exact.equal((at::arange(50, at::kLong) * n + n * (n - 1) / 2).to(at::kBFloat16)));
  EXPECT_THROW(ranks().allreduce(exact, Reduction::max), RunError);

  // More than one piece of MPI's, of values whose sums are rounded.
  const int64_t size = 3'000'001;
  const at::Tensor sum = rank_values(static_cast<int>(rank), size).to(at::kBFloat16);
  ranks().allreduce(sum, Reduction::sum);
  at::Tensor truth = at::zeros({size}), largest = at::zeros({size});
  for (int r = 0; r < n; ++r) {
    const at::Tensor values = rank_values(r, size).to(at::kBFloat16).to(at::kFloat);
    truth += values;
    largest += values.abs();
  }
  // Half a unit in the last of 8 bits at each of n - 1 additions.
  EXPECT_TRUE(((sum.to(at::kFloat) - truth).abs() <= largest * (static_cast<double>(n - 1) / 256))
                  .all()
                  .item<bool>());
  const at::Tensor prints =
      ranks().allgather(at::full({1}, static_cast<int64_t>(fingerprint(sum)), at::kLong));
  EXPECT_TRUE(prints.eq(prints[0]).all().item<bool>()) << "ranks hold different sums";
}

TEST(CommunicatorMpi, SumsAreBitwiseEqualOnAllRanksAndInEveryRun) {
  for (const int64_t size : {1, 3, 1000, 70001, 600001}) {
    const at::Tensor own = rank_values(ranks().rank(), size);
    at::Tensor first = own.clone(), second = own.clone();
    ranks().allreduce(first, Reduction::sum);
    ranks().allreduce(second, Reduction::sum);
    EXPECT_TRUE(first.equal(second)) << size;
    const at::Tensor prints =
        ranks().allgather(at::full({1}, static_cast<int64_t>(fingerprint(first)), at::kLong));
    EXPECT_TRUE(prints.eq(prints[0]).all().item<bool>()) << size;
    at::Tensor exact = at::zeros({size}, at::kDouble);
    for (int r = 0; r < ranks().size(); ++r) exact += rank_values(r, size);
    EXPECT_LT((first.to(at::kDouble) - exact).abs().max().item<double>(), 1e-6) << size;
  }
}

TEST(CommunicatorMpi, LargeTensorsGoInPieces) {
  // Several pieces of a MiB, the last one short.
  const int64_t size = (int64_t{5} << 20) + 12345;
  at::Tensor bytes = at::ones({size}, at::kByte);
  bytes[size - 1] = 10 + ranks().rank();
  ranks().allreduce(bytes, Reduction::sum);
  const int n = ranks().size();
  EXPECT_EQ(bytes[size - 1].item<int>(), 10 * n + n * (n - 1) / 2);
  EXPECT_EQ(bytes.slice(0, 0, size - 1).eq(n).sum().item<int64_t>(), size - 1);

  at::Tensor sent = at::full({size}, ranks().rank() + 1, at::kByte);
  const at::Tensor all = ranks().allgather(sent);
  EXPECT_EQ(all.numel(), n * size);
  for (int r = 0; r < n; ++r) EXPECT_TRUE(all.narrow(0, r * size, size).eq(r + 1).all().item<bool>()) << r;
  ranks().broadcast(sent, n - 1);
  EXPECT_TRUE(sent.eq(n).all().item<bool>());
}

TEST(CommunicatorMpi, CollectivesUnderWayTogetherKeepTheirOwnResults) {
  const int n = ranks().size();
  std::vector<at::Tensor> tensors;
  std::vector<std::unique_ptr<PendingCollective>> pending;
  for (int64_t i = 0; i < 40; ++i) {
    tensors.push_back(at::full({1 + i * 997}, i + ranks().rank(), at::kFloat));
    pending.push_back(ranks().allreduce_async(tensors.back(), Reduction::sum));
  }
  EXPECT_TRUE(ranks().agree_any(ranks().rank() == n - 1));  // one more in between
  for (auto p = pending.rbegin(); p != pending.rend(); ++p) (*p)->wait();
  for (int64_t i = 0; i < 40; ++i)
    EXPECT_TRUE(tensors[i].eq(i * n + n * (n - 1) / 2.0).all().item<bool>()) << i;
}

TEST(CommunicatorMpi, DroppingACollectiveWaitsForIt) {
  at::Tensor tensor = at::ones({100000}, at::kFloat);
  ranks().allreduce_async(tensor, Reduction::sum).reset();
  EXPECT_TRUE(tensor.eq(ranks().size()).all().item<bool>());
}

TEST(CommunicatorMpi, ChannelsLastTensorsKeepTheirStrides) {
  at::Tensor weight =
      at::arange(2 * 3 * 4 * 4, at::kFloat).reshape({2, 3, 4, 4}).contiguous(at::MemoryFormat::ChannelsLast);
  const at::Tensor expected = weight * ranks().size();
  ranks().allreduce(weight, Reduction::sum);
  EXPECT_TRUE(weight.equal(expected));
  EXPECT_TRUE(weight.is_contiguous(at::MemoryFormat::ChannelsLast));
}

TEST(CommunicatorMpi, FlagsAndTexts) {
  const int n = ranks().size(), rank = ranks().rank();
  EXPECT_TRUE(ranks().agree_any(rank == 0));
  EXPECT_FALSE(ranks().agree_any(false));
  EXPECT_TRUE(ranks().agree_all(true));
  EXPECT_EQ(ranks().agree_all(rank == 0), n == 1);
  EXPECT_EQ(ranks().agree_max(-5 - rank), -5);
  EXPECT_EQ(ranks().broadcast_text("from rank " + std::to_string(rank), n - 1),
            "from rank " + std::to_string(n - 1));
  const auto texts = ranks().allgather_text(std::string(static_cast<size_t>(rank), 'x'));
  ASSERT_EQ(texts.size(), static_cast<size_t>(n));
  for (int r = 0; r < n; ++r) EXPECT_EQ(texts[r], std::string(static_cast<size_t>(r), 'x'));
  EXPECT_EQ(ranks().broadcast_text("", 0), "");
}

TEST(CommunicatorMpi, GathersAnyTypeInRankOrder) {
  const at::Tensor own = at::full({2, 3}, ranks().rank(), at::kBFloat16);
  const at::Tensor all = ranks().allgather(own);
  EXPECT_THAT(all.sizes(), ElementsAre(2 * ranks().size(), 3));
  EXPECT_EQ(all[2 * ranks().size() - 1][2].item<float>(), ranks().size() - 1);
  const at::Tensor nothing = ranks().allgather(at::empty({0, 3}, at::kFloat));
  EXPECT_THAT(nothing.sizes(), ElementsAre(0, 3));
}

TEST(CommunicatorMpi, RefusesWhatItCannotDo) {
  EXPECT_THROW(ranks().allreduce(at::ones({2}, at::kHalf), Reduction::sum), RunError);
  EXPECT_THROW(ranks().allreduce(at::ones({4, 4}).slice(1, 0, 2), Reduction::sum), RunError);
  EXPECT_THROW(ranks().broadcast(at::ones({1}), ranks().size()), RunError);
  EXPECT_THROW(make_communicator(), EnvironmentError);  // MPI can be started once
  ranks().barrier();
}

TEST(CommunicatorMpi, SmallMessagesAreQuick) {
  ranks().barrier();
  const auto start = std::chrono::steady_clock::now();
  constexpr int rounds = 200;
  for (int i = 0; i < rounds; ++i) ranks().agree_any(false);
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
  RecordProperty("microseconds", static_cast<int>(took.count() / rounds));
  if (ranks().is_root()) std::printf("[ agree_any: %.1f us ]\n", took.count() / rounds);
  EXPECT_LT(took.count() / rounds, 20000);  // with more ranks than cores a few time slices; no hang
}

}  // namespace
}  // namespace smoothlab::cluster
