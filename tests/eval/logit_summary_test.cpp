#include "eval/logit_summary.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>

#include <cmath>

#include "cluster/error.h"
#include "eval/compact_logits.h"
#include "summary_fixture.h"
#include "support/temporary_folder.h"

namespace smoothlab::eval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t rows = 300, classes = 37;

class LogitSummary : public testing::Test {
 protected:
  /// Shards of these numbers of rows, in order.
  std::vector<std::string> shards(const std::vector<int64_t>& counts, const std::string& tag) const {
    std::vector<std::string> paths;
    int64_t first = 0;
    for (size_t rank = 0; rank < counts.size(); ++rank) {
      paths.push_back(shard_path(path, tag, static_cast<int>(rank), static_cast<int>(counts.size())));
      test::write_rows(paths.back(), test::cut(all, classes, first, counts[rank]), classes,
                       summary_shape(classes));
      first += counts[rank];
    }
    return paths;
  }
  static SummaryRows read(const std::string& file) {
    const LogitFile from = test::summary_file(file);
    SummaryRows found;
    from.read_summary(0, from.rows(), found);
    return found;
  }
  std::string problem() const {
    try {
      read(path);
    } catch (const DataError& error) {
      return error.what();
    }
    return "taken";
  }
  /// A summary as others may write it, or may not.
  void write_foreign(const std::vector<float>& top, const std::vector<int32_t>& which, float label,
                     double lse, const std::vector<double>& grid = {0.5, 1, 2}, hsize_t lse_width = 3,
                     int64_t count = 4) const {
    test::ForeignFile file(path);
    file.attribute("classes", count);
    file.dataset<double>("temperatures", {grid.size()}, grid);
    file.dataset<double>("log_sum_exp", {1, lse_width}, std::vector<double>{2 * lse, lse, lse / 2, lse});
    file.dataset<float>("label_logit", {1}, {label});
    file.dataset<float>("top_logits", {1, top.size()}, top);
    file.dataset<int32_t>("top_classes", {1, which.size()}, which);
    file.dataset<int64_t>("labels", {1}, {2});
  }

  const test::TemporaryFolder folder;
  const std::string path = folder / "test.h5";
  const LogitRows all = test::gaussian_rows(rows, classes, 7);
};

TEST_F(LogitSummary, KeepsWhatItSays) {
  const SummaryShape shape{3, {0.5, 1, 3}};
  const std::vector<float> z = {1, 5, 5, -2, 4, 0, 5, 5, 0, 0, 0, 0};
  const std::vector<int64_t> labels = {3, 5};
  const SummaryRows found = summarise(z.data(), labels.data(), 2, 6, shape);
  EXPECT_THAT(found.top_logits, ElementsAre(5, 5, 4, 5, 5, 0));
  EXPECT_THAT(found.top_classes, ElementsAre(1, 2, 4, 0, 1, 2)) << "of equals the lower class is first";
  EXPECT_THAT(found.label_logits, ElementsAre(-2, 0));
  for (size_t row = 0; row < 2; ++row)
    for (size_t j = 0; j < 3; ++j) {
      double sum = 0;
      for (size_t k = 0; k < 6; ++k) sum += std::exp(z[row * 6 + k] / shape.temperatures[j]);
      EXPECT_NEAR(found.log_sum_exp[row * 3 + j], std::log(sum), 1e-13);
    }
  EXPECT_TRUE(has_shape(found, shape, 2));
  EXPECT_FALSE(has_shape(found, shape, 3));
  EXPECT_EQ(summary_shape(3).top, 3);
  EXPECT_EQ(summary_shape(8000).top, 10);
}

TEST_F(LogitSummary, DoesNotDependOnThreads) {
  const auto take = [&](int threads) {
    at::set_num_threads(threads);
    return summarise(all.logits.data(), all.labels.data(), rows, classes, summary_shape(classes));
  };
  const SummaryRows one = take(1), three = take(3);
  at::set_num_threads(1);
  EXPECT_EQ(one.log_sum_exp, three.log_sum_exp);
  EXPECT_EQ(one.top_classes, three.top_classes);
}

TEST_F(LogitSummary, IsTheSameFromOneShardAndFromSeveral) {
  publish_logit_file(path, shards({rows}, "a1"));
  const SummaryRows plain = read(path);
  {
    const LogitFile file = test::summary_file(path);
    EXPECT_TRUE(file.is_summary());
    EXPECT_TRUE(file.direct());
    EXPECT_EQ(file.classes(), classes);
    EXPECT_EQ(file.kept(), 10);
    EXPECT_EQ(file.temperatures(), summary_temperatures());
    EXPECT_EQ(file.attribute("keep"), "summary");
    EXPECT_EQ(file.attribute("schema"), "1");
    EXPECT_EQ(file.attribute("task"), "cifar10");
    EXPECT_FALSE(file.has("logits") || file.has("classifier"));
  }
  const SummaryRows made =
      summarise(all.logits.data(), all.labels.data(), rows, classes, summary_shape(classes));
  EXPECT_EQ(plain.log_sum_exp, made.log_sum_exp);
  publish_logit_file(path, shards({130, 0, 169, 1}, "b2"));
  const SummaryRows joined = read(path);
  EXPECT_EQ(joined.log_sum_exp, plain.log_sum_exp);
  EXPECT_EQ(joined.label_logits, plain.label_logits);
  EXPECT_EQ(joined.top_logits, plain.top_logits);
  EXPECT_EQ(joined.top_classes, plain.top_classes);
  std::vector<int64_t> positions(rows);
  test::summary_file(path).read_positions(0, rows, positions.data());
  EXPECT_EQ(positions[7], 2);
}

// A copy's shards are known by /log_sum_exp where there are no /logits.
TEST_F(LogitSummary, KeepsItsShardsWhereAnotherIsPublished) {
  publish_logit_file(path, shards({100, 200}, "a1"));
  std::filesystem::rename(path, folder / "best.h5");
  publish_logit_file(path, shards({150, 150}, "b2"));
  publish_logit_file(path, shards({120, 180}, "c3"));
  EXPECT_EQ(test::summary_file(folder / "best.h5").rows(), rows);
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path())) ++files;
  EXPECT_EQ(files, 6U);
}

TEST_F(LogitSummary, IsNotJoinedWithFullLogits) {
  auto paths = shards({100, 200}, "a1");
  test::write_rows(paths[1], test::cut(all, classes, 100, 200), classes);
  EXPECT_THROW(publish_logit_file(path, paths), DataError);
}

TEST_F(LogitSummary, IsRefusedByWhatTakesLogits) {
  test::write_rows(path, all, classes, summary_shape(classes));
  const auto line = [](const auto& work) -> std::string {
    try {
      work();
    } catch (const DataError& error) {
      return error.what();
    }
    return "taken";
  };
  const std::string wanted = "the file is a summary, without the logits that this takes";
  EXPECT_THAT(line([&] { LogitFile file(path); }), HasSubstr(wanted));
  EXPECT_THAT(line([&] { LogitFile file(path, Incomplete::refuse, Compact::accept); }), HasSubstr(wanted));
  EXPECT_THAT(line([&] { pack_logit_file(path, folder / "packed.h5"); }), HasSubstr(wanted));
  EXPECT_THAT(line([&] { compact_logit_file(path, folder / "small.h5", 3, {1}); }), HasSubstr(wanted));
  float logits[classes];
  EXPECT_THAT(line([&] { test::summary_file(path).read_logits(0, 1, logits); }), HasSubstr("no logits"));
}

TEST_F(LogitSummary, StaysIncompleteWithoutClose) {
  LogitShape shape;
  shape.rows = 10;
  shape.classes = classes;
  shape.positions = true;
  shape.summary = summary_shape(classes);
  {
    LogitShardWriter writer(path, shape, test::some_origin());
    LogitRows some = test::cut(all, classes, 0, 4);
    some.summary = summarise(some.logits.data(), some.labels.data(), 4, classes, *shape.summary);
    EXPECT_THROW(writer.append(some), RunError) << "logits beside a summary";
    some.logits.clear();
    writer.append(std::move(some));
  }
  EXPECT_THAT(problem(), HasSubstr("not complete"));
  const LogitFile part(path, Incomplete::accept, Compact::refuse, Summary::accept);
  std::vector<int64_t> ids(10);
  part.read_sample_ids(0, 10, ids.data());
  EXPECT_EQ(std::count(ids.begin(), ids.end(), -1), 6) << "rows that were written are known";
}

TEST_F(LogitSummary, IsCheckedAsItIsRead) {
  write_foreign({3, 1}, {0, 2}, 1, 3.5);
  EXPECT_EQ(problem(), "taken");
  EXPECT_EQ(test::summary_file(path).classes(), 4);
  const auto expect = [&](const std::string& wanted) { EXPECT_THAT(problem(), HasSubstr(wanted)); };
  write_foreign({1, 3}, {0, 2}, 3, 3.5);
  expect("row 0 has its greatest logits not in falling order");
  write_foreign({3, 1}, {0, 4}, 1, 3.5);
  expect("row 0 has class 4 of 4");
  write_foreign({3, 1}, {0, 0}, 1, 3.5);
  expect("class 0 twice");
  write_foreign({3, std::nanf("")}, {0, 2}, 1, 3.5);
  expect("has the logit nan");
  write_foreign({3, 1}, {0, 2}, 2, 3.5);
  expect("label's logit 2");
  write_foreign({3, 1}, {0, 1}, 2, 3.5);
  expect("label's logit 2");
  write_foreign({3, 1}, {0, 2}, 1, 2.9);
  expect("which no logits have");
  write_foreign({3, 1}, {0, 2}, 1, 9);
  expect("which no logits have");
  write_foreign({3, 1}, {0, 2}, 1, std::nan(""));
  expect("which no logits have");
  write_foreign({3, 1}, {0, 2}, 1, 3.5, {0.5, 1, 1});
  expect("/temperatures does not rise");
  write_foreign({3, 1}, {0, 2}, 1, 3.5, {2, 3, 4});
  expect("/temperatures is not around 1");
  write_foreign({3, 1}, {0, 2}, 1, 3.5, {0.5, 1, 2}, 4);
  expect("/log_sum_exp is not [1, 3]");
  write_foreign({3, 1}, {0, 2, 1}, 1, 3.5);
  expect("/top_classes is not [1, 2]");
  write_foreign({3, 1, 0}, {0, 2, 1}, 1, 3.5, {0.5, 1, 2}, 3, 2);
  expect("/top_logits has 3 of 2 classes");
}

}  // namespace
}  // namespace smoothlab::eval
