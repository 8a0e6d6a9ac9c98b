#include "eval/summary_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cluster/error.h"

namespace smoothlab::eval {
namespace {

constexpr char remedy[] = "evaluate again with --keep summary";

/// What is wrong with a row's greatest logits; empty: nothing.
std::string fault_of_top(const float* logits, const int32_t* which, size_t top, int64_t classes) {
  for (size_t i = 0; i < top; ++i) {
    if (!std::isfinite(logits[i])) return fmt::format("has the logit {}", logits[i]);
    if (which[i] < 0 || which[i] >= classes) return fmt::format("has class {} of {}", which[i], classes);
    if (std::find(which, which + i, which[i]) != which + i)
      return fmt::format("has class {} twice", which[i]);
    if (i > 0 && logits[i] > logits[i - 1]) return "has its greatest logits not in falling order";
  }
  return "";
}

}  // namespace

SummarySource::SummarySource(SourceFiles& files, int64_t classes)
    : path_(files.root()->path()), classes_(classes) {
  const auto open = [&](const char* name, RowType type) {
    if (!hdf5_has(files.root()->file(), name)) fail(fmt::format("there is no /{}", name));
    return std::make_unique<RowSource>(files.root(), name, type, files);
  };
  const auto grid = open("temperatures", RowType::float64);
  if (grid->rank() != 1 || grid->rows() < 2 || grid->rows() > 4096)
    fail("/temperatures is no list of 2 to 4096");
  temperatures_.resize(static_cast<size_t>(grid->rows()));
  grid->read(0, grid->rows(), temperatures_.data());
  for (size_t j = 0; j < temperatures_.size(); ++j)
    if (!(temperatures_[j] > (j > 0 ? temperatures_[j - 1] : 0)) || !std::isfinite(temperatures_[j]))
      fail("/temperatures does not rise from above 0");
  if (temperatures_.front() > 1 || temperatures_.back() < 1) fail("/temperatures is not around 1");
  log_sum_exp_ = open("log_sum_exp", RowType::float64);
  label_logits_ = open("label_logit", RowType::float32);
  top_logits_ = open("top_logits", RowType::float32);
  top_classes_ = open("top_classes", RowType::int64);
  labels_ = open("labels", RowType::int64);
  require_rows(*log_sum_exp_, "log_sum_exp", 2, grid->rows());
  require_rows(*label_logits_, "label_logit", 1, 1);
  require_rows(*top_classes_, "top_classes", 2, top_logits_->width());
  require_rows(*labels_, "labels", 1, 1);
  if (top_logits_->width() < 1 || top_logits_->width() > classes_)
    fail(fmt::format("/top_logits has {} of {} classes (attribute classes)", top_logits_->width(), classes_));
}

void SummarySource::require_rows(const RowSource& rows, const char* name, int rank, int64_t width) const {
  if (rows.rank() == rank && rows.rows() == top_logits_->rows() && rows.width() == width) return;
  fail(rank == 2 ? fmt::format("/{} is not [{}, {}]", name, top_logits_->rows(), width)
                 : fmt::format("/{} is not [{}]", name, top_logits_->rows()));
}

void SummarySource::read(int64_t first, int64_t count, SummaryRows& out) const {
  const auto n = static_cast<size_t>(count), top = static_cast<size_t>(top_logits_->width());
  out.log_sum_exp.resize(n * temperatures_.size());
  out.label_logits.resize(n);
  out.top_logits.resize(n * top);
  std::vector<int64_t> which(n * top), labels(n);
  log_sum_exp_->read(first, count, out.log_sum_exp.data());
  label_logits_->read(first, count, out.label_logits.data());
  top_logits_->read(first, count, out.top_logits.data());
  top_classes_->read(first, count, which.data());
  labels_->read(first, count, labels.data());
  out.top_classes.clear();
  for (const int64_t k : which)
    out.top_classes.push_back(static_cast<int32_t>(std::clamp<int64_t>(k, -1, INT32_MAX)));
  check(first, n, labels, out);
}

// A little is left for rounding, also of files that others wrote from float32.
void SummarySource::check(int64_t first, size_t rows, const std::vector<int64_t>& labels,
                          const SummaryRows& out) const {
  const auto top = static_cast<size_t>(top_logits_->width());
  const double most = std::log(static_cast<double>(classes_));
  for (size_t row = 0; row < rows; ++row) {
    const float* logits = out.top_logits.data() + row * top;
    const int32_t* which = out.top_classes.data() + row * top;
    std::string fault = fault_of_top(logits, which, top, classes_);
    const float label = out.label_logits[row];
    const auto at = static_cast<size_t>(std::find(which, which + top, labels[row]) - which);
    if (fault.empty() && !(at < top ? label == logits[at] : label <= logits[top - 1]))
      fault = fmt::format("has the label's logit {}, which does not go with its greatest", label);
    for (size_t j = 0; j < temperatures_.size() && fault.empty(); ++j) {
      const double lse = out.log_sum_exp[row * temperatures_.size() + j], z = logits[0] / temperatures_[j];
      const double slack = 1e-5 * (1 + std::abs(z));
      if (!(lse >= z - slack && lse <= z + most + slack))
        fault = fmt::format("has /log_sum_exp {} at temperature {:.4g}, which no logits have", lse,
                            temperatures_[j]);
    }
    if (!fault.empty()) fail(fmt::format("row {} {}", first + static_cast<int64_t>(row), fault));
  }
}

void SummarySource::fail(const std::string& problem) const {
  throw DataError(problem, path_, remedy);
}

}  // namespace smoothlab::eval
