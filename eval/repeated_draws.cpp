#include "eval/repeated_draws.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "cluster/error.h"
#include "eval/logit_chunks.h"

namespace smoothlab::eval {
namespace {

struct Draw {
  int64_t sample_id, position, row;
  int which;  // of the two classes
  double f;
};

bool same_example(const Draw& a, const Draw& b) {
  return a.sample_id == b.sample_id && a.position == b.position;
}

[[noreturn]] void fail(const LogitFile& file, const std::string& problem, const std::string& remedy) {
  throw DataError(problem, file.path(), remedy);
}

/// By example, each one's draws in the order of the file.
std::vector<Draw> draws_of(const LogitFile& file, const std::array<ChosenClass, 2>& chosen) {
  const bool positions = file.has("position");
  std::vector<Draw> draws;
  std::vector<int64_t> ids, places;
  for_each_chunk(file, 1, [&](int, const LogitChunk& chunk) {
    const auto rows = static_cast<size_t>(chunk.rows);
    ids.resize(rows);
    places.assign(rows, 0);
    file.read_sample_ids(chunk.first_row, chunk.rows, ids.data());
    if (positions) file.read_positions(chunk.first_row, chunk.rows, places.data());
    for (size_t i = 0; i < rows; ++i)
      for (int which = 0; which < 2; ++which) {
        if (chunk.labels[i] != chosen[static_cast<size_t>(which)].number) continue;
        const float* z = chunk.logits + static_cast<int64_t>(i) * chunk.classes;
        draws.push_back(
            {ids[i], places[i], chunk.first_row + static_cast<int64_t>(i), which,
             static_cast<double>(z[chosen[0].number]) - static_cast<double>(z[chosen[1].number])});
      }
  });
  std::sort(draws.begin(), draws.end(), [](const Draw& a, const Draw& b) {
    return std::tie(a.sample_id, a.position, a.row) < std::tie(b.sample_id, b.position, b.row);
  });
  return draws;
}

std::string example_name(const Draw& draw, bool positions) {
  return positions ? fmt::format("sample {}, position {}", draw.sample_id, draw.position)
                   : fmt::format("sample {}", draw.sample_id);
}

}  // namespace

RepeatedDraws read_draws(const LogitFile& file, const std::vector<std::string>& classes) {
  if (classes.size() != 2)
    throw UsageError(fmt::format("{} classes are given", classes.size()), "information",
                     "choose two classes");
  const auto chosen = choose_classes(classes, file.class_names(), file.classes(), file.path());
  RepeatedDraws result;
  result.chosen = {chosen[0], chosen[1]};
  const bool positions = file.has("position");
  const auto draws = draws_of(file, result.chosen);
  std::string first;  // the example that says how many draws there are
  for (auto begin = draws.begin(); begin != draws.end();) {
    const auto end =
        std::find_if(begin, draws.end(), [&](const Draw& draw) { return !same_example(draw, *begin); });
    const std::string name = example_name(*begin, positions);
    if (std::any_of(begin, end, [&](const Draw& draw) { return draw.which != begin->which; }))
      fail(file, name + " has rows of both classes", "give every sample one label");
    if (result.examples == 0) {
      result.draws = end - begin;
      first = name;
    }
    if (end - begin != result.draws)
      fail(file, fmt::format("{} has {} draws, but {} has {}", name, end - begin, first, result.draws),
           "store as many rows of every sample");
    for (auto draw = begin; draw != end; ++draw) result.f.push_back(draw->f);
    ++result.examples_of[static_cast<size_t>(begin->which)];
    ++result.examples;
    begin = end;
  }
  for (size_t c = 0; c < 2; ++c)
    if (result.examples_of[c] == 0)
      fail(file, fmt::format("no row is of class {} ({})", chosen[c].number, chosen[c].name),
           "choose classes that the file has samples of");
  if (result.draws < 2)
    fail(file, "no sample repeats: there is one row of each",
         "train with a block `information: {classes: [a, b]}` in the recipe, which writes files of several "
         "draws of each sample, RUN/logits/step-N-draws.h5");
  return result;
}

}  // namespace smoothlab::eval
