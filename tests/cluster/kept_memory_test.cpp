#include "cluster/kept_memory.h"

#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

namespace smoothlab::cluster {
namespace {

TEST(KeptMemory, IsAlignedAndLargeEnough) {
  const KeptMemory memory;
  for (size_t bytes : {1UL, 63UL, 64UL, 65UL, 4095UL, 4096UL, 4097UL, 4608UL, 4609UL, 8191UL, 8192UL, 8193UL,
                       100000UL, 1000003UL, (1UL << 24) + 1}) {
    const auto block = memory.allocate(bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block.get()) % 64, 0U);
    EXPECT_EQ(block.device().type(), c10::DeviceType::CPU);
    std::memset(block.get(), 1, bytes);  // a sanitizer sees whether it has them
    EXPECT_GE(memory.in_use(), bytes);
    EXPECT_LE(memory.in_use(), std::max(bytes + 63, bytes + bytes / 8 + 1)) << bytes;
  }
  EXPECT_EQ(memory.in_use(), 0U);
  EXPECT_EQ(memory.allocate(0).get(), nullptr);
}

TEST(KeptMemory, TheNextOfALikeSizeGetsTheBlock) {
  const KeptMemory memory;
  void* first;
  {
    const auto block = memory.allocate(100000);
    first = block.get();
  }
  EXPECT_GE(memory.idle(), 100000U);
  const auto like = memory.allocate(99000);
  EXPECT_EQ(like.get(), first);
  EXPECT_EQ(memory.idle(), 0U);
  const auto other = memory.allocate(99000);
  EXPECT_NE(other.get(), first);
}

TEST(KeptMemory, GivesBackWhatIsTooMuch) {
  const KeptMemory memory(1000);
  for (size_t bytes = 10000; bytes < 100000; bytes += bytes / 6) memory.allocate(bytes);
  // Without a limit all would be kept: 10, 11.7, 13.6 … kB, some 600 kB.
  EXPECT_LE(memory.idle(), 2 * 100000 * 9 / 8 + 1000U);
  memory.give_back();
  EXPECT_EQ(memory.idle(), 0U);
}

TEST(KeptMemory, RefusesWhatNoMachineHas) {
  const KeptMemory memory;
  EXPECT_THROW(memory.allocate(SIZE_MAX), c10::Error);
}

TEST(KeptMemory, ThreadsMayFreeWhatOthersTook) {
  const KeptMemory memory;
  std::vector<c10::DataPtr> blocks(64);
  const auto each = [&](const auto& work) {
    std::vector<std::thread> threads;
    for (size_t t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (size_t round = 0; round < 200; ++round)
          for (size_t i = t * 16; i < t * 16 + 16; ++i) work(i);
      });
    for (auto& thread : threads) thread.join();
  };
  each([&](size_t i) {
    blocks[i] = memory.allocate(1000 + 37 * i);
    std::memset(blocks[i].get(), static_cast<int>(i), 1000 + 37 * i);
  });
  for (size_t i = 0; i < 64; ++i) {
    const auto* bytes = static_cast<const unsigned char*>(blocks[i].get());
    EXPECT_EQ(bytes[0], i);
    EXPECT_EQ(bytes[999 + 37 * i], i);
  }
  std::thread([&] { blocks.clear(); }).join();
  EXPECT_EQ(memory.in_use(), 0U);
}

}  // namespace
}  // namespace smoothlab::cluster
