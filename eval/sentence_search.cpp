#include "eval/sentence_search.h"

#include <fmt/format.h>

#include <numeric>
#include <utility>

#include "cluster/error.h"
#include "eval/worker_threads.h"
#include "models/translation_network.h"

namespace smoothlab::eval {
namespace {

/// Logits below which starting threads takes longer than what they would do.
constexpr int64_t worth_threads = INT64_C(1) << 18;

using Searches = std::vector<std::unique_ptr<SentenceSearch>>;

/// Where each search's lanes lie among those of the decoding.
std::vector<int64_t> lane_offsets(const Searches& searches) {
  std::vector<int64_t> offsets = {0};
  offsets.reserve(searches.size() + 1);
  for (const auto& search : searches)
    offsets.push_back(offsets.back() + static_cast<int64_t>(search->tokens().size()));
  return offsets;
}

/// The next lanes as numbers of the last ones.
std::vector<int64_t> chosen_lanes(const Searches& searches, const std::vector<int64_t>& offsets) {
  std::vector<int64_t> chosen;
  for (size_t i = 0; i < searches.size(); ++i)
    for (const int64_t parent : searches[i]->parents()) chosen.push_back(offsets[i] + parent);
  return chosen;
}

bool all_stay(const std::vector<int64_t>& chosen, int64_t lanes) {
  if (static_cast<int64_t>(chosen.size()) != lanes) return false;
  for (size_t i = 0; i < chosen.size(); ++i)
    if (chosen[i] != static_cast<int64_t>(i)) return false;
  return true;
}

}  // namespace

SearchBatch search_batch(const models::SourceSentences& sources, std::vector<int64_t> ids) {
  SearchBatch batch;
  batch.ids = std::move(ids);
  for (size_t i = 0; i + 1 < sources.offsets.size(); ++i)
    batch.source_tokens.push_back(sources.offsets[i + 1] - sources.offsets[i] - 1);
  return batch;
}

SearchRules::SearchRules(const SearchOptions& search_options, const data::Vocabulary& target_vocabulary)
    : options(search_options),
      target(target_vocabulary),
      never(tokens_without_text(target.special)),
      never_yet(never) {
  never_yet.push_back(target.special.end);
}

SentenceSearch::SentenceSearch(const SearchRules& rules, int64_t sentence, int64_t source_tokens)
    : rules_(rules),
      sentence_(sentence),
      most_tokens_(eval::most_tokens(rules.options, source_tokens)),
      parents_{0},
      tokens_{rules.target.special.begin} {}

NextTokens SentenceSearch::next_of(const float* row, SearchScratch& scratch) const {
  const NextTokens next =
      next_tokens(row, rules_.target.size, rules_.options.temperature, scratch.exponentials.data());
  if (!next.finite)
    throw RunError("a logit is not finite",
                   fmt::format("translation of sentence {}, after {} tokens", sentence_, tokens_so_far_),
                   "the weights have diverged or are damaged: use an earlier checkpoint");
  return next;
}

std::vector<std::vector<Hypothesis>> search_together(models::Decoding& decoding, const SearchBatch& batch,
                                                     const SearchMaker& make, int64_t classes, int threads) {
  if (threads < 1)
    throw UsageError(fmt::format("a search on {} threads", threads), "translation", "give it 1 or more");
  Searches searches;
  for (size_t i = 0; i < batch.ids.size(); ++i)
    searches.push_back(make(batch.ids[i], batch.source_tokens[i]));
  std::vector<SearchScratch> scratch;
  for (int worker = 0; worker < threads; ++worker) scratch.emplace_back(classes);
  FloatLanes logits;
  int64_t room = 0;
  for (auto offsets = lane_offsets(searches); offsets.back() > 0;) {
    const int64_t lanes = offsets.back();
    std::vector<int32_t> tokens;
    tokens.reserve(static_cast<size_t>(lanes));
    for (const auto& search : searches)
      tokens.insert(tokens.end(), search->tokens().begin(), search->tokens().end());
    if (lanes > room) {
      room = lanes;
      logits = FloatLanes(room * classes);
    }
    decoding.step(tokens, logits.data());
    const int workers = lanes * classes < worth_threads ? 1 : threads;
    for_each_index(0, static_cast<int64_t>(searches.size()), workers, [&](int worker, int64_t i) {
      const auto at = static_cast<size_t>(i);
      if (searches[at]->tokens().empty()) return;
      searches[at]->advance(logits.data() + offsets[at] * classes, scratch[static_cast<size_t>(worker)]);
    });
    const std::vector<int64_t> chosen = chosen_lanes(searches, offsets);
    offsets = lane_offsets(searches);
    if (!chosen.empty() && !all_stay(chosen, lanes)) decoding.select(chosen);
  }
  std::vector<std::vector<Hypothesis>> found;
  found.reserve(searches.size());
  for (const auto& search : searches) found.push_back(search->results());
  return found;
}

}  // namespace smoothlab::eval
