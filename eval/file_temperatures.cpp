#include "eval/file_temperatures.h"

#include <algorithm>
#include <cmath>

namespace smoothlab::eval {
namespace {

constexpr int64_t wanted_values = int64_t{1} << 18, most_values = int64_t{1} << 22, blocks = 16;
constexpr int64_t fewest_rows = 256, most_rows = 65536;

/// Rows in memory, in blocks that are spread over the file, which may be sorted by class.
struct SampledBlock {
  std::vector<float> logits;
  std::vector<int64_t> labels;
  std::vector<int> halves;
};

int64_t sampled_rows(const LogitFile& file) {
  const int64_t rows = std::clamp(wanted_values / file.classes(), fewest_rows, most_rows);
  return std::min({file.rows(), rows, std::max<int64_t>(2, most_values / file.classes())});
}

std::vector<SampledBlock> sample(const LogitFile& file, uint64_t seed) {
  const int64_t wanted = sampled_rows(file), count = std::min(blocks, wanted);
  std::vector<SampledBlock> sampled(static_cast<size_t>(count));
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < count; ++i) {
    SampledBlock& block = sampled[static_cast<size_t>(i)];
    const int64_t rows = wanted * (i + 1) / count - wanted * i / count;
    const int64_t first = wanted == file.rows() ? wanted * i / count : (file.rows() - rows) * i / (count - 1);
    block.logits.resize(static_cast<size_t>(rows * file.classes()));
    block.labels.resize(static_cast<size_t>(rows));
    ids.resize(static_cast<size_t>(rows));
    file.read_logits(first, rows, block.logits.data());
    file.read_labels(first, rows, block.labels.data());
    file.read_sample_ids(first, rows, ids.data());
    check_chunk(file.path(), {i, first, rows, file.classes(), block.logits.data(), block.labels.data()});
    for (int64_t id : ids) block.halves.push_back(half_of(seed, id));
  }
  return sampled;
}

/// On one thread: a sample takes less time than starting another.
HalfSlopes slopes_of(const std::vector<SampledBlock>& sampled, int64_t classes, SlopeNodes nodes) {
  RowJudge judge(classes, 1);
  HalfSlopes sum;
  for (const SampledBlock& block : sampled)
    for (size_t i = 0; i < block.labels.size(); ++i) {
      const auto half = static_cast<size_t>(block.halves[i]);
      judge.take(block.logits.data() + static_cast<int64_t>(i) * classes, block.labels[i]);
      judge.slopes(nodes, sum.slopes[half].first.data(), sum.slopes[half].second.data());
      sum.rows[half] += 1;
    }
  return sum;
}

}  // namespace

FileTemperatures::FileTemperatures(const LogitFile& file, uint64_t seed)
    : whole_(sampled_rows(file) == file.rows()) {
  const std::vector<SampledBlock> sampled = sample(file, seed);
  while (const auto nodes = wanted()) add(*nodes, slopes_of(sampled, file.classes(), *nodes));
  if (whole_) return;
  // The sample's answer is where to start on all rows.
  for (auto& search : searches_) search = TemperatureSearch(search.fit().temperature);
  rows_ = {};
}

std::optional<SlopeNodes> FileTemperatures::wanted() const {
  const TemperatureSearch* first = nullptr;
  double low = 0, high = 0, spacing = 0;
  for (const auto& search : searches_) {
    if (search.done()) continue;
    if (!first) {
      first = &search;
      low = high = search.wanted();
      spacing = search.spacing();
    }
    // One pass serves all that are near.
    if (std::abs(search.wanted() / first->wanted() - 1) > SlopeNodes::count * first->spacing()) continue;
    low = std::min(low, search.wanted());
    high = std::max(high, search.wanted());
    spacing = std::min(spacing, search.spacing());
  }
  if (!first) return std::nullopt;
  const double middle = 0.5 * (low + high);
  // Where they do not fit between the nodes, the first has its own.
  return high - low <= (SlopeNodes::count - 1) * spacing * middle
             ? nodes_around(middle, spacing)
             : nodes_around(first->wanted(), first->spacing());
}

void FileTemperatures::add(SlopeNodes nodes, const HalfSlopes& slopes) {
  NllSlopes both = slopes.slopes[0];
  both.add(slopes.slopes[1]);
  rows_ = slopes.rows;
  searches_[0].add(nodes, slopes.slopes[0]);
  searches_[1].add(nodes, slopes.slopes[1]);
  searches_[2].add(nodes, both);
}

std::optional<std::array<TemperatureFit, 2>> FileTemperatures::of_halves() const {
  if (rows_[0] == 0 || rows_[1] == 0) return std::nullopt;
  return std::array<TemperatureFit, 2>{searches_[0].fit(), searches_[1].fit()};
}

}  // namespace smoothlab::eval
