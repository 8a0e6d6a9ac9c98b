// BLEU and chrF against sacreBLEU on the same two files, in turns. Times in the process are of tokenising,
// counting and scoring text in memory; times of processes are of `smoothlab bleu` and of a Python that
// imports sacreBLEU and scores once, from start to end. Usage: bleu_bench [lines [tokens [rounds [script]]]],
// from the root of the source, or with the path of peers/sacrebleu_score.py. The Python is $PYTHON, or
// python3, and finds sacreBLEU where it is installed or by PYTHONPATH. Wanted: BLEU 20 times as fast, scores
// equal.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "bench_main.h"
#include "cluster/addressed_random.h"
#include "eval/segment_file.h"
#include "eval/translation_scores.h"

namespace {

using namespace smoothlab;
namespace fs = std::filesystem;

/// Words of 2 to 9 letters, few of them common and many rare, with commas and a period; hypotheses have a
/// third of them changed.
struct Texts {
  std::string hypotheses, references;
};

Texts make_texts(uint64_t lines, uint32_t tokens) {
  constexpr uint64_t vocabulary = 8000;
  const auto word = [](const AddressedRandom& random, uint32_t draw) {
    const double u = random.uniform(draw);
    const AddressedRandom letters(1, Purpose::generated_data, 2,
                                  static_cast<uint64_t>(vocabulary * u * u * u));
    std::string text;
    for (uint32_t i = 0; i < 2 + letters.below(8, 0); ++i)
      text.push_back(static_cast<char>('a' + letters.below(26, i + 1)));
    return text;
  };
  Texts texts;
  for (uint64_t line = 0; line < lines; ++line) {
    const AddressedRandom random(1, Purpose::generated_data, 1, line);
    for (uint32_t i = 0; i + 1 < tokens; ++i) {
      const std::string one = word(random, 4 * i);
      const std::string other = random.uniform(4 * i + 1) < 0.3 ? word(random, 4 * i + 2) : one;
      const char* mark = i + 2 == tokens ? "." : random.uniform(4 * i + 3) < 0.05 ? ", " : " ";
      texts.references += one + mark;
      texts.hypotheses += other + mark;
    }
    texts.references += '\n';
    texts.hypotheses += '\n';
  }
  return texts;
}

/// Of one task: seconds of every round, and its score.
struct Measured {
  std::vector<double> seconds;
  double score = 0;
};
using Measurements = std::map<std::string, Measured>;

template <typename Work>
double seconds_of(const Work& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::string output_of(const std::string& command) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string text;
  char block[4096];
  while (pipe && std::fgets(block, sizeof block, pipe.get())) text += block;
  return text;
}

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? "'\\''" : std::string(1, c);
  return result + "'";
}

eval::TranslatedCorpus corpus_of(const eval::SegmentFile& hypotheses, const eval::SegmentFile& references) {
  eval::TranslatedCorpus corpus{{hypotheses.name()}, {hypotheses.segments()}, {}};
  for (const auto segment : references.segments()) corpus.references.push_back({segment});
  return corpus;
}

void measure_ours(const eval::TranslatedCorpus& corpus, Measurements& measured) {
  const auto task = [&](const char* name, const eval::ScoringOptions& options) {
    Measured& one = measured[name];
    one.seconds.push_back(seconds_of(
        [&] { one.score = score_translations(corpus, options).metrics.front().systems.front().score; }));
  };
  eval::ScoringOptions bleu, intl, chrf;
  intl.bleu = bleu.bleu = eval::BleuOptions();
  intl.bleu->tokenization = eval::Tokenization::intl;
  chrf.chrf = eval::ChrfOptions();
  task("bleu", bleu);
  task("intl", intl);
  task("chrf", chrf);
  bleu.resamples = 1000;
  task("confidence", bleu);
}

/// What the peer printed; `version` is its first line, empty where sacreBLEU is missing.
void read_peer(const std::string& printed, Measurements& measured, std::string& version) {
  std::istringstream lines(printed);
  std::getline(lines, version);
  if (version.rfind("version ", 0) != 0) {
    version.clear();
    return;
  }
  std::string name;
  for (double seconds = 0, score = 0; lines >> name >> seconds >> score;) {
    measured[name].seconds.push_back(seconds);
    measured[name].score = score;
  }
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::string spread(const std::vector<double>& values) {
  char text[80];
  std::snprintf(text, sizeof text, "%8.2f ms (%.2f - %.2f)", 1e3 * median(values),
                1e3 * *std::min_element(values.begin(), values.end()),
                1e3 * *std::max_element(values.begin(), values.end()));
  return text;
}

void print(const char* what, const Measured& ours, const Measured* peer, bool scored) {
  std::printf("%-28s smoothlab %s", what, spread(ours.seconds).c_str());
  if (peer) {
    std::printf("   sacreBLEU %s   %.1f times as fast", spread(peer->seconds).c_str(),
                median(peer->seconds) / median(ours.seconds));
    if (scored) std::printf("   %s", ours.score == peer->score ? "scores equal" : "SCORES DIFFER");
  }
  std::printf("\n");
}

int measure(const bench::Arguments& arguments) {
  const auto number = [&](size_t i, const char* otherwise) {
    return std::strtoul(arguments.at(i, otherwise).c_str(), nullptr, 10);
  };
  const uint64_t lines = number(0, "3000"), rounds = number(2, "7");
  const auto tokens = static_cast<uint32_t>(number(1, "25"));
  const fs::path place = fs::temp_directory_path() / ("bleu_bench_" + std::to_string(getpid()));
  fs::create_directory(place);
  const std::string hypotheses = place / "hypotheses", references = place / "references";
  const Texts texts = make_texts(lines, tokens);
  std::ofstream(hypotheses) << texts.hypotheses;
  std::ofstream(references) << texts.references;
  const eval::SegmentFile hypothesis_file(hypotheses), reference_file(references);
  const auto corpus = corpus_of(hypothesis_file, reference_file);

  const char* given = std::getenv("PYTHON");
  const std::string python = quoted(given ? given : "python3");
  const std::string files = " " + quoted(hypotheses) + " " + quoted(references);
  const std::string peer = python + " " + quoted(arguments.at(3, "bench/peers/sacrebleu_score.py")) + files;
  const std::string whole_peer =
      python + " -m sacrebleu " + quoted(references) + " -i " + quoted(hypotheses) + " 2>&1";
  const std::string program =
      quoted(fs::canonical("/proc/self/exe").parent_path() / "smoothlab") + " bleu" + files;

  Measurements ours, theirs;
  Measured our_process, their_process;
  std::string version;
  for (uint64_t round = 0; round < rounds; ++round) {
    measure_ours(corpus, ours);
    our_process.seconds.push_back(seconds_of([&] { output_of(program); }));
    read_peer(output_of(peer), theirs, version);
    if (!version.empty()) their_process.seconds.push_back(seconds_of([&] { output_of(whole_peer); }));
  }
  fs::remove_all(place);
  std::printf("%llu lines of %u tokens, one reference, %llu rounds; medians (least - greatest)\n",
              static_cast<unsigned long long>(lines), tokens, static_cast<unsigned long long>(rounds));
  std::printf("%s\n",
              version.empty()
                  ? "sacreBLEU is missing: name a Python that has it by PYTHON, or its folder by PYTHONPATH"
                  : ("sacreBLEU " + version).c_str());
  const auto peer_of = [&](const char* name) { return version.empty() ? nullptr : &theirs[name]; };
  print("BLEU, 13a (wanted: 20)", ours["bleu"], peer_of("bleu"), true);
  print("BLEU, intl", ours["intl"], peer_of("intl"), true);
  print("chrF2", ours["chrf"], peer_of("chrf"), true);
  print("BLEU, 1000 resamples", ours["confidence"], peer_of("confidence"), true);
  print("BLEU, whole process", our_process, version.empty() ? nullptr : &their_process, false);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run(argc, argv, measure);
}
