#include "trainer/input_pictures.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "cluster/error.h"
#include "data/picture_grid.h"
#include "trainer/run_parts.h"
#include "trainer/task_split.h"

namespace smoothlab::trainer {
namespace {

/// Pixels a side from which a picture is large enough to be looked at.
constexpr int64_t fair_size = 96;
constexpr int64_t first_samples = 6;

}  // namespace

std::vector<uint8_t> input_pictures(const Recipe& recipe, const PictureWish& wish) {
  if (data::is_text(recipe.task.data))
    throw UsageError("text is not shown as pictures, and task.data is " + recipe.task.data, "data show",
                     "choose a recipe for images");
  const TaskSplit split = split_of(evaluated_task_of(recipe), wish.split, "--split");
  std::vector<int64_t> samples = wish.samples;
  if (samples.empty()) {
    samples.resize(static_cast<size_t>(std::min(first_samples, split.dataset->size())));
    std::iota(samples.begin(), samples.end(), 0);
  }
  const int64_t draws = recipe.task.augment.draws;
  std::vector<at::Tensor> rows;
  for (const int64_t sample : samples) {
    rows.push_back(split.dataset->collate({{sample, 0}}, data::Augment::none).inputs.at(0));
    for (int64_t epoch = 0; epoch < wish.epochs; ++epoch) {
      const int64_t draw = draws > 0 ? epoch % draws : epoch;
      rows.push_back(split.dataset->collate({{sample, draw}}, data::Augment::training).inputs.at(0));
    }
  }
  const at::Tensor inputs = at::cat(rows);
  const int64_t times = std::max<int64_t>(1, fair_size / std::max(inputs.size(2), inputs.size(3)));
  return data::jpeg_of(
      data::picture_grid(data::pictures_of(inputs, recipe.task.augment.normalize), wish.epochs + 1, times));
}

}  // namespace smoothlab::trainer
