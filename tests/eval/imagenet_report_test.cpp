// What a report says of ImageNet and Inception-v4, from logit files as evaluations write them.
#include <gmock/gmock.h>

#include "cluster/addressed_random.h"
#include "eval/logit_shard_writer.h"
#include "eval/paper_results.h"
#include "eval/report_charts.h"
#include "eval/report_claims.h"
#include "eval/report_fixture.h"
#include "eval/report_page.h"
#include "support/temporary_folder.h"

namespace smoothlab::eval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t classes = 1000, width = 12, rows_of_class = 8;
const std::vector<std::string> triple = {"tench", "meerkat", "cleaver"},
                               poodles = {"toy poodle", "miniature poodle", "tench"};

const Beside* row(const std::vector<Beside>& rows, const std::string& words) {
  for (const Beside& one : rows)
    if (one.what.find(words) != std::string::npos) return &one;
  return nullptr;
}

class ImagenetReport : public testing::Test {
 protected:
  /// Activations around the template of their class; logits are `sharpness` times what these give.
  std::string write(const std::string& split, double noise, double sharpness) const {
    LogitOrigin origin;
    origin.task = "imagenet";
    origin.model = "inception_v4";
    origin.split = split;
    origin.convention = "uniform";
    origin.class_names.assign(static_cast<size_t>(classes), "");
    for (size_t k = 0; k < origin.class_names.size(); ++k)
      origin.class_names[k] = "class_" + std::to_string(k);
    for (const auto& [number, name] :
         std::vector<std::pair<size_t, const char*>>{{0, "tench, Tinca tinca"},
                                                     {299, "meerkat, mierkat"},
                                                     {499, "cleaver, meat cleaver, chopper"},
                                                     {265, "toy poodle"},
                                                     {266, "miniature poodle"},
                                                     {134, "crane"},
                                                     {517, "crane"}})
      origin.class_names[number] = name;
    const std::vector<int64_t> shown = {0, 299, 499, 265, 266};
    std::vector<float> weight, bias(static_cast<size_t>(classes), 0.0F);
    for (int64_t k = 0; k < classes; ++k) {
      const AddressedRandom random(5, Purpose::generated_data, 0, static_cast<uint64_t>(k));
      for (uint32_t i = 0; i < width; ++i) weight.push_back(static_cast<float>(random.normal(i)));
    }
    LogitRows rows;
    rows.rows = rows_of_class * static_cast<int64_t>(shown.size());
    for (int64_t r = 0; r < rows.rows; ++r) {
      const int64_t label = shown[static_cast<size_t>(r) % shown.size()];
      const AddressedRandom random(6, Purpose::generated_data, 0, static_cast<uint64_t>(r));
      std::vector<double> x;
      for (uint32_t i = 0; i < width; ++i)
        x.push_back(static_cast<double>(weight[static_cast<size_t>(label * width + i)]) +
                    noise * random.normal(i));
      for (const double value : x) rows.penultimate.push_back(static_cast<float>(value));
      for (int64_t k = 0; k < classes; ++k) {
        double z = 0;
        for (size_t i = 0; i < x.size(); ++i)
          z += x[i] * static_cast<double>(weight[static_cast<size_t>(k * width) + i]);
        rows.logits.push_back(static_cast<float>(sharpness * z));
      }
      rows.labels.push_back(label);
      rows.sample_ids.push_back(r);
    }
    LogitShardWriter writer(folder / "x.h5", {rows.rows, classes, width, false, LogitPrecision::float32},
                            origin);
    writer.classifier(weight, bias);
    writer.append(std::move(rows));
    writer.close();
    return folder / "x.h5";
  }

  /// Evaluated on held-out images while it trained; its figures are of official ones.
  ReportRun run(double alpha, double noise, double sharpness) const {
    ReportRun run = test::ended_run(alpha, 1, 0.75, 0.2);
    run.task = "imagenet";
    run.model = "inception_v4";
    run.information.clear();
    for (const char* split : {"train", "test"}) {
      const LogitFile file(write(split, noise, sharpness));
      CalibrationOptions options;
      options.bootstrap = 0;
      if (split == std::string("test")) run.calibration = analyse(file, options);
      run.projections.push_back({project(file, triple)});
      run.projections.push_back({project(file, poodles), true});
    }
    return run;
  }
  const test::TemporaryFolder folder;
};

TEST_F(ImagenetReport, HasTheRowsOfThePapersTables) {
  std::vector<ReportRun> runs = {run(0, 1.2, 2), run(0.1, 0.6, 0.4)};
  // As far as the paper prints, these are its figures; the text below is checked by them.
  runs[0].calibration->unscaled.accuracy = runs[1].calibration->unscaled.accuracy = 0.8091;
  runs[0].calibration->unscaled.ece = 0.0712;
  runs[0].calibration->scaled->ece = 0.0218;
  runs[0].calibration->fit->temperature = 1.41;
  runs[1].calibration->unscaled.ece = 0.0354;
  const auto subjects = report_subjects(runs);
  ASSERT_EQ(subjects.size(), 1U);
  EXPECT_EQ(subjects[0].name, "ImageNet, Inception-v4");
  const auto rows = beside_paper(subjects[0]);
  ASSERT_EQ(rows.size(), 6U);
  const std::vector<std::vector<std::string>> wanted = {
      {"top-1 accuracy in %, α = 0 (Table 2)", "80.9", "80.91"},
      {"top-1 accuracy in %, α = 0.1 (Table 2)", "80.9", "80.91"},
      {"ECE, α = 0 (Table 3)", "0.071", "0.071"},
      {"ECE, α = 0, temperature-scaled", "0.022", "0.022"},
      {"fitted temperature", "1.4", "1.41"},
      {"ECE, α = 0.1", "0.035", "0.035"}};
  for (const auto& one : wanted) {
    const Beside* found = row(rows, one[0]);
    ASSERT_NE(found, nullptr) << one[0];
    EXPECT_EQ(found->paper, one[1]) << one[0];
    EXPECT_THAT(found->here, HasSubstr(one[2])) << one[0];
  }
}

// Accuracy of held-out training images stood beside the paper's of the official validation images.
TEST_F(ImagenetReport, FiguresAreOfTheOfficialValidationImages) {
  EXPECT_EQ(published_results("imagenet", "inception_v4")->split, "test");
  ReportRun judged = run(0, 1.2, 2);
  EXPECT_TRUE(judged_elsewhere(judged));
  EXPECT_DOUBLE_EQ(*final_accuracy(judged), 100 * judged.calibration->unscaled.accuracy);
  EXPECT_DOUBLE_EQ(*final_nll(judged), judged.calibration->unscaled.nll);
  judged.calibration->origin["split"] = "validation";
  EXPECT_FALSE(judged_elsewhere(judged));
  EXPECT_DOUBLE_EQ(*final_accuracy(judged), 75);
  EXPECT_DOUBLE_EQ(*final_nll(judged), 1.1);
}

TEST_F(ImagenetReport, LogitsOfTheOfficialImagesGoBeforeThoseOfHeldOutOnes) {
  ReportRun one = run(0, 1.2, 2);
  const CalibrationReport of_test = *one.calibration;
  CalibrationReport of_validation = of_test;
  of_validation.origin["split"] = "validation";
  one.calibration.reset();
  EXPECT_EQ(missing_split(one), "test");
  EXPECT_TRUE(is_judged(one, "test"));
  EXPECT_TRUE(is_judged(one, "validation")) << "it was evaluated on it";
  EXPECT_FALSE(is_judged(one, "train"));
  EXPECT_FALSE(is_judged(one, ""));
  one.calibration = of_validation;
  EXPECT_EQ(missing_split(one), "test");
  EXPECT_TRUE(is_judged(one, "test"));
  one.calibration = of_test;
  EXPECT_EQ(missing_split(one), "");
  EXPECT_FALSE(is_judged(one, "validation"));
  // Of CIFAR the paper's figures are of what is evaluated.
  one.task = "cifar100";
  one.model = "resnet56_t2t";
  one.calibration.reset();
  EXPECT_EQ(missing_split(one), "");
  EXPECT_TRUE(is_judged(one, "validation"));
  EXPECT_FALSE(is_judged(one, "test"));
}

TEST_F(ImagenetReport, ClaimsAreAboutClassesThatAreNotAlike) {
  std::vector<ReportRun> runs = {run(0, 1.2, 2), run(0.1, 0.6, 0.4)};
  const auto claims_of = [&] { return claims_about(report_subjects(runs)[0]); };
  const auto both = claims_of();
  EXPECT_EQ(projected_spread(runs[0], "train"), runs[0].projections[0].projection.spread);
  for (ReportRun& one : runs)
    for (ReportRun::Projection& projection : one.projections) projection.similar = true;
  EXPECT_EQ(projected_spread(runs[0], "train"), std::nullopt);
  EXPECT_EQ(both.size(), claims_of().size() + 4) << "tighter and more regular, of two splits";
}

TEST_F(ImagenetReport, ThePageHasFigure2AndBothTriplesOfFigure1) {
  std::vector<ReportRun> runs = {run(0, 1.2, 2), run(0.1, 0.6, 0.4)};
  const auto groups = projection_charts(report_subjects(runs)[0]);
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].classes, "tench, meerkat, cleaver");
  EXPECT_EQ(groups[1].classes, "toy poodle, miniature poodle, tench");
  for (const ProjectionCharts& group : groups) {
    std::vector<std::string> titles;
    for (const Chart& chart : group.charts) titles.push_back(chart.title);
    EXPECT_THAT(titles, ElementsAre("α = 0, train", "α = 0, test", "α = 0.1, train", "α = 0.1, test"));
  }
  EXPECT_EQ(groups[1].charts[0].x.name, "from toy poodle to miniature poodle");
  const std::string page = report_page("x", runs);
  for (const char* words :
       {"<h4>tench, meerkat, cleaver</h4>", "<h4>toy poodle, miniature poodle, tench</h4>",
        "α = 0, unscaled, T = 1", "α = 0, temperature-scaled, T = ", "α = 0.1, unscaled, T = 1"})
    EXPECT_THAT(page, HasSubstr(words)) << words;
  EXPECT_THAT(page, testing::Not(HasSubstr("class_"))) << "1000 names are no help";
  EXPECT_THAT(page, HasSubstr("Figures of final logits are of split test"));
  EXPECT_LT(page.size(), 200U << 10);
}

}  // namespace
}  // namespace smoothlab::eval
