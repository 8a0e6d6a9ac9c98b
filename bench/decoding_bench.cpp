// Target tokens a second of beam search with Transformer base, float32, random weights, to be set beside
// peers/torch_decoding.py: decoding_bench FOLDER [sentences] [beam] [threads] [vocabulary]. A translation is
// as long as its source, 5 to 49 tokens, so that both do the same work. Leaves in FOLDER, for the peer:
// weights.safetensors, sources.txt, and what was found, translations.txt, as token ids.

#include <ATen/Parallel.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <numeric>

#include "bench_main.h"
#include "cluster/communicator.h"
#include "cluster/file_system.h"
#include "eval/translation.h"
#include "models/transformer.h"
#include "models/weights.h"

namespace {

using namespace smoothlab;

models::SourceSentences random_sources(int64_t sentences, int64_t vocabulary, int32_t end) {
  models::SourceSentences sources;
  for (int64_t sentence = 0; sentence < sentences; ++sentence) {
    for (int64_t i = 0; i < 5 + sentence * 7 % 45; ++i)
      sources.tokens.push_back(static_cast<int32_t>(4 + (sentence * 7919 + i * 104729) % (vocabulary - 4)));
    sources.tokens.push_back(end);
    sources.offsets.push_back(static_cast<int64_t>(sources.tokens.size()));
  }
  return sources;
}

void write_lines(const std::string& path, const int32_t* tokens, const std::vector<int64_t>& offsets) {
  std::ofstream file(path);
  for (size_t i = 0; i + 1 < offsets.size(); ++i) {
    for (int64_t at = offsets[i]; at < offsets[i + 1]; ++at) file << tokens[at] << ' ';
    file << '\n';
  }
}

int measure(const bench::Arguments& arguments) {
  const std::string folder = arguments.at(0, ".");
  const int64_t sentences = std::stoll(arguments.at(1, "180"));
  const int threads = std::stoi(arguments.at(3, "2"));
  const auto communicator = cluster::make_communicator();
  at::set_num_threads(threads);
  models::NetworkOptions network_options;
  network_options.name = "transformer_base";
  network_options.form = "t2t";
  network_options.classes = network_options.source_classes = std::stoll(arguments.at(4, "32000"));
  network_options.joint_vocabulary = true;
  models::Transformer network(network_options);
  data::Vocabulary target;
  target.size = network_options.classes;
  const auto sources = random_sources(sentences, target.size, target.special.end);
  models::write_safetensors(*cluster::local_file_system(), folder + "/weights.safetensors",
                            {models::tensors_of(network), {}});
  write_lines(folder + "/sources.txt", sources.tokens.data(), sources.offsets);

  eval::TranslationOptions options;
  options.beam.beam = std::stoll(arguments.at(2, "4"));
  options.beam.n = 1;
  options.beam.longest_extra = 0;
  options.threads = threads;
  std::vector<int64_t> ids(static_cast<size_t>(sentences));
  std::iota(ids.begin(), ids.end(), 0);
  models::SourceSentences first;  // lays out the weights
  first.tokens = {4, target.special.end};
  first.offsets = {0, 2};
  eval::translate(network, first, {0}, target, options, *communicator);

  const auto start = std::chrono::steady_clock::now();
  const auto found = eval::translate(network, sources, ids, target, options, *communicator);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::vector<int32_t> tokens;
  std::vector<int64_t> offsets = {0};
  for (const auto& hypotheses : found) {
    tokens.insert(tokens.end(), hypotheses[0].tokens.begin(), hypotheses[0].tokens.end());
    offsets.push_back(static_cast<int64_t>(tokens.size()));
  }
  write_lines(folder + "/translations.txt", tokens.data(), offsets);
  std::printf("tokens_per_second %.1f  seconds %.2f  tokens %zu  threads %d\n",
              static_cast<double>(tokens.size()) / seconds, seconds, tokens.size(), threads);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return smoothlab::bench::run(argc, argv, measure);
}
