#include "data/batch_stream.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "cluster/device.h"
#include "cluster/error.h"
#include "data/task.h"

namespace smoothlab::data {
namespace {

constexpr int64_t samples = 53;

std::shared_ptr<const Dataset> small_set(uint64_t seed = 9) {
  TaskOptions options;
  options.data = "generated";
  options.train_samples = samples;
  options.test_samples = 10;
  options.augment.pad = 4;
  options.augment.crop = 32;
  options.augment.flip = true;
  options.augment.brightness = 20;
  return open_task(options, seed).train;
}

/// One global batch a step: the ranks' slices, micro-batches in order, stacked.
struct Step {
  at::Tensor pixels, labels, ids;
};

std::vector<Step> global_batches(const std::shared_ptr<const Dataset>& dataset, TrainingStreamOptions options,
                                 int ranks, int64_t steps) {
  std::vector<std::vector<Batch>> parts(steps);
  for (int rank = 0; rank < ranks; ++rank) {
    options.slice = {rank, ranks};
    TrainingStream stream(dataset, options);
    for (int64_t step = 0; step < steps; ++step) {
      MicroBatch micro;
      do {
        micro = stream.next();
        EXPECT_EQ(micro.step, options.first_step + step);
        if (options.micro_batch) {
          EXPECT_LE(micro.batch.rows(), options.micro_batch);
        }
        parts[step].push_back(micro.batch);
      } while (!micro.last);
    }
  }
  std::vector<Step> result;
  for (const auto& step : parts) {
    std::vector<at::Tensor> pixels, labels, ids;
    for (const Batch& batch : step) {
      pixels.push_back(batch.inputs[0]);
      labels.push_back(batch.labels);
      ids.push_back(batch.sample_ids);
    }
    result.push_back({at::cat(pixels), at::cat(labels), at::cat(ids)});
  }
  return result;
}

void expect_equal(const std::vector<Step>& a, const std::vector<Step>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(a[i].ids.equal(b[i].ids)) << i;
    EXPECT_TRUE(a[i].labels.equal(b[i].labels)) << i;
    EXPECT_TRUE(a[i].pixels.equal(b[i].pixels)) << i;
  }
}

TEST(BatchStream, TrainingBatchesDoNotDependOnRanksWorkersOrMicroBatches) {
  const auto dataset = small_set();
  TrainingStreamOptions options;
  options.seed = 4;
  options.global_batch.samples = 16;
  options.workers = 0;
  const auto reference = global_batches(dataset, options, 1, 12);
  for (const int ranks : {1, 2, 3, 4, 16, 19})
    for (const int workers : {0, 1, 3})
      for (const int64_t micro : {0, 1, 3, 5}) {
        options.workers = workers;
        options.micro_batch = micro;
        options.prefetch = 1 + workers;
        expect_equal(global_batches(dataset, options, ranks, 12), reference);
      }
}

TEST(BatchStream, TrainingGoesThroughWholeEpochs) {
  TrainingStreamOptions options;
  options.global_batch.samples = samples;
  TrainingStream stream(small_set(), options);
  at::Tensor previous;
  for (int epoch = 0; epoch < 3; ++epoch) {
    const at::Tensor ids = stream.next().batch.sample_ids;
    EXPECT_TRUE(std::get<0>(ids.sort()).equal(at::arange(samples)));
    if (previous.defined()) {
      EXPECT_FALSE(ids.equal(previous));
    }
    previous = ids;
  }
}

TEST(BatchStream, TrainingBatchMayExceedTheEpoch) {
  TrainingStreamOptions options;
  options.global_batch.samples = 2 * samples + 3;
  TrainingStream stream(small_set(), options);
  const at::Tensor counts = at::bincount(stream.next().batch.sample_ids, {}, samples);
  EXPECT_EQ(counts.min().item<int64_t>(), 2);
  EXPECT_EQ(counts.max().item<int64_t>(), 3);
}

TEST(BatchStream, TrainingResumesAtEveryStep) {
  const auto dataset = small_set();
  TrainingStreamOptions options;
  options.global_batch.samples = 16;
  options.micro_batch = 5;
  const auto whole = global_batches(dataset, options, 2, 10);
  for (int64_t step = 0; step < 10; ++step) {
    options.first_step = step;
    expect_equal(global_batches(dataset, options, 3, 10 - step), {whole.begin() + step, whole.end()});
  }
}

TEST(BatchStream, TrainingSeedChangesOrder) {
  const auto dataset = small_set();
  TrainingStreamOptions options;
  options.seed = 1;
  const auto one = global_batches(dataset, options, 1, 1);
  options.seed = 2;
  EXPECT_FALSE(one[0].ids.equal(global_batches(dataset, options, 1, 1)[0].ids));
}

TEST(BatchStream, MicroBatchesAreBalanced) {
  TrainingStreamOptions options;
  options.global_batch.samples = 16;
  options.micro_batch = 6;
  TrainingStream stream(small_set(), options);
  std::vector<int64_t> sizes;
  for (int i = 0; i < 3; ++i) {
    const MicroBatch micro = stream.next();
    sizes.push_back(micro.batch.rows());
    EXPECT_EQ(micro.last, i == 2);
  }
  EXPECT_EQ(sizes, (std::vector<int64_t>{5, 5, 6}));
}

TEST(BatchStream, RankWithoutSamplesStillTakesItsStep) {
  TrainingStreamOptions options;
  options.global_batch.samples = 2;
  options.slice = {0, 3};
  TrainingStream stream(small_set(), options);
  const MicroBatch micro = stream.next();
  EXPECT_EQ(micro.batch.rows(), 0);
  EXPECT_TRUE(micro.last);
  EXPECT_EQ(micro.batch.inputs[0].sizes(), (std::vector<int64_t>{0, 3, 32, 32}));
}

TEST(BatchStream, EvaluationYieldsEverySampleOnceInTheSameBatches) {
  const auto dataset = small_set();
  for (const int64_t size : {1, 7, 53, 60}) {
    std::vector<Batch> reference;
    for (const int ranks : {1, 2, 3, 4, 9}) {
      std::vector<Batch> batches;
      int64_t rows_before = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        EvaluationStreamOptions options;
        options.batch = size;
        options.slice = {rank, ranks};
        options.workers = rank % 3;
        EvaluationStream stream(dataset, options);
        EXPECT_EQ(stream.total_rows(), samples);
        EXPECT_EQ(stream.first_row(), rows_before);
        int64_t rows = 0;
        for (Batch batch; stream.next(batch); rows += batch.rows()) batches.push_back(batch);
        Batch none;
        EXPECT_FALSE(stream.next(none));
        EXPECT_EQ(rows, stream.rows());
        rows_before += rows;
      }
      if (ranks == 1) reference = batches;
      ASSERT_EQ(batches.size(), reference.size());
      std::vector<at::Tensor> ids;
      for (size_t i = 0; i < batches.size(); ++i) {
        EXPECT_TRUE(batches[i].inputs[0].equal(reference[i].inputs[0]));
        ids.push_back(batches[i].sample_ids);
      }
      EXPECT_TRUE(at::cat(ids).equal(at::arange(samples)));
    }
  }
}

class Unreadable : public Dataset {
 public:
  int64_t size() const override { return 20; }
  int64_t classes() const override { return 2; }
  std::vector<std::string> class_names() const override { return {"a", "b"}; }
  /// As a sentence would: a row for each of its words.
  int64_t rows(int64_t sample) const override { return sample + 1; }
  at::Tensor class_counts() const override { return at::zeros({2}, at::kLong); }
  std::vector<int64_t> input_shape() const override { return {1}; }
  Batch collate(const std::vector<SampleAddress>& chosen, Augment) const override {
    Batch batch;
    for (const SampleAddress& address : chosen)
      if (address.sample == 13) throw DataError("damaged", "record 13", "fetch it again");
    batch.labels = at::zeros({static_cast<int64_t>(chosen.size())}, at::kLong);
    return batch;
  }
};

TEST(BatchStream, ErrorsOfLoadingComeInTheirPlace) {
  for (const int workers : {0, 1, 4}) {
    EvaluationStreamOptions options;
    options.batch = 1;
    options.workers = workers;
    EvaluationStream stream(std::make_shared<Unreadable>(), options);
    Batch batch;
    for (int i = 0; i < 13; ++i) EXPECT_TRUE(stream.next(batch));
    EXPECT_THROW(stream.next(batch), DataError);
  }
}

TEST(BatchStream, EvaluationCountsRowsAndNotSamples) {
  EvaluationStreamOptions options;
  options.batch = 4;
  options.slice = {1, 3};  // batches 1 and 2 of 5: samples 4 … 11
  const EvaluationStream stream(std::make_shared<Unreadable>(), options);
  EXPECT_EQ(stream.first_row(), 1 + 2 + 3 + 4);
  EXPECT_EQ(stream.rows(), 5 + 6 + 7 + 8 + 9 + 10 + 11 + 12);
  EXPECT_EQ(stream.total_rows(), 210);
}

TEST(BatchStream, OnTheCpuNothingIsCopied) {
  const auto dataset = small_set();
  TrainingStreamOptions options;
  options.seed = 4;
  options.global_batch.samples = 16;
  TrainingStream plain(dataset, options);
  options.device = c10::Device(c10::DeviceType::CPU);
  TrainingStream stream(dataset, options);
  const Batch expected = plain.next().batch, batch = stream.next().batch;
  EXPECT_TRUE(batch.inputs[0].equal(expected.inputs[0]));
  EXPECT_FALSE(batch.device_labels.defined());
  EXPECT_TRUE(batch.labels_with_inputs().is_same(batch.labels));
}

TEST(BatchStream, InputsComeInTheTypeAskedFor) {
  const auto dataset = small_set();
  TrainingStreamOptions training;
  training.global_batch.samples = 16;
  TrainingStream plain(dataset, training);
  training.input_type = at::kBFloat16;
  TrainingStream stream(dataset, training);
  const at::Tensor input = stream.next().batch.inputs[0];
  EXPECT_EQ(input.scalar_type(), at::kBFloat16);
  EXPECT_TRUE(input.equal(plain.next().batch.inputs[0].to(at::kBFloat16)));
  EvaluationStreamOptions evaluation;
  evaluation.input_type = at::kBFloat16;
  EvaluationStream evaluated(dataset, evaluation);
  Batch batch;
  ASSERT_TRUE(evaluated.next(batch));
  EXPECT_EQ(batch.inputs[0].scalar_type(), at::kBFloat16);
  EXPECT_EQ(batch.labels.scalar_type(), at::kLong);
}

TEST(BatchStream, RefusesADeviceThatIsNotThere) {
  const c10::Device absent(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(cluster::cuda_devices()));
  TrainingStreamOptions training;
  training.device = absent;
  EXPECT_THROW(TrainingStream(small_set(), training), EnvironmentError);
  EvaluationStreamOptions evaluation;
  evaluation.device = absent;
  EXPECT_THROW(EvaluationStream(small_set(), evaluation), EnvironmentError);
}

TEST(BatchStream, RefusesImpossibleOptions) {
  const auto dataset = small_set();
  TrainingStreamOptions training;
  training.global_batch.samples = 0;
  EXPECT_THROW(TrainingStream(dataset, training), UsageError);
  training.global_batch.samples = 4;
  training.slice = {2, 2};
  EXPECT_THROW(TrainingStream(dataset, training), UsageError);
  training.slice = {0, 1};
  training.first_step = -1;
  EXPECT_THROW(TrainingStream(dataset, training), UsageError);
  EvaluationStreamOptions evaluation;
  evaluation.batch = 0;
  EXPECT_THROW(EvaluationStream(dataset, evaluation), UsageError);
}

}  // namespace
}  // namespace smoothlab::data
