#include "eval/penultimate_projection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "cluster/error.h"
#include "eval/activation_sums.h"
#include "eval/logit_chunks.h"
#include "eval/ordered_merge.h"
#include "eval/worker_threads.h"

namespace smoothlab::eval {
namespace {

/// Values of a block of activations, 1 MiB; how rows are cut depends on N and L alone, so that sums do too.
constexpr int64_t block_values = int64_t{1} << 18;
/// Values that are read for nothing rather than asking the file once more.
constexpr int64_t gap_values = 2048;
constexpr uint8_t not_chosen = 3;

[[noreturn]] void fail(const LogitFile& file, const std::string& problem, const std::string& remedy) {
  throw DataError(problem, file.path(), remedy);
}

TemplatePlane plane_of(const LogitFile& file, const std::vector<ChosenClass>& chosen) {
  const auto [weight, bias] = file.classifier();
  const auto width = static_cast<size_t>(file.penultimate());
  if (weight.size() != width * bias.size())
    fail(file,
         fmt::format("/classifier/weight has {} values a class and /penultimate {} a row",
                     weight.size() / bias.size(), width),
         "store the last layer that takes this penultimate layer");
  std::array<std::vector<double>, 3> templates;
  for (size_t i = 0; i < 3; ++i) {
    const auto k = static_cast<size_t>(chosen[i].number);
    templates[i].assign(weight.data() + k * width, weight.data() + (k + 1) * width);
    templates[i].push_back(bias[k]);
  }
  return TemplatePlane(templates, {chosen[0].name, chosen[1].name, chosen[2].name}, file.path());
}

/// Which of the three each row is of.
struct RowChoice {
  std::vector<uint8_t> which;          ///< [N], not_chosen or 0 … 2
  std::array<int64_t, 3> first_row{};  ///< of each class
};

RowChoice choose_rows(const LogitFile& file, const std::vector<ChosenClass>& chosen) {
  RowChoice choice;
  choice.which.assign(static_cast<size_t>(file.rows()), not_chosen);
  choice.first_row.fill(-1);
  const int64_t block = std::min<int64_t>(file.rows(), int64_t{1} << 16);
  std::vector<int64_t> labels(static_cast<size_t>(block));
  for (int64_t first = 0; first < file.rows(); first += block) {
    const int64_t rows = std::min(block, file.rows() - first);
    file.read_labels(first, rows, labels.data());
    check_labels(file.path(), file.classes(), first, rows, labels.data());
    for (int64_t i = 0; i < rows; ++i)
      for (size_t c = 0; c < 3; ++c)
        if (labels[static_cast<size_t>(i)] == chosen[c].number) {
          choice.which[static_cast<size_t>(first + i)] = static_cast<uint8_t>(c);
          if (choice.first_row[c] < 0) choice.first_row[c] = first + i;
        }
  }
  for (size_t c = 0; c < 3; ++c)
    if (choice.first_row[c] < 0)
      fail(file, fmt::format("no row is of class {} ({})", chosen[c].number, chosen[c].name),
           "choose classes that the file has samples of");
  return choice;
}

[[noreturn]] void refuse_row(const LogitFile& file, int64_t row, const float* x) {
  int64_t at = 0;
  while (at + 1 < file.penultimate() && std::isfinite(x[at])) ++at;
  fail(file, fmt::format("value {} of row {} of /penultimate is {} as float32", at, row, x[at]),
       "find out why the network gave it");
}

/// What one block of rows adds.
struct BlockResult {
  std::array<ActivationSums, 3> sums;
  std::vector<ProjectedExample> examples;
  int64_t rows = 0, correct = 0;
};

bool earlier(const ProjectedExample& a, const ProjectedExample& b) {
  return std::tie(a.sample_id, a.row) < std::tie(b.sample_id, b.row);
}

/// The earliest examples of one class.
class EarliestExamples {
 public:
  explicit EarliestExamples(int64_t most) : most_(static_cast<size_t>(most)) {}
  void add(const ProjectedExample& example) {
    if (most_ > 0 && heap_.size() == most_) {
      if (!earlier(example, heap_.front())) return;
      std::pop_heap(heap_.begin(), heap_.end(), earlier);
      heap_.pop_back();
    }
    heap_.push_back(example);
    if (most_ > 0) std::push_heap(heap_.begin(), heap_.end(), earlier);
  }
  std::vector<ProjectedExample> sorted() const {
    auto all = heap_;
    std::sort(all.begin(), all.end(), earlier);
    return all;
  }

 private:
  size_t most_;  // 0: all
  std::vector<ProjectedExample> heap_;
};

/// The classes' first rows, from which everything of them is counted.
struct Origins {
  std::array<std::vector<float>, 3> activation;
  std::array<PlanePoint, 3> in_plane;

  Origins(const LogitFile& file, const RowChoice& choice, const TemplatePlane& plane) {
    for (size_t c = 0; c < 3; ++c) {
      activation[c].resize(static_cast<size_t>(file.penultimate()));
      file.read_penultimate(choice.first_row[c], 1, activation[c].data());
      if (!std::all_of(activation[c].begin(), activation[c].end(), [](float v) { return std::isfinite(v); }))
        refuse_row(file, choice.first_row[c], activation[c].data());
      in_plane[c] = plane.project(activation[c].data());
    }
  }
};

/// Reads and projects blocks; one a worker.
class BlockReader {
 public:
  BlockReader(const LogitFile& file, const RowChoice& choice, const TemplatePlane& plane,
              const Origins& origins)
      : file_(file), choice_(choice), plane_(plane), origins_(origins), width_(file.penultimate()) {}

  /// Rows [first, last). Runs of rows that are wanted are read at once, over gaps that cost less than asking
  /// again; through HDF5 any gap does.
  void read(int64_t first, int64_t last, BlockResult& result) {
    for (auto& sums : result.sums) sums.clear();
    result.examples.clear();
    result.rows = last - first;
    result.correct = 0;
    const int64_t gap = file_.direct() ? gap_values / width_ : last - first;
    for (int64_t row = first; row < last;) {
      if (which(row) == not_chosen) {
        ++row;
        continue;
      }
      int64_t end = row + 1;
      for (int64_t next = end; next < last && next - end <= gap; ++next)
        if (which(next) != not_chosen) end = next + 1;
      take(row, end, result);
      row = end;
    }
  }

 private:
  int which(int64_t row) const { return choice_.which[static_cast<size_t>(row)]; }

  void take(int64_t first, int64_t last, BlockResult& result) {
    const int64_t rows = last - first;
    values_.resize(static_cast<size_t>(rows * width_));
    ids_.resize(static_cast<size_t>(rows));
    file_.read_penultimate(first, rows, values_.data());
    file_.read_sample_ids(first, rows, ids_.data());
    for (int64_t row = first; row < last; ++row) {
      if (which(row) == not_chosen) continue;
      const auto c = static_cast<size_t>(which(row));
      const float* x = values_.data() + (row - first) * width_;
      const PlanePoint at =
          result.sums[c].add(x, origins_.activation[c].data(), origins_.in_plane[c], plane_);
      if (!std::isfinite(at.x + at.y)) refuse_row(file_, row, x);
      result.correct += plane_.winner(at) == which(row) ? 1 : 0;
      result.examples.push_back({which(row), ids_[static_cast<size_t>(row - first)], row, at});
    }
  }

  const LogitFile& file_;
  const RowChoice& choice_;
  const TemplatePlane& plane_;
  const Origins& origins_;
  int64_t width_;
  std::vector<float> values_;
  std::vector<int64_t> ids_;
};

std::array<double, 3> distances(const std::array<ActivationSums, 3>& sums, const Origins& origins) {
  std::array<std::vector<double>, 3> means;
  for (size_t c = 0; c < 3; ++c) {
    means[c] = sums[c].mean();
    for (size_t i = 0; i < means[c].size(); ++i) means[c][i] += static_cast<double>(origins.activation[c][i]);
  }
  std::array<double, 3> lengths{};
  for (size_t c = 0; c < 3; ++c) {
    double squares = 0;
    for (size_t i = 0; i < means[c].size(); ++i) {
      const double d = means[(c + 1) % 3][i] - means[c][i];
      squares += d * d;
    }
    lengths[c] = std::sqrt(squares);
  }
  return lengths;
}

void measure(const std::array<ActivationSums, 3>& sums, const Origins& origins,
             PenultimateProjection& result) {
  double scatter = 0, scatter_full = 0, rows = 0;
  std::array<PlanePoint, 3> means;
  for (size_t c = 0; c < 3; ++c) {
    ProjectedClass& one = result.chosen[c];
    one.rows = static_cast<int64_t>(sums[c].rows());
    one.mean = means[c] = origins.in_plane[c] + sums[c].mean_in_plane();
    one.template_at = result.plane.templates()[c];
    one.deviation = std::sqrt(sums[c].scatter_in_plane() / sums[c].rows());
    one.deviation_full = std::sqrt(sums[c].scatter() / sums[c].rows());
    scatter += sums[c].scatter_in_plane();
    scatter_full += sums[c].scatter();
    rows += sums[c].rows();
  }
  result.means = triangle_of(means);
  result.templates = triangle_of(result.plane.templates());
  result.sides_full = distances(sums, origins);
  const double between = root_mean_square(result.means.sides), full = root_mean_square(result.sides_full);
  if (between > 0) result.spread = std::sqrt(scatter / rows) / between;
  if (full > 0) result.spread_full = std::sqrt(scatter_full / rows) / full;
}

}  // namespace

PenultimateProjection project(const LogitFile& file, const std::vector<std::string>& classes,
                              const ProjectionOptions& options,
                              const std::function<void(int64_t rows)>& passed) {
  if (classes.size() != 3)
    throw UsageError(fmt::format("{} classes are given", classes.size()), "projection",
                     "choose three classes");
  const auto chosen = choose_classes(classes, file.class_names(), file.classes(), file.path());
  if (file.penultimate() == 0)
    fail(file, "there is no /penultimate", "evaluate again and keep the penultimate layer");
  PenultimateProjection result(plane_of(file, chosen));
  result.file = file.path();
  result.origin = stated_origin(file);
  result.rows = file.rows();
  result.classes = file.classes();
  result.penultimate = file.penultimate();
  result.examples_wanted = options.examples;
  for (size_t c = 0; c < 3; ++c) result.chosen[c].chosen = chosen[c];
  const RowChoice choice = choose_rows(file, chosen);
  const Origins origins(file, choice, result.plane);

  std::array<ActivationSums, 3> sums;
  std::vector<EarliestExamples> earliest(3, EarliestExamples(options.examples));
  int64_t correct = 0;
  const int64_t block = std::max<int64_t>(1, block_values / file.penultimate());
  const int64_t blocks = (file.rows() + block - 1) / block;
  const int threads = static_cast<int>(std::min<int64_t>(std::max(thread_count(options.threads), 1), blocks));
  std::vector<BlockReader> readers(static_cast<size_t>(threads),
                                   BlockReader(file, choice, result.plane, origins));
  OrderedMerge<BlockResult> ordered;
  for_each_index(0, blocks, threads, [&](int worker, int64_t index) {
    auto filled = ordered.fresh();
    readers[static_cast<size_t>(worker)].read(index * block, std::min((index + 1) * block, file.rows()),
                                              *filled);
    ordered.add(index, std::move(filled), [&](const BlockResult& part) {
      for (size_t c = 0; c < 3; ++c) sums[c].merge(part.sums[c]);
      for (const auto& example : part.examples) earliest[static_cast<size_t>(example.which)].add(example);
      correct += part.correct;
      if (passed) passed(part.rows);
    });
  });
  measure(sums, origins, result);
  result.accuracy = static_cast<double>(correct) / (sums[0].rows() + sums[1].rows() + sums[2].rows());
  for (const auto& one : earliest) {
    const auto examples = one.sorted();
    result.examples.insert(result.examples.end(), examples.begin(), examples.end());
  }
  return result;
}

std::vector<std::string> short_names(const PenultimateProjection& projection) {
  std::vector<ChosenClass> chosen;
  for (const ProjectedClass& one : projection.chosen) chosen.push_back(one.chosen);
  return short_names(chosen);
}

}  // namespace smoothlab::eval
