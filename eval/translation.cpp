#include "eval/translation.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "eval/packed_values.h"

namespace smoothlab::eval {
namespace {

using Found = std::vector<std::vector<Hypothesis>>;

Found search(models::TranslationNetwork& network, const models::SourceSentences& sources,
             std::vector<int64_t> ids, const data::Vocabulary& target, const TranslationOptions& options) {
  const auto decoding = network.decode(sources);
  const SearchBatch batch = search_batch(sources, std::move(ids));
  return options.sampling ? sample_translations(*decoding, batch, target, *options.sampling, options.threads)
                          : beam_search(*decoding, batch, target, options.beam, options.threads);
}

/// Numbers of sentences and what was found for them, as text for the other ranks.
void pack(int64_t number, const std::vector<Hypothesis>& hypotheses, PackedValues& packed) {
  packed.put(number);
  packed.put(static_cast<int64_t>(hypotheses.size()));
  for (const Hypothesis& one : hypotheses) {
    packed.put(one.log_probability);
    packed.put(one.score);
    packed.put(static_cast<int64_t>(one.cut ? 1 : 0));
    packed.put_all(one.tokens);
  }
}

void unpack(const std::string& text, Found& all) {
  PackedValuesReader packed(text);
  while (!packed.at_end()) {
    std::vector<Hypothesis>& found = all[static_cast<size_t>(packed.get<int64_t>())];
    found.resize(static_cast<size_t>(packed.get<int64_t>()));
    for (Hypothesis& one : found) {
      one.log_probability = packed.get<double>();
      one.score = packed.get<double>();
      one.cut = packed.get<int64_t>() != 0;
      one.tokens = packed.get_all<int32_t>();
    }
  }
}

/// Every rank has something to do where there are sentences enough.
BatchLimits limits_for(const BatchLimits& limits, const models::SourceSentences& sources, int64_t ranks) {
  if (ranks == 1) return limits;
  const auto share = [ranks](int64_t all) { return std::max<int64_t>(1, (all + ranks - 1) / ranks); };
  return {std::min(limits.tokens, share(sources.offsets.back())),
          std::min(limits.sentences, share(sources.size()))};
}

}  // namespace

Found translate(models::TranslationNetwork& network, const models::SourceSentences& sources,
                const std::vector<int64_t>& ids, const data::Vocabulary& target,
                const TranslationOptions& options, cluster::Communicator& communicator) {
  const int64_t ranks = communicator.size(), rank = communicator.rank();
  const auto batches = batches_by_length(sources, limits_for(options.batches, sources, ranks));
  int64_t mine = 0, done = 0;
  for (size_t b = 0; b < batches.size(); ++b)
    if (static_cast<int64_t>(b) % ranks == rank) mine += static_cast<int64_t>(batches[b].size());

  Found all(static_cast<size_t>(sources.size()));
  PackedValues packed;
  for (size_t b = 0; b < batches.size(); ++b) {
    if (static_cast<int64_t>(b) % ranks != rank) continue;
    std::vector<int64_t> batch_ids;
    for (const int64_t number : batches[b]) batch_ids.push_back(ids[static_cast<size_t>(number)]);
    Found found =
        search(network, chosen_sentences(sources, batches[b]), std::move(batch_ids), target, options);
    for (size_t i = 0; i < found.size(); ++i) {
      if (ranks > 1) pack(batches[b][i], found[i], packed);
      all[static_cast<size_t>(batches[b][i])] = std::move(found[i]);
    }
    done += static_cast<int64_t>(batches[b].size());
    if (options.progress) options.progress(done, mine);
  }
  if (ranks > 1)
    for (const std::string& text : communicator.allgather_text(packed.text())) unpack(text, all);
  return all;
}

}  // namespace smoothlab::eval
