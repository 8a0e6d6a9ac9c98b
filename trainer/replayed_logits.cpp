#include "trainer/replayed_logits.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "cluster/error.h"
#include "eval/recipe_text.h"
#include "eval/row_kernels.h"

namespace smoothlab::trainer {
namespace {

constexpr int64_t block_rows = 1 << 16;
constexpr char remedy[] = "remove the file, and it is made anew from teacher.run, or name another one";

[[noreturn]] void does_not_fit(const std::string& problem, const std::string& path) {
  throw DataError(problem, path, remedy);
}

/// An attribute that a file need not have must be this where it has it.
void compare(const eval::LogitFile& file, const char* attribute, const std::string& expected) {
  const std::string found = file.attribute(attribute);
  if (!found.empty() && found != expected)
    does_not_fit(fmt::format("the teacher's logits are of {} '{}', not '{}'", attribute, found, expected),
                 file.path());
}

}  // namespace

ReplayedLogits::ReplayedLogits(const std::string& path, const data::Dataset& train, const std::string& task,
                               const ReplayedInputs& inputs)
    : file_(path, eval::Incomplete::refuse, eval::Compact::accept), draws_(inputs.draws) {
  const std::string found_inputs = file_.attribute("inputs");
  compare(file_, "task", task);
  compare(file_, "split", "train");
  const std::string samples = file_.attribute("samples_digest");
  if (!samples.empty() && samples != train.fingerprint())
    does_not_fit("the teacher's logits are of other samples than the student's training split", path);
  const auto recipe = eval::recipe_values(file_.attribute("recipe"));
  const auto normalize = recipe.find("task.augment.normalize");
  if (found_inputs.empty() && normalize != recipe.end() && normalize->second != inputs.normalize)
    does_not_fit(fmt::format("the teacher's inputs had normalize: {}, the student's have {}",
                             normalize->second, inputs.normalize),
                 path);
  if (file_.classes() != train.classes())
    does_not_fit(
        fmt::format("the teacher has {} classes, the student's data {}", file_.classes(), train.classes()),
        path);
  if (found_inputs.empty() && !inputs.describe.empty())
    does_not_fit(
        fmt::format("the file does not say how its inputs were augmented, which the student's are: {}",
                    inputs.describe),
        path);
  if (found_inputs != inputs.describe)
    does_not_fit(fmt::format("the teacher's logits are of other inputs, {}; the student's: {}", found_inputs,
                             inputs.describe.empty() ? "as they are" : inputs.describe),
                 path);
  index(train);
}

void ReplayedLogits::index(const data::Dataset& train) {
  rows_.assign(static_cast<size_t>(train.size() * draws_), -1);
  std::vector<int64_t> found(static_cast<size_t>(train.size()), 0);
  const at::Tensor labels = train.labels();
  std::vector<int64_t> ids, classes;
  for (int64_t first = 0; first < file_.rows(); first += block_rows) {
    const int64_t count = std::min(block_rows, file_.rows() - first);
    ids.resize(static_cast<size_t>(count));
    classes.resize(ids.size());
    file_.read_sample_ids(first, count, ids.data());
    file_.read_labels(first, count, classes.data());
    for (int64_t i = 0; i < count; ++i) {
      const int64_t sample = ids[static_cast<size_t>(i)];
      if (sample < 0 || sample >= train.size())
        does_not_fit(fmt::format("row {} is of sample {}, which a training split of {} does not have",
                                 first + i, sample, train.size()),
                     file_.path());
      const int64_t label = classes[static_cast<size_t>(i)];
      if (labels.defined() && labels.data_ptr<int64_t>()[sample] != label)
        does_not_fit(fmt::format("sample {} has label {} there, {} in the student's data", sample, label,
                                 labels.data_ptr<int64_t>()[sample]),
                     file_.path());
      const int64_t draw = found[static_cast<size_t>(sample)]++;
      if (draw < draws_) rows_[static_cast<size_t>(sample * draws_ + draw)] = first + i;
    }
  }
  const auto wrong =
      std::find_if(found.begin(), found.end(), [this](int64_t count) { return count != draws_; });
  if (wrong != found.end())
    does_not_fit(fmt::format("the file has {} rows of sample {}, where there must be {}", *wrong,
                             wrong - found.begin(), draws_),
                 file_.path());
}

at::Tensor ReplayedLogits::rows(const std::vector<data::SampleAddress>& samples) const {
  at::Tensor rows = at::empty({static_cast<int64_t>(samples.size()), file_.classes()}, at::kFloat);
  float* out = rows.data_ptr<float>();
  for (const auto& [sample, epoch] : samples) {
    const int64_t row = rows_.at(static_cast<size_t>(sample * draws_ + epoch % draws_));
    file_.read_logits(row, 1, out);
    if (!eval::row_kernels().finite(out, file_.classes()))
      throw DataError(fmt::format("a logit of sample {} is no number", sample),
                      fmt::format("{}, row {}", file_.path(), row),
                      "write the file anew: a teacher that is sure of a class has a large logit");
    out += file_.classes();
  }
  return rows;
}

}  // namespace smoothlab::trainer
