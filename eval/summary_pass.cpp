#include "eval/summary_pass.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "cluster/error.h"

namespace smoothlab::eval {
namespace {

constexpr int64_t block_rows = 4096;
constexpr double not_kept = std::numeric_limits<double>::quiet_NaN();

/// A row of a summary at any temperature of its grid's range.
struct SummaryRow {
  const std::vector<double>& temperatures;
  const double* log_sum_exp;
  double greatest;

  /// log Σ_k exp((z_k − max z) / T).
  double log_sum(const TemperatureGrid::Place& place) const {
    double sum = 0;
    for (size_t i = 0; i < place.count; ++i) {
      const size_t j = place.first + i;
      sum += place.weight[i] * (log_sum_exp[j] - greatest / temperatures[j]);
    }
    return std::max(sum, 0.0);
  }
};

/// A temperature, its place and that of its half, where Σ p² is read.
struct Wanted {
  Wanted(const TemperatureGrid& grid, double temperature, const std::string& path) : t(temperature) {
    if (!grid.covers(t))
      throw UsageError(fmt::format("temperature {:g} is outside {:g}–{:g}, which the summary holds", t,
                                   grid.temperatures().front(), grid.temperatures().back()),
                       path, "take one inside, or evaluate again and keep full logits");
    place = grid.at(t);
    if (grid.covers(t / 2)) half = grid.at(t / 2);
  }
  double t;
  TemperatureGrid::Place place;
  std::optional<TemperatureGrid::Place> half;
};

/// Equal logits can put a confidence on an edge; its logarithm may have moved it by a rounding.
double on_edge(double confidence, int bins) {
  const double place = confidence * bins, nearest = std::round(place);
  return std::abs(place - nearest) <= 1e-12 * place ? nearest / bins : confidence;
}

struct Truth {
  int64_t sample_id;
  double below;  ///< logit of the label less the greatest, ≤ 0
  bool correct;
  double top5;
};

void count(const SummaryRow& row, const Truth& truth, const Wanted& wanted, CalibrationTally& tally) {
  CalibrationSums& sums = tally.sums;
  const int bins = static_cast<int>(sums.standard.count.size());
  const double log_sum = row.log_sum(wanted.place), nll = log_sum - truth.below / wanted.t;
  const double confidence = on_edge(std::exp(-log_sum), bins);
  sums.rows += 1;
  sums.correct += truth.correct ? 1 : 0;
  sums.top5 += truth.top5;
  sums.nll += nll;
  sums.brier +=
      wanted.half ? std::exp(row.log_sum(*wanted.half) - 2 * log_sum) - 2 * std::exp(-nll) + 1 : not_kept;
  const int standard = confidence_bin(confidence, bins, BinEdges::standard),
            guo = confidence_bin(confidence, bins, BinEdges::guo);
  sums.standard.add(standard, confidence, truth.correct);
  sums.guo.add(guo, confidence, truth.correct);
  if (static_cast<float>(confidence) == 1.0F) tally.saturated.add(0, confidence, truth.correct);
  tally.ranking.add(confidence, truth.correct);
  if (!tally.cell_edges) return;
  const int bin = *tally.cell_edges == BinEdges::guo ? guo : standard;
  if (tally.samples)
    tally.samples->add(truth.sample_id, bin, confidence, truth.correct);
  else
    tally.cells.add(bin, confidence, truth.correct);
}

}  // namespace

GridFits fit_temperatures(const TemperatureGrid& grid, const GridNll& nll) {
  std::vector<double> both = nll.sums[0];
  for (size_t j = 0; j < both.size(); ++j) both[j] += nll.sums[1][j];
  GridFits fits{grid.least(both), std::nullopt};
  if (nll.rows[0] > 0 && nll.rows[1] > 0)
    fits.halves = std::array<TemperatureFit, 2>{grid.least(nll.sums[0]), grid.least(nll.sums[1])};
  return fits;
}

void summary_pass(const LogitFile& file, uint64_t seed, const std::vector<JudgedTemperature>& temperatures,
                  GridNll* nll, const std::function<void(int64_t rows)>& passed) {
  const TemperatureGrid grid(file.temperatures());
  const std::vector<double>& at = grid.temperatures();
  std::vector<std::array<Wanted, 2>> wanted;
  for (const auto& one : temperatures)
    wanted.push_back({Wanted(grid, one.of_half[0], file.path()), Wanted(grid, one.of_half[1], file.path())});
  if (nll)
    for (auto& sums : nll->sums) sums.assign(at.size(), 0.0);
  const auto top = static_cast<size_t>(file.kept());
  const bool has_top5 = file.kept() >= std::min<int64_t>(5, file.classes());
  SummaryRows rows;
  std::vector<int64_t> labels, ids;
  for (int64_t first = 0; first < file.rows(); first += block_rows) {
    const int64_t n = std::min(block_rows, file.rows() - first);
    labels.resize(static_cast<size_t>(n));
    ids.resize(labels.size());
    file.read_labels(first, n, labels.data());
    check_labels(file.path(), file.classes(), first, n, labels.data());
    file.read_sample_ids(first, n, ids.data());
    file.read_summary(first, n, rows);
    for (size_t i = 0; i < labels.size(); ++i) {
      const auto half = static_cast<size_t>(half_of(seed, ids[i]));
      const int32_t* which = rows.top_classes.data() + i * top;
      const double greatest = rows.top_logits[i * top];
      const SummaryRow row{at, rows.log_sum_exp.data() + i * at.size(), greatest};
      const bool in_five =
          std::find(which, which + std::min<size_t>(5, top), labels[i]) != which + std::min<size_t>(5, top);
      const Truth truth{ids[i], static_cast<double>(rows.label_logits[i]) - greatest, which[0] == labels[i],
                        has_top5 ? (in_five ? 1.0 : 0.0) : not_kept};
      if (nll) {
        nll->rows[half] += 1;
        for (size_t j = 0; j < at.size(); ++j)
          nll->sums[half][j] += row.log_sum_exp[j] - static_cast<double>(rows.label_logits[i]) / at[j];
      }
      for (size_t t = 0; t < wanted.size(); ++t) count(row, truth, wanted[t][half], *temperatures[t].tally);
    }
    if (passed) passed(n);
  }
}

}  // namespace smoothlab::eval
