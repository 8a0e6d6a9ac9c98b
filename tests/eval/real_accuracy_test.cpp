#include "eval/real_accuracy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "eval/logit_publish.h"
#include "eval/summary_fixture.h"
#include "support/temporary_folder.h"

namespace smoothlab::eval {
namespace {

using testing::HasSubstr;

/// Rows of a split whose sample i has logits of its own.
struct Split {
  int64_t classes = 5;
  std::vector<int64_t> samples, labels;
  std::vector<float> logits;
  std::string task = "imagenet", name = "test";

  /// `top` has the greatest logit, as have all of `ties`.
  void add(int64_t sample, int64_t label, int64_t top, const std::vector<int64_t>& ties = {}) {
    samples.push_back(sample);
    labels.push_back(label);
    for (int64_t k = 0; k < classes; ++k) {
      const bool greatest = k == top || std::find(ties.begin(), ties.end(), k) != ties.end();
      logits.push_back(greatest ? 3.0F : -0.25F * static_cast<float>(k));
    }
  }
  int64_t rows() const { return static_cast<int64_t>(samples.size()); }
};

class RealAccuracyOf : public testing::Test {
 protected:
  RealLabels real(const std::string& text) const {
    cluster::write_file_whole(*cluster::local_file_system(), folder / "real.json", text);
    return RealLabels(folder / "real.json");
  }
  /// As one shard of some, or as a file of its own.
  std::string write(const Split& split, const std::string& name = "test.h5", bool summary = false) const {
    LogitShape shape;
    shape.rows = split.rows();
    shape.classes = split.classes;
    LogitOrigin origin = test::some_origin();
    origin.task = split.task;
    origin.split = split.name;
    LogitRows rows;
    rows.rows = split.rows();
    rows.labels = split.labels;
    rows.sample_ids = split.samples;
    if (summary) {
      shape.summary = summary_shape(split.classes);
      rows.summary =
          summarise(split.logits.data(), split.labels.data(), rows.rows, split.classes, *shape.summary);
    } else {
      rows.logits = split.logits;
    }
    LogitShardWriter writer(folder / name, shape, origin);
    writer.append(std::move(rows));
    writer.close();
    return folder / name;
  }
  RealAccuracy judged(const Split& split, const std::string& labels, bool summary = false) const {
    return real_accuracy(test::summary_file(write(split, "test.h5", summary)), real(labels), 2);
  }
  std::string refusal(const Split& split, const std::string& labels) const {
    try {
      judged(split, labels);
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  }
  const test::TemporaryFolder folder;
};

/// Rows are not in the order of samples.
Split six_images() {
  Split split;
  split.add(5, 4, 4);
  split.add(0, 1, 1);
  split.add(1, 2, 0);
  split.add(2, 3, 3);
  split.add(3, 0, 2, {4});  // of equals the lower one
  split.add(4, 0, 1);
  return split;
}
// 0: right. 1: the top prediction is one of two, the label none of them. 2: does not count. 3: right by the
// lower of two ties. 4: wrong, and the label is right. 5: wrong.
const char* six_lists = "[[1], [0, 4], [], [2, 3], [0], [0]]";

TEST_F(RealAccuracyOf, CountsImagesThatHaveALabelByTheirSamples) {
  for (const bool summary : {false, true}) {
    const RealAccuracy found = judged(six_images(), six_lists, summary);
    EXPECT_EQ(found.images, 5);
    EXPECT_EQ(found.correct, 3);
    EXPECT_DOUBLE_EQ(found.accuracy(), 0.6);
    EXPECT_EQ(found.agreeing, 2) << "of samples 0 and 4";
    EXPECT_THAT(found.doubt(), HasSubstr("Only 2 of 5 labels of the file"));
  }
  EXPECT_EQ(judged(six_images(), "[[1], [2], [3], [0], [0], [4]]").doubt(), "");
}

// As the authors of the labels count: the mean of "prediction in list" over lists that are not empty.
TEST_F(RealAccuracyOf, ManyRowsOfAThousandClasses) {
  Split split;
  split.classes = 1000;
  std::string lists = "[";
  std::srand(3);
  int64_t images = 0, correct = 0;
  for (int64_t sample = 0; sample < 700; ++sample) {
    const int64_t top = std::rand() % 1000, other = std::rand() % 1000, kind = sample % 3;
    split.add(sample, other, top);
    lists += sample > 0 ? ", " : "";
    // None; the top and, where it differs, another; another alone.
    const std::string both = other == top ? "" : ", " + std::to_string(other);
    lists += kind == 0   ? "[]"
             : kind == 1 ? "[" + std::to_string(top) + both + "]"
                         : "[" + std::to_string(other) + "]";
    images += kind > 0 ? 1 : 0;
    correct += kind == 1 || (kind == 2 && other == top) ? 1 : 0;
  }
  const RealAccuracy found = judged(split, lists + "]");
  EXPECT_EQ(found.images, images);
  EXPECT_EQ(found.correct, correct);
  EXPECT_EQ(images, 466);
}

TEST_F(RealAccuracyOf, ShardsAndWhatIsPublishedOfThem) {
  Split first, second;
  for (int64_t sample : {0, 1, 2}) first.add(sample, sample, sample);
  for (int64_t sample : {3, 4}) second.add(sample, sample, 0);
  const auto one = write(first, "test.abc.0-of-2.h5"), two = write(second, "test.abc.1-of-2.h5");
  const RealLabels labels = real("[[0], [0], [1, 2], [], [0]]");
  const auto of = [&](const std::string& path) { return real_accuracy(LogitFile(path), labels, 1); };
  EXPECT_EQ(of(one).images, 3);
  EXPECT_EQ(of(one).correct, 2);
  EXPECT_EQ(of(two).images, 1);
  publish_logit_file(folder / "test.h5", {one, two});
  EXPECT_EQ(of(folder / "test.h5").images, 4);
  EXPECT_EQ(of(folder / "test.h5").correct, 3);
}

TEST_F(RealAccuracyOf, RefusesRowsOfSomethingElse) {
  Split split = six_images();
  split.name = "validation";
  EXPECT_THAT(refusal(split, six_lists), HasSubstr("not of split validation of imagenet"));
  split.name = "test";
  split.task = "cifar100";
  EXPECT_THAT(refusal(split, six_lists), HasSubstr("not of split test of cifar100"));
  split.task = split.name = "";  // files of others
  EXPECT_EQ(refusal(split, six_lists), "");
  EXPECT_THAT(refusal(six_images(), "[[1], [0]]"), HasSubstr("there are 6 images and 2 items in"));
  EXPECT_THAT(refusal(six_images(), "[[1], [0], [], [3], [4], [0], [1]]"),
              HasSubstr("there are 6 images and 7 items in"));
  EXPECT_THAT(refusal(six_images(), "[[1], [0], [], [5], [4], [0]]"),
              HasSubstr("class 5 is not among the 5 of " + (folder / "test.h5") + " (" +
                        (folder / "real.json") + ", item 3)"));
  EXPECT_THAT(refusal(six_images(), "[[], [], [], [], [], []]"),
              HasSubstr("no image of the file has ReaL labels"));
}

TEST_F(RealAccuracyOf, RefusesSamplesThatAreNotEachThereOnce) {
  Split twice, beyond, background;
  for (const int64_t sample : {0, 1, 1}) twice.add(sample, 0, 0);
  for (const int64_t sample : {0, 1, 3}) beyond.add(sample, 0, 0);
  EXPECT_THAT(refusal(twice, "[[0], [0], [0]]"), HasSubstr("sample 1 is there twice"));
  EXPECT_THAT(refusal(beyond, "[[0], [0], [0]]"), HasSubstr("sample 3 has no item among the 3 of"));
  background.classes = 1001;  // networks with a class for the background number the others from 1 on
  background.add(0, 0, 0);
  EXPECT_THAT(refusal(background, "[[0]]"), HasSubstr("there are 1001 classes"));
}

}  // namespace
}  // namespace smoothlab::eval
