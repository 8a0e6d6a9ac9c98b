#include "data/image_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "cluster/error.h"
#include "data/small_imagenet.h"
#include "support/temporary_folder.h"

namespace smoothlab::data {
namespace {

using namespace smoothlab::test;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

std::string failure_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return fmt::format("{}: {}", static_cast<int>(error.code()), error.what());
  }
  return "nothing failed";
}

class ImageArchiveSmall : public testing::Test {
 protected:
  std::string opening() const {
    return failure_of([this] { ImageArchive(folder / "index", "train"); });
  }
  std::string index_bytes() const {
    std::ifstream in(folder / "index/images.index", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string opening(const std::string& bytes) const {
    write_bytes(folder / "index/images.index", bytes);
    return opening();
  }
  static std::string read(const ImageArchive& archive, int64_t sample) {
    std::vector<uint8_t> bytes;
    archive.read(sample, bytes);
    return {bytes.begin(), bytes.end()};
  }

  const TemporaryFolder folder;
  SmallImagenet small;
};

TEST_F(ImageArchiveSmall, SamplesAreInTheOrderOfTheirNames) {
  auto options = small.write_tars(folder.path());
  small.write_class_list(folder / "classes.json");
  options.classes = folder / "classes.json";
  prepare(options);
  const ImageArchive train(options.out, "train"), validation(options.out, "validation");
  ASSERT_EQ(train.size(), 9);
  EXPECT_EQ(train.classes(), 3);
  EXPECT_EQ(train.name(0), "n01440764_100.JPEG");
  EXPECT_EQ(train.name(1), "n01440764_101.JPEG");
  EXPECT_EQ(train.label(8), 2);
  EXPECT_THAT(train.class_names(), ElementsAre("name_0", "name_1", "name_2"));
  EXPECT_EQ(train.synsets(), small.synsets);
  EXPECT_THAT(train.class_counts(), ElementsAre(2, 3, 4));
  ASSERT_EQ(validation.size(), 5);
  for (int64_t i = 0; i < 5; ++i) {
    const std::string stem = small.validation_stem(static_cast<size_t>(i));
    EXPECT_EQ(validation.label(i), small.validation[static_cast<size_t>(i)]);
    EXPECT_EQ(read(validation, i), SmallImagenet::content(stem));
    EXPECT_EQ(validation.bytes(i), static_cast<int64_t>(SmallImagenet::content(stem).size()));
  }
  EXPECT_THAT(validation.where(0), HasSubstr("val.tar, ILSVRC2012_val_00000001.JPEG, offset 512"));
  EXPECT_EQ(train.fingerprint().size(), 64U);
  EXPECT_NE(train.fingerprint(), validation.fingerprint());
  EXPECT_THAT(failure_of([&] { train.label(9); }), HasSubstr("2: sample 9 of 9"));
  EXPECT_THAT(failure_of([&] { train.name(-1); }), HasSubstr("2: sample -1 of 9"));
}

TEST_F(ImageArchiveSmall, ReadsFromSeveralThreadsAtOnce) {
  const auto options = small.write_tars(folder.path());
  prepare(options);
  const ImageArchive train(options.out, "train");
  std::vector<std::thread> threads;
  std::vector<int> right(4);
  for (size_t t = 0; t < right.size(); ++t)
    threads.emplace_back([&, t] {
      for (int64_t n = 0; n < 900; ++n) {
        const int64_t i = (n * 7 + static_cast<int64_t>(t)) % train.size();
        const std::string name = train.name(i);
        right[t] += read(train, i) == SmallImagenet::content(name.substr(0, name.size() - 5));
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(right, ElementsAre(900, 900, 900, 900));
}

TEST_F(ImageArchiveSmall, AnIndexOfATarThatHasChangedIsRefused) {
  const auto options = small.write_tars(folder.path());
  prepare(options);
  const auto time = fs::last_write_time(options.train);
  fs::last_write_time(options.train, time + std::chrono::seconds(5));
  EXPECT_THAT(opening(), AllOf(HasSubstr("3: changed since "), HasSubstr("(its time is 5 s later)"),
                               HasSubstr(options.train), HasSubstr("smoothlab data prepare imagenet")));
  // What a copy loses whose disk keeps whole seconds.
  fs::last_write_time(options.train, time - std::chrono::milliseconds(250));
  EXPECT_THAT(opening(), HasSubstr("(its time is 0.25 s earlier)"));
  fs::last_write_time(options.train, time);
  EXPECT_EQ(opening(), "nothing failed");
  fs::resize_file(options.train, fs::file_size(options.train) - 512);
  EXPECT_THAT(opening(), HasSubstr("bytes, where " + (folder / "index/images.index") + " was made of"));
  fs::remove(options.train);
  EXPECT_THAT(opening(), AllOf(HasSubstr("3: no such file"), HasSubstr(options.train)));
  // What is evaluated is there all the same.
  EXPECT_EQ(ImageArchive(folder / "index", "validation").size(), 5);
}

TEST_F(ImageArchiveSmall, AFolderOrFileThatHasChangedIsRefused) {
  const auto options = small.write_folders(folder.path());
  prepare(options);
  const ImageArchive train(options.out, "train");
  const std::string file = train.where(0);
  write_bytes(file, "shorter");
  EXPECT_THAT(failure_of([&] { read(train, 0); }),
              AllOf(HasSubstr("3: 7 bytes, where the index has"), HasSubstr(file), HasSubstr("--force")));
  auto again = options;
  EXPECT_TRUE(prepare(again).already_there) << "a folder's time says nothing of what is in its files";
  again.force = true;
  prepare(again);
  EXPECT_EQ(read(ImageArchive(options.out, "train"), 0), "shorter");
  fs::remove(file);
  EXPECT_THAT(failure_of([&] { read(train, 0); }), AllOf(HasSubstr("3: no such file"), HasSubstr(file)));
  EXPECT_THAT(opening(), HasSubstr("3: changed since"));
}

TEST_F(ImageArchiveSmall, ATarThatBecomesShorterMeanwhileIsTold) {
  const auto options = small.write_tars(folder.path());
  prepare(options);
  const ImageArchive train(options.out, "train");
  fs::resize_file(options.train, 2000);
  EXPECT_THAT(failure_of([&] { read(train, 8); }),
              AllOf(HasSubstr("3: the file ends too early (" + options.train + ", offset"),
                    HasSubstr("n02123045_103.JPEG")));
}

TEST_F(ImageArchiveSmall, MoreTarsThanDescriptors) {
  std::string members;
  for (int i = 0; i < 300; ++i)
    write_bytes(fmt::format("{}/s-{:03}.tar", folder.path(), i),
                tar_archive(SmallImagenet::pair(fmt::format("{:05}", i), static_cast<size_t>(i % 3))));
  PrepareImagenetOptions options;
  options.train = folder / "s-*.tar";
  options.out = folder / "index";
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = 100;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  EXPECT_EQ(failure_of([&] {
              prepare(options);
              const ImageArchive train(options.out, "train");
              ASSERT_EQ(train.size(), 300);
              for (int64_t i = 0; i < 300; ++i)
                EXPECT_EQ(read(train, i), SmallImagenet::content(fmt::format("{:05}", i)));
            }),
            "nothing failed");
  setrlimit(RLIMIT_NOFILE, &before);
}

/// Where the machine does not let it have more descriptors, each read opens its tar.
TEST_F(ImageArchiveSmall, MoreTarsThanTheMachineGivesDescriptorsFor) {
  for (int i = 0; i < 120; ++i)
    write_bytes(fmt::format("{}/s-{:03}.tar", folder.path(), i),
                tar_archive(SmallImagenet::pair(fmt::format("{:05}", i), static_cast<size_t>(i % 3))));
  PrepareImagenetOptions options;
  options.train = folder / "s-*.tar";
  options.out = folder / "index";
  prepare(options);
  const auto read_all = [&] {
    const rlimit few{60, 60};
    if (setrlimit(RLIMIT_NOFILE, &few) != 0) std::exit(3);
    const ImageArchive train(options.out, "train");
    for (int64_t i = 0; i < 120; ++i)
      if (read(train, i) != SmallImagenet::content(fmt::format("{:05}", i))) std::exit(4);
    std::exit(0);
  };
  EXPECT_EXIT(read_all(), testing::ExitedWithCode(0), "");
}

TEST_F(ImageArchiveSmall, WhatIsOpenedWhenReadNeedNotBeThere) {
  prepare(small.write_tars(folder.path()));
  fs::rename(folder / "train.tar", folder / "elsewhere.tar");
  EXPECT_THAT(failure_of([&] { ImageArchive(folder / "index", "train"); }), HasSubstr("train.tar"));
  const ImageArchive train(folder / "index", "train", Opening::when_read);
  EXPECT_EQ(train.size(), 9);
  EXPECT_EQ(train.label(8), 2);
  EXPECT_THAT(failure_of([&] { read(train, 0); }), HasSubstr("train.tar"));
  fs::rename(folder / "elsewhere.tar", folder / "train.tar");
  EXPECT_EQ(failure_of([&] { read(train, 0); }), "nothing failed");
}

TEST_F(ImageArchiveSmall, ADamagedIndexIsRefused) {
  prepare(small.write_tars(folder.path()));
  const std::string good = index_bytes();
  EXPECT_THAT(opening(""), HasSubstr("3: the file is empty"));
  EXPECT_THAT(opening(good.substr(0, 5)), HasSubstr("3: the file is cut"));
  EXPECT_THAT(opening(good.substr(0, 30)), HasSubstr("3: the file is cut within its header"));
  EXPECT_THAT(opening("another file of some length"), HasSubstr("3: not an index of images"));
  EXPECT_THAT(opening(good.substr(0, good.size() - 1)), HasSubstr("3: the file is cut"));
  EXPECT_THAT(opening(good + "x"), HasSubstr("something was added to it"));
  std::string bytes = good;
  bytes[offsetof(ImageIndexHeader, version)] = 9;
  EXPECT_THAT(opening(bytes), HasSubstr("an index of version 9, where this program reads 1"));
  bytes = good;
  const uint32_t turned = 0x04030201;
  std::memcpy(&bytes[offsetof(ImageIndexHeader, byte_order)], &turned, sizeof turned);
  EXPECT_THAT(opening(bytes), HasSubstr("another byte order"));
  fs::remove(folder / "index/images.index");
  EXPECT_THAT(opening(), AllOf(HasSubstr("3: no such file"), HasSubstr("smoothlab data prepare imagenet")));
}

TEST_F(ImageArchiveSmall, EveryDamagedByteOfAnIndexIsNoticed) {
  prepare(small.write_tars(folder.path()));
  const std::string good = index_bytes();
  const auto padding_at = sizeof(ImageIndexHeader);
  int64_t fact_bytes = 0;
  std::memcpy(&fact_bytes, &good[offsetof(ImageIndexHeader, fact_bytes)], sizeof fact_bytes);
  const size_t padding_begin = padding_at + static_cast<size_t>(fact_bytes);
  const auto padding_end = static_cast<size_t>(image_records_at(fact_bytes));
  for (size_t i = 0; i < good.size(); ++i) {
    if (i >= padding_begin && i < padding_end) continue;
    std::string bytes = good;
    bytes[i] = static_cast<char>(bytes[i] ^ 0x41);
    ASSERT_THAT(opening(bytes), HasSubstr("3: ")) << i;
  }
}

TEST_F(ImageArchiveSmall, ASplitThatIsNotThere) {
  auto options = small.write_tars(folder.path());
  options.train = "";
  EXPECT_THAT(prepare(options).facts.classes.synsets(), testing::SizeIs(3));
  EXPECT_THAT(opening(), AllOf(HasSubstr("3: no train split in the index"), HasSubstr("--train")));
}

}  // namespace
}  // namespace smoothlab::data
