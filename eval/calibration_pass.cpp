#include "eval/calibration_pass.h"

#include <memory>

#include "cluster/addressed_random.h"
#include "eval/ordered_merge.h"

namespace smoothlab::eval {
namespace {

struct RowRecord {
  int64_t sample_id;
  double confidence;
  int bin;  // by the bootstrap's convention
  bool correct;
};

/// What one chunk adds at one temperature.
struct ChunkTally {
  explicit ChunkTally(int bins) : sums(bins) {}
  CalibrationSums sums;
  ReliabilityBins saturated{1};
  ClasswiseRows classwise;
  std::vector<RowRecord> rows;
  void clear() {
    sums.clear();
    saturated.clear();
    classwise.clear();
    rows.clear();
  }
};

struct ChunkResult {
  std::vector<ChunkTally> tallies;
  HalfSlopes slopes;
};

void merge(const ChunkTally& chunk, CalibrationTally& tally) {
  tally.sums.merge(chunk.sums);
  tally.saturated.merge(chunk.saturated);
  tally.classwise.add(chunk.classwise);
  for (const RowRecord& row : chunk.rows) {
    tally.ranking.add(row.confidence, row.correct);
    if (!tally.cell_edges) continue;
    if (tally.samples)
      tally.samples->add(row.sample_id, row.bin, row.confidence, row.correct);
    else
      tally.cells.add(row.bin, row.confidence, row.correct);
  }
}

void merge(const HalfSlopes& chunk, HalfSlopes& slopes) {
  for (size_t half = 0; half < 2; ++half) {
    slopes.slopes[half].add(chunk.slopes[half]);
    slopes.rows[half] += chunk.rows[half];
  }
}

/// What a worker keeps from chunk to chunk.
class Worker {
 public:
  Worker(int64_t classes, int bins, size_t temperatures) : judge_(classes, bins) {
    for (size_t i = 0; i < temperatures; ++i) collectors_.emplace_back(classes, bins);
  }

  void work(const LogitFile& file, const LogitChunk& chunk, uint64_t seed,
            const std::vector<JudgedTemperature>& temperatures, const SlopeNodes* nodes,
            ChunkResult& result) {
    result.slopes = {};
    for (auto& tally : result.tallies) tally.clear();
    for (size_t t = result.tallies.size(); t < temperatures.size(); ++t)
      result.tallies.emplace_back(static_cast<int>(temperatures[t].tally->sums.standard.count.size()));
    ids_.resize(static_cast<size_t>(chunk.rows));
    file.read_sample_ids(chunk.first_row, chunk.rows, ids_.data());
    for (int64_t i = 0; i < chunk.rows; ++i) {
      const auto half = static_cast<size_t>(half_of(seed, ids_[static_cast<size_t>(i)]));
      const int64_t label = chunk.labels[i];
      const bool label_is_class = label >= 0 && label < chunk.classes;
      if (!label_is_class || !judge_.take(chunk.logits + i * chunk.classes, label)) {
        check_chunk(file.path(), chunk);  // names what is wrong
        continue;
      }
      result.slopes.rows[half] += 1;
      if (nodes) {
        NllSlopes& slopes = result.slopes.slopes[half];
        judge_.slopes(*nodes, slopes.first.data(), slopes.second.data());
      }
      for (size_t t = 0; t < temperatures.size(); ++t) {
        const bool last = t + 1 == temperatures.size();
        judge_.judge(1 / temperatures[t].of_half[half], last ? 0 : 1 / temperatures[t + 1].of_half[half]);
        count(ids_[static_cast<size_t>(i)], label, temperatures[t].tally->cell_edges, collectors_[t],
              result.tallies[t]);
      }
    }
    for (size_t t = 0; t < temperatures.size(); ++t) collectors_[t].finish(result.tallies[t].classwise);
  }

 private:
  void count(int64_t sample_id, int64_t label, std::optional<BinEdges> edges, ClasswiseCollector& collector,
             ChunkTally& tally) {
    const JudgedRow& row = judge_.judged();
    judge_.add_to(tally.sums);
    if (static_cast<float>(row.confidence) == 1.0F) tally.saturated.add(0, row.confidence, row.correct);
    collector.add(judge_, label, tally.classwise);
    tally.rows.push_back(
        {sample_id, row.confidence, edges == BinEdges::guo ? row.guo : row.standard, row.correct});
  }

  RowJudge judge_;
  std::vector<ClasswiseCollector> collectors_;
  std::vector<int64_t> ids_;
};

}  // namespace

CalibrationTally::CalibrationTally(int64_t classes, int bins, std::optional<BinEdges> edges,
                                   std::optional<uint64_t> sample_seed)
    : sums(bins), classwise(classes, bins), cell_edges(edges), cells(bins) {
  if (sample_seed) samples.emplace(bins, *sample_seed);
}

int half_of(uint64_t seed, int64_t sample_id) {
  constexpr uint64_t most = (uint64_t{1} << 56) - 1;
  return static_cast<int>(
      AddressedRandom(seed, Purpose::split, 0, static_cast<uint64_t>(sample_id) & most).bits(0) & 1U);
}

void calibration_pass(const LogitFile& file, int threads, uint64_t seed,
                      const std::vector<JudgedTemperature>& temperatures, SlopeNodes nodes,
                      HalfSlopes* slopes, const std::function<void(int64_t rows)>& passed) {
  const int bins =
      temperatures.empty() ? 1 : static_cast<int>(temperatures.front().tally->sums.standard.count.size());
  std::vector<std::unique_ptr<Worker>> workers(static_cast<size_t>(std::max(threads, 1)));
  OrderedMerge<ChunkResult> ordered;
  for_each_chunk(
      file, threads,
      [&](int number, const LogitChunk& chunk) {
        auto& worker = workers[static_cast<size_t>(number)];
        if (!worker) worker = std::make_unique<Worker>(chunk.classes, bins, temperatures.size());
        auto filled = ordered.fresh();
        worker->work(file, chunk, seed, temperatures, slopes ? &nodes : nullptr, *filled);
        ordered.add(chunk.index, std::move(filled), [&](const ChunkResult& result) {
          for (size_t t = 0; t < temperatures.size(); ++t) merge(result.tallies[t], *temperatures[t].tally);
          if (slopes) merge(result.slopes, *slopes);
          if (passed) passed(result.slopes.rows[0] + result.slopes.rows[1]);
        });
      },
      ValueCheck::none);
}

}  // namespace smoothlab::eval
