#include "data/prepare_imagenet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <thread>

#include "cluster/error.h"
#include "data/image_archive.h"
#include "data/scan_journal.h"
#include "data/small_imagenet.h"
#include "support/faulty_file_system.h"
#include "support/temporary_folder.h"

namespace smoothlab::data {
namespace {

using namespace smoothlab::test;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

std::string failure(const PrepareImagenetOptions& options) {
  try {
    prepare(options);
  } catch (const Error& error) {
    return fmt::format("{}: {}", static_cast<int>(error.code()), error.what());
  }
  return "nothing failed";
}

class PrepareImagenetSmall : public testing::Test {
 protected:
  const TemporaryFolder folder;
  SmallImagenet small;
};

TEST_F(PrepareImagenetSmall, OfficialTars) {
  const auto prepared = prepare(small.write_tars(folder.path()));
  EXPECT_FALSE(prepared.already_there);
  EXPECT_EQ(prepared.facts.classes.synsets(), small.synsets);
  ASSERT_EQ(prepared.facts.splits.size(), 2U);
  EXPECT_EQ(prepared.facts.splits[0].layout, "class tars");
  EXPECT_EQ(prepared.facts.splits[0].count, 9);
  EXPECT_EQ(prepared.facts.splits[1].layout, "numbered images");
  EXPECT_EQ(prepared.facts.splits[1].count, 5);
  EXPECT_THAT(prepared.class_counts[0], ElementsAre(2, 3, 4));
  EXPECT_THAT(prepared.class_counts[1], ElementsAre(2, 2, 1));
  EXPECT_THAT(
      prepared.deviations,
      ElementsAre("3 classes, where ILSVRC 2012 has 1000", "train: 9 images, where ILSVRC 2012 has 1281167",
                  "train: 2 to 4 images a class, where ILSVRC 2012 has 732 to 1300",
                  "validation: 5 images, where ILSVRC 2012 has 50000",
                  "validation: 1 to 2 images a class, where ILSVRC 2012 has 50 to 50"));
  EXPECT_FALSE(fs::exists(folder / "index/images.index.scan"));
  EXPECT_FALSE(fs::exists(folder / "index/images.index.part"));
}

// What a sample is depends on its name alone, so that runs on one machine's tars and another's folders see
// the same data in the same order.
TEST_F(PrepareImagenetSmall, EveryLayoutIsTheSameData) {
  const auto tars = small.write_tars(folder.path());
  prepare(tars);
  const ImageArchive train(tars.out, "train"), validation(tars.out, "validation");
  fs::create_directories(folder / "in");
  std::vector<PrepareImagenetOptions> others = {small.write_folders(folder.path()),
                                                small.write_shards(folder.path())};
  small.write_class_list(folder / "classes.json");
  others[1].classes = folder / "classes.json";
  // A folder of class tars, and a folder of numbered images.
  for (size_t label = 0; label < 3; ++label)
    write_bytes(folder / ("in/" + small.synsets[label] + ".tar"), small.class_tar(label));
  fs::create_directories(folder / "numbered");
  for (size_t i = 0; i < 5; ++i)
    write_bytes(folder / ("numbered/" + small.validation_stem(i) + ".JPEG"),
                SmallImagenet::content(small.validation_stem(i)));
  others.push_back(tars);
  others[2].train = folder / "in";
  others[2].validation = folder / "numbered";
  for (size_t n = 0; n < others.size(); ++n) {
    others[n].out = folder / ("index" + std::to_string(n));
    prepare(others[n]);
    for (const ImageArchive* wanted : {&train, &validation}) {
      const ImageArchive other(others[n].out, wanted == &train ? "train" : "validation");
      ASSERT_EQ(other.size(), wanted->size());
      EXPECT_EQ(other.fingerprint(), wanted->fingerprint()) << n;
      EXPECT_EQ(other.synsets(), wanted->synsets());
      std::vector<uint8_t> bytes, others_bytes;
      for (int64_t i = 0; i < other.size(); ++i) {
        EXPECT_EQ(other.label(i), wanted->label(i));
        wanted->read(i, bytes);
        other.read(i, others_bytes);
        EXPECT_EQ(others_bytes, bytes) << other.where(i);
      }
    }
  }
}

TEST_F(PrepareImagenetSmall, ClassesGetNamesFromAList) {
  auto options = small.write_tars(folder.path());
  small.write_class_list(folder / "classes.json");
  options.classes = folder / "classes.json";
  EXPECT_THAT(prepare(options).facts.classes.names(), ElementsAre("name_0", "name_1", "name_2"));
  write_bytes(folder / "lines.txt", "n02123045 tabby, tabby cat\nn01440764 tench, Tinca tinca\nn01443537\n");
  options.classes = folder / "lines.txt";
  options.force = true;
  EXPECT_THAT(prepare(options).facts.classes.names(),
              ElementsAre("tench, Tinca tinca", "n01443537", "tabby, tabby cat"));
}

TEST_F(PrepareImagenetSmall, ClassListsWithMistakes) {
  auto options = small.write_tars(folder.path());
  options.classes = folder / "classes";
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {"", "the file is empty"},
      {"{", "no JSON object of classes"},
      {R"({"0": "n01440764"})", "no pair of synset and name (" + options.classes + ", class 0)"},
      {R"({"0": ["n2", "b"], "1": ["n1", "a"]})", "synset n1 has number 1, and is at place 0"},
      {R"({"0": ["n1", "b"], "1": ["n1", "a"]})", "synset n1 is there twice"},
      {"n1 a\nn1 b\n", "synset n1 is there twice (" + options.classes + ", line 2)"},
      {"n1 a\n\nn2 b\n", "a line without a class (" + options.classes + ", line 2)"},
      {"n01440764\nn01443537\n", "class n02123045 is none of the 2 of " + options.classes},
  };
  for (const auto& [text, problem] : mistakes) {
    write_bytes(options.classes, text);
    EXPECT_THAT(failure(options), AllOf(HasSubstr("3: "), HasSubstr(problem))) << text;
  }
}

TEST_F(PrepareImagenetSmall, SynsetListsWithMistakes) {
  const auto options = small.write_tars(folder.path());
  const std::string file = options.validation_synsets;
  const std::string four = "n01440764\nn01440764\nn01440764\nn01440764\n";
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {"490\n361\n", "'490' is no synset (" + file + ", line 1)"},
      {"n01440764\n\nn01440764\n", "'' is no synset (" + file + ", line 2)"},
      {four, "image 5, where " + file + " has 4 lines"},
      {four + "n99999999\n", "class n99999999 is none of the 3 of the train images (" + file + ", line 5)"},
  };
  for (const auto& [text, problem] : mistakes) {
    write_bytes(file, text);
    EXPECT_THAT(failure(options), AllOf(HasSubstr("3: "), HasSubstr(problem))) << text;
  }
  auto without = options;
  without.validation_synsets = "";
  EXPECT_THAT(failure(without), AllOf(HasSubstr("2: "), HasSubstr("add --validation-synsets FILE")));
  // More lines than images: images are missing.
  write_bytes(file, small.synset_list() + "n01440764\n");
  EXPECT_THAT(prepare(options).deviations,
              Contains("validation: 5 images, where the list of synsets has 6 lines"));
}

TEST_F(PrepareImagenetSmall, WhatIsIncompleteIsAnErrorWhereTheWholeIsExpected) {
  auto options = small.write_tars(folder.path());
  options.expect_complete = true;
  const auto told = AllOf(HasSubstr("3: not the whole of ILSVRC 2012: 3 classes"),
                          HasSubstr("validation: 5 images, where ILSVRC 2012 has 50000"));
  EXPECT_THAT(failure(options), told);
  EXPECT_FALSE(fs::exists(folder / "index/images.index"));
  options.expect_complete = false;
  EXPECT_GT(prepare(options).resumed_parts, 0);
  options.expect_complete = true;
  EXPECT_THAT(failure(options), told);  // of the index that is there, too
}

TEST_F(PrepareImagenetSmall, ClassesWithoutImagesAreNamed) {
  auto options = small.write_tars(folder.path());
  write_bytes(folder / "four.txt", "n00000001\nn01440764\nn01443537\nn02123045\n");
  options.classes = folder / "four.txt";
  const auto prepared = prepare(options);
  EXPECT_THAT(prepared.class_counts[0], ElementsAre(0, 2, 3, 4));
  EXPECT_THAT(prepared.deviations, Contains("train: 1 classes without images (n00000001)"));
}

TEST_F(PrepareImagenetSmall, ForeignMembersAreCountedAndNamed) {
  auto options = small.write_tars(folder.path());
  const std::string inner =
      tar_archive(tar_member("._n01440764_1.JPEG", "apple") + tar_member("x/", "", '5') +
                  tar_member("n01440764_1.JPEG", "image") + tar_member("notes", "n"));
  write_bytes(options.train, tar_archive(tar_member("README", "text") + tar_member("n01440764.tar", inner)));
  write_bytes(options.validation_synsets, "n01440764\n");
  write_bytes(options.validation, tar_archive(tar_member("ILSVRC2012_val_00000001.JPEG", "image")));
  const auto skipped = prepare(options).facts.splits[0].skipped;
  ASSERT_EQ(skipped.size(), 2U);
  EXPECT_EQ(skipped[0].reason, "no tar of a class");
  EXPECT_THAT(skipped[0].first, ElementsAre(options.train + ", README"));
  EXPECT_EQ(skipped[1].count, 2);
  EXPECT_THAT(skipped[1].first, ElementsAre(options.train + ", n01440764.tar, ._n01440764_1.JPEG",
                                            options.train + ", n01440764.tar, notes"));
}

TEST_F(PrepareImagenetSmall, MembersThatCannotBeImages) {
  const auto options = small.write_tars(folder.path());
  const auto with = [&](const std::string& members) {
    write_bytes(options.train, tar_archive(tar_member("n01440764.tar", tar_archive(members))));
    return failure(options);
  };
  const std::string good = tar_member("n01440764_1.JPEG", "image");
  EXPECT_THAT(with(good + tar_header("n01440764_2.JPEG", 0)),
              HasSubstr("3: an image of no bytes (" + options.train +
                        ", n01440764.tar, n01440764_2.JPEG, offset 2048)"));
  EXPECT_THAT(with(good + tar_header("n01440764_2.JPEG", 0, '2')),
              HasSubstr("3: a link or device instead of an image"));
  EXPECT_THAT(with(good + good), HasSubstr("3: an image that is there twice"));
  EXPECT_THAT(with(""), HasSubstr("3: no images in it (" + options.train + ", n01440764.tar)"));
  EXPECT_THAT(with(tar_member("a.txt", "text")), HasSubstr("3: no images in it"));
}

TEST_F(PrepareImagenetSmall, TarsThatAreCut) {
  const auto options = small.write_tars(folder.path());
  const std::string whole = small.training_tar();
  write_bytes(options.train, whole.substr(0, whole.size() / 2));
  EXPECT_THAT(failure(options), HasSubstr("3: the archive is cut"));
  write_bytes(options.train, tar_archive(tar_member("n01440764.tar", small.class_tar(0).substr(0, 1024))));
  EXPECT_THAT(failure(options), HasSubstr(options.train + ", n01440764.tar, offset"));
  write_bytes(options.train, whole);
  write_bytes(options.validation, small.validation_members());
  EXPECT_THAT(failure(options),
              HasSubstr("3: the archive is cut: it lacks its end mark (" + options.validation));
}

TEST_F(PrepareImagenetSmall, WhatIsNotThereOrOfAnotherKind) {
  const auto good = small.write_tars(folder.path());
  auto options = good;
  options.train = folder / "absent.tar";
  EXPECT_THAT(failure(options), HasSubstr("3: no such file or folder (" + options.train + ")"));
  options.train = good.validation;
  EXPECT_THAT(failure(options), HasSubstr("3: training images that tell no classes"));
  fs::create_directories(folder / "empty");
  options.train = folder / "empty";
  EXPECT_THAT(failure(options), HasSubstr("3: a folder without images, class folders or tars"));
  fs::create_directories(folder / "folders/n01440764");
  options.train = folder / "folders";
  EXPECT_THAT(failure(options), HasSubstr("3: no images in it (" + (folder / "folders/n01440764") + ")"));
  options.train = folder / "synsets.txt";
  EXPECT_THAT(failure(options), HasSubstr("3: the archive is cut"));
  options = good;
  options.validation_synsets = folder / "absent.txt";
  EXPECT_THAT(failure(options), HasSubstr("3: no such file"));
  options = good;
  options.out = "";
  EXPECT_THAT(failure(options), HasSubstr("2: no folder to write to"));
  options = {};
  options.out = folder / "index";
  EXPECT_THAT(failure(options), HasSubstr("2: no images named"));
}

TEST_F(PrepareImagenetSmall, ShardsWithMistakes) {
  auto options = small.write_shards(folder.path());
  const std::string shard = folder / "train-000001.tar", good = SmallImagenet::pair("good", 0);
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {good + tar_member("x.jpg", "image"), "an image without a label (" + shard + ", x.jpg"},
      {good + tar_member("x.cls", "1"), "a label without an image (" + shard + ", x.cls"},
      {good + tar_member("x.cls", "cat") + tar_member("x.jpg", "image"), "a label 'cat' that is no number"},
      {good + tar_member("x.cls", "-1") + tar_member("x.jpg", "image"), "a label '-1' that is no number"},
      {good + good, "a key that is there twice"},
      {good + tar_member("x.cls", "1") + tar_header("x.jpg", 0), "an image of no bytes"},
      {good + tar_member("x.cls", "1") + tar_header("x.jpg", 0, '2'), "a link or device"},
  };
  for (const auto& [members, problem] : mistakes) {
    write_bytes(shard, tar_archive(members));
    EXPECT_THAT(failure(options), AllOf(HasSubstr("3: "), HasSubstr(problem)));
  }
  write_bytes(shard, tar_archive(good + tar_member("notes.txt", "text")));
  EXPECT_THAT(prepare(options).facts.splits[0].skipped[0].first, ElementsAre(shard + ", notes.txt"));
  fs::remove(shard);
  EXPECT_THAT(failure(options), HasSubstr("3: a shard is missing (" + shard + ")"));
  options.train = folder / "other-*.tar";
  EXPECT_THAT(failure(options), HasSubstr("3: no file matches"));
  for (const char* braces : {"x-{0.tar", "x-{a..b}.tar", "x-{3..1}.tar", "x-{}.tar"}) {
    options.train = folder / braces;
    EXPECT_THAT(failure(options), HasSubstr("3: braces")) << braces;
  }
}

TEST_F(PrepareImagenetSmall, NumbersOfClassesNeedAListBesideSynsets) {
  auto options = small.write_shards(folder.path());
  EXPECT_THAT(prepare(options).facts.classes.names(), ElementsAre("0", "1", "2"));
  const auto tars = small.write_tars(folder.path());
  options.validation = tars.validation;
  options.validation_synsets = tars.validation_synsets;
  options.force = true;
  EXPECT_THAT(failure(options), AllOf(HasSubstr("2: "), HasSubstr("add --classes FILE")));
  write_bytes(folder / "two.txt", "n01440764\nn01443537\n");
  options.classes = folder / "two.txt";
  EXPECT_THAT(failure(options), HasSubstr("3: label 2, where " + options.classes + " has 2 classes"));
}

TEST_F(PrepareImagenetSmall, WhatIsThereIsNotMadeAgain) {
  auto options = small.write_tars(folder.path());
  prepare(options);
  const auto time = fs::last_write_time(folder / "index/images.index");
  const auto again = prepare(options);
  EXPECT_TRUE(again.already_there);
  EXPECT_THAT(again.class_counts[0], ElementsAre(2, 3, 4));
  EXPECT_EQ(fs::last_write_time(folder / "index/images.index"), time);
  // An index of other images stays unless it is meant to go; one of files that have changed is of no use.
  auto other = options;
  other.validation = "";
  EXPECT_THAT(failure(other), AllOf(HasSubstr("2: another index is there"), HasSubstr("validation")));
  write_bytes(options.validation, tar_archive(tar_member("notes", "n") + small.validation_members()));
  const auto changed = prepare(options);
  EXPECT_FALSE(changed.already_there);
  EXPECT_EQ(changed.facts.splits[1].skipped.size(), 1U);
  other.force = true;
  EXPECT_EQ(prepare(other).facts.splits.size(), 1U);
  write_bytes(folder / "index/images.index", "somebody's own");
  EXPECT_THAT(failure(other), HasSubstr("2: a file that is no index is in the index's place"));
}

TEST_F(PrepareImagenetSmall, AFolderIsTheSameWithASlashBehindIt) {
  auto options = small.write_folders(folder.path());
  prepare(options);
  options.train += "/";
  options.validation += "/./";
  EXPECT_TRUE(prepare(options).already_there);
}

TEST_F(PrepareImagenetSmall, ADamagedIndexIsMadeAgain) {
  const auto options = small.write_tars(folder.path());
  prepare(options);
  fs::resize_file(folder / "index/images.index", 100);
  EXPECT_FALSE(prepare(options).already_there);
  EXPECT_TRUE(prepare(options).already_there);
}

TEST_F(PrepareImagenetSmall, AStoppedScanGoesOn) {
  const auto options = small.write_tars(folder.path());
  const std::string whole = small.training_tar();
  // The last class's tar is damaged: what came before has been scanned.
  std::string damaged = whole;
  damaged[damaged.find("n02123045_103.JPEG")] = 'x';
  const auto time = fs::last_write_time(options.train);
  write_bytes(options.train, damaged);
  fs::last_write_time(options.train, time);
  EXPECT_THAT(failure(options), HasSubstr("its checksum differs"));
  ASSERT_TRUE(fs::exists(folder / "index/images.index.scan"));
  write_bytes(options.train, whole);
  fs::last_write_time(options.train, time);
  // A record that was cut, as by a killed process, does not count.
  std::ofstream(folder / "index/images.index.scan", std::ios::binary | std::ios::app) << "half a record";
  EXPECT_EQ(prepare(options).resumed_parts, 2);
  const ImageArchive train(options.out, "train");
  std::vector<uint8_t> bytes;
  for (int64_t i = 0; i < train.size(); ++i) {
    train.read(i, bytes);
    const std::string stem = train.name(i).substr(0, train.name(i).find('.'));
    EXPECT_EQ(std::string(bytes.begin(), bytes.end()), SmallImagenet::content(stem));
  }
}

TEST_F(PrepareImagenetSmall, WhatWasScannedOfAnOlderTarDoesNotCount) {
  auto options = small.write_tars(folder.path());
  options.expect_complete = true;
  failure(options);
  ASSERT_TRUE(fs::exists(folder / "index/images.index.scan"));
  fs::last_write_time(options.train, fs::last_write_time(options.train) + std::chrono::seconds(2));
  options.expect_complete = false;
  EXPECT_EQ(prepare(options).resumed_parts, 1);  // the validation tar
}

// Wherever the disk fails or the process dies there is the old index or the new one, and the same command
// makes the new one.
TEST_F(PrepareImagenetSmall, TheIndexIsWholeOrAbsentWhateverFails) {
  const auto options = small.write_tars(folder.path());
  FaultyFileSystem counted;
  prepare_imagenet(counted, options);
  const int operations = counted.operations();
  ASSERT_GT(operations, 6);
  for (const Fault fault : {Fault::no_space, Fault::torn, Fault::killed, Fault::power_cut}) {
    for (int n = 1; n <= operations; ++n) {
      fs::remove_all(options.out);
      FaultyFileSystem disk;
      disk.fail_at(n, fault);
      try {
        prepare_imagenet(disk, options);
      } catch (const EnvironmentError&) {
      }
      if (fs::exists(options.out + "/images.index")) {
        EXPECT_EQ(ImageArchive(options.out, "train").size(), 9);
      }
      const auto after = prepare(options);
      EXPECT_EQ(after.facts.splits[0].count, 9) << n;
      EXPECT_EQ(ImageArchive(options.out, "validation").size(), 5);
    }
  }
}

/// What is appended takes longer than a scan is silent.
class SlowDisk : public FaultyFileSystem {
 public:
  std::unique_ptr<cluster::WritableFile> append(const std::string& path) override {
    return std::make_unique<SlowFile>(FaultyFileSystem::append(path));
  }

 private:
  class SlowFile : public cluster::WritableFile {
   public:
    explicit SlowFile(std::unique_ptr<cluster::WritableFile> file) : file_(std::move(file)) {}
    void write(const void* bytes, size_t count) override {
      std::this_thread::sleep_for(std::chrono::milliseconds(150));
      file_->write(bytes, count);
    }
    void sync() override { file_->sync(); }
    void close() override { file_->close(); }

   private:
    std::unique_ptr<cluster::WritableFile> file_;
  };
};

TEST_F(PrepareImagenetSmall, ProgressTellsStages) {
  std::map<std::string, int64_t> parts;
  SlowDisk disk;
  prepare_imagenet(disk, small.write_tars(folder.path()), [&](const ScanProgress& progress) {
    parts[progress.stage] = progress.total;
    EXPECT_LE(progress.parts, progress.total);
    EXPECT_LE(progress.images, progress.stage == "train" ? 9 : 5);
  });
  EXPECT_THAT(parts, ElementsAre(testing::Pair("train", 3), testing::Pair("validation", 1)));
}

}  // namespace
}  // namespace smoothlab::data
