#include "eval/file_temperatures.h"

#include <algorithm>
#include <cmath>
#include <thread>

namespace smoothlab::eval {
namespace {

constexpr int64_t sample_chunks = 12, whole_file_chunks = 16;

struct SampledChunk {
  std::vector<float> logits;
  std::vector<int64_t> labels;
  std::vector<int> halves;
};

std::vector<SampledChunk> sample(const LogitFile& file, int threads, uint64_t seed) {
  const int64_t chunks = chunk_count(file);
  const bool whole = chunks <= whole_file_chunks;
  const int64_t taken = whole ? chunks : sample_chunks;
  std::vector<SampledChunk> sampled(static_cast<size_t>(taken));
  const auto keep = [&](SampledChunk& kept, const LogitChunk& chunk) {
    std::vector<int64_t> ids(static_cast<size_t>(chunk.rows));
    file.read_sample_ids(chunk.first_row, chunk.rows, ids.data());
    for (int64_t id : ids) kept.halves.push_back(half_of(seed, id));
    kept.logits.assign(chunk.logits, chunk.logits + chunk.rows * chunk.classes);
    kept.labels.assign(chunk.labels, chunk.labels + chunk.rows);
  };
  if (whole) {
    for_each_chunk(file, threads, [&](int, const LogitChunk& chunk) {
      keep(sampled[static_cast<size_t>(chunk.index)], chunk);
    });
    return sampled;
  }
  // Spread over the file, which may be sorted by class.
  for (int64_t i = 0; i < taken; ++i) {
    const int64_t at = (2 * i + 1) * chunks / (2 * taken);
    for_each_chunk(file, at, at + 1, 1,
                   [&](int, const LogitChunk& chunk) { keep(sampled[static_cast<size_t>(i)], chunk); });
  }
  return sampled;
}

void merge(const HalfSlopes& from, HalfSlopes& into) {
  for (size_t half = 0; half < 2; ++half) {
    into.slopes[half].add(from.slopes[half]);
    into.rows[half] += from.rows[half];
  }
}

HalfSlopes slopes_of(const SampledChunk& chunk, RowJudge& judge, int64_t classes, SlopeNodes nodes) {
  HalfSlopes slopes;
  for (size_t i = 0; i < chunk.labels.size(); ++i) {
    const auto half = static_cast<size_t>(chunk.halves[i]);
    judge.take(chunk.logits.data() + static_cast<int64_t>(i) * classes, chunk.labels[i]);
    judge.slopes(nodes, slopes.slopes[half].first.data(), slopes.slopes[half].second.data());
    slopes.rows[half] += 1;
  }
  return slopes;
}

/// On several threads, added up in the order of chunks.
HalfSlopes slopes_of(const std::vector<SampledChunk>& chunks, int64_t classes, SlopeNodes nodes,
                     int threads) {
  std::vector<HalfSlopes> parts(chunks.size());
  const auto work = [&](size_t worker) {
    RowJudge judge(classes, 1);
    for (size_t i = worker; i < chunks.size(); i += static_cast<size_t>(threads))
      parts[i] = slopes_of(chunks[i], judge, classes, nodes);
  };
  std::vector<std::thread> others;
  for (int worker = 1; worker < threads && worker < static_cast<int>(chunks.size()); ++worker)
    others.emplace_back(work, static_cast<size_t>(worker));
  work(0);
  for (auto& thread : others) thread.join();
  HalfSlopes sum;
  for (const HalfSlopes& part : parts) merge(part, sum);
  return sum;
}

}  // namespace

FileTemperatures::FileTemperatures(const LogitFile& file, int threads, uint64_t seed) {
  const std::vector<SampledChunk> chunks = sample(file, threads, seed);
  while (const auto nodes = wanted()) add(*nodes, slopes_of(chunks, file.classes(), *nodes, threads));
  if (chunk_count(file) <= whole_file_chunks) return;
  // The sample's answer is where to start on all rows.
  for (auto& search : searches_) search = TemperatureSearch(search.done() ? search.fit().temperature : 1);
  rows_ = {};
}

std::optional<SlopeNodes> FileTemperatures::wanted() const {
  std::optional<double> first;
  double last = 0;
  for (const auto& search : searches_) {
    if (search.done()) continue;
    if (!first) first = last = search.wanted();
    // One pass serves all that are near.
    if (std::abs(search.wanted() / *first - 1) < 0.12) last = search.wanted();
  }
  if (!first) return std::nullopt;
  return nodes_around(0.5 * (*first + last));
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
