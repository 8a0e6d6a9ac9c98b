#include "eval/chrf.h"

#include <fmt/format.h>

#include <algorithm>

#include "cluster/error.h"
#include "eval/unicode_text.h"

namespace smoothlab::eval {
namespace {

bool is_ascii_punctuation(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

/// Statistics of one kind of n-gram: [hypothesis, reference, matches] for each order. The hypothesis has none
/// where the reference has none to match.
void write(size_t hypothesis, size_t reference, const std::vector<int32_t>& matches, int32_t* out) {
  for (size_t n = 0; n < matches.size(); ++n, out += 3) {
    const size_t theirs = reference > n ? reference - n : 0;
    out[0] = theirs > 0 && hypothesis > n ? static_cast<int32_t>(hypothesis - n) : 0;
    out[1] = static_cast<int32_t>(theirs);
    out[2] = matches[n];
  }
}

}  // namespace

Chrf::Chrf(const ChrfOptions& options)
    : options_(options), characters_(options.character_order), words_(options.word_order) {
  const auto require = [](bool holds, const std::string& what, const std::string& where,
                          const std::string& remedy) {
    if (!holds) throw UsageError(what, where, remedy);
  };
  require(options.character_order >= 1 && options.character_order <= 64,
          fmt::format("chrF of {} characters", options.character_order), "character order", "give 1 to 64");
  require(options.word_order <= 64, fmt::format("chrF of {} words", options.word_order), "word order",
          "give 0 to 64");
  require(options.beta >= 1 && options.beta <= 1000, fmt::format("chrF with a beta of {}", options.beta),
          "beta", "give 1 to 1000");
}

std::string Chrf::name() const {
  return fmt::format("chrF{}{}", options_.beta, std::string(options_.word_order, '+'));
}

std::string Chrf::settings() const {
  return fmt::format("case:{}|eff:{}|nc:{}|nw:{}|space:{}", options_.lowercase ? "lc" : "mixed",
                     options_.epsilon_smoothing ? "no" : "yes", options_.character_order, options_.word_order,
                     options_.white_space ? "yes" : "no");
}

void Chrf::characters_of(std::string_view segment) {
  symbols_.clear();
  const auto take = [this](std::string_view text) {
    for (size_t at = 0; at < text.size();) symbols_.push_back(next_character(text, at));
  };
  if (options_.white_space)
    take(segment);
  else
    split_words(segment, take);
}

/// Words, with one sign of punctuation at the end apart, or else one at the beginning.
void Chrf::words_of(std::string_view segment) {
  pieces_.clear();
  split_words(segment, [this](std::string_view word) {
    size_t first = 0;
    next_character(word, first);
    if (first < word.size() && is_ascii_punctuation(word.back()))
      first = word.size() - 1;
    else if (!is_ascii_punctuation(word.front()))
      first = word.size();
    pieces_.push_back(word.substr(0, first));
    if (first < word.size()) pieces_.push_back(word.substr(first));
  });
}

void Chrf::compare(const std::vector<std::string_view>& hypotheses, std::string_view reference,
                   int32_t* out) {
  characters_of(reference);
  const size_t characters = symbols_.size();
  characters_.begin(characters);
  characters_.add_reference(symbols_);
  size_t words = 0;
  if (options_.word_order > 0) {
    words_of(reference);
    words = pieces_.size();
    numbers_.begin(words);
    words_.begin(words);
    symbols_.clear();
    for (const auto piece : pieces_) symbols_.push_back(numbers_.add(piece));
    words_.add_reference(symbols_);
  }
  std::vector<int32_t> matches;
  for (const auto hypothesis : hypotheses) {
    matches.assign(options_.character_order, 0);
    characters_of(hypothesis);
    characters_.match(symbols_, matches.data());
    write(symbols_.size(), characters, matches, out);
    if (options_.word_order > 0) {
      matches.assign(options_.word_order, 0);
      words_of(hypothesis);
      symbols_.clear();
      for (const auto piece : pieces_) symbols_.push_back(numbers_.find(piece));
      words_.match(symbols_, matches.data());
      write(symbols_.size(), words, matches, out + 3 * options_.character_order);
    }
    out += statistics();
  }
}

void Chrf::count(const std::vector<std::string_view>& given,
                 const std::vector<std::string_view>& given_references, int32_t* out) {
  std::vector<std::string_view> hypotheses = given, references = given_references;
  std::vector<std::string> lowered;
  if (options_.lowercase) {
    lowered.reserve(hypotheses.size() + references.size());  // views point into them
    for (auto* side : {&hypotheses, &references})
      for (auto& segment : *side) segment = lowered.emplace_back(lower_case(segment));
  }
  const size_t all = hypotheses.size() * statistics();
  std::vector<int32_t> one(all);
  std::vector<double> sums(statistics()), best(hypotheses.size(), -1.0);
  for (const auto reference : references) {
    compare(hypotheses, reference, one.data());
    for (size_t i = 0; i < hypotheses.size(); ++i) {
      const int32_t* counted = one.data() + i * statistics();
      double f = 0;
      if (references.size() > 1) {
        std::copy(counted, counted + statistics(), sums.begin());
        f = score(sums.data(), Arithmetic::exact);
      }
      if (f <= best[i]) continue;
      best[i] = f;
      std::copy(counted, counted + statistics(), out + i * statistics());
    }
  }
}

double Chrf::score(const double* sums, Arithmetic arithmetic) const {
  constexpr double epsilon = 1e-16;
  const size_t orders = options_.character_order + options_.word_order;
  const double factor = static_cast<double>(options_.beta) * options_.beta;
  const auto part = [&](double matches, double of) {
    if (of <= 0) return epsilon;
    return arithmetic == Arithmetic::exact
               ? matches / of
               : static_cast<double>(static_cast<float>(matches) / static_cast<float>(of));
  };
  double scores = 0, precision = 0, recall = 0;
  int effective = 0;
  for (size_t i = 0; i < orders; ++i, sums += 3) {
    const double p = part(sums[2], sums[0]), r = part(sums[2], sums[1]);
    const double denominator = factor * p + r;
    scores += denominator > 0 ? (1 + factor) * p * r / denominator : epsilon;
    if (sums[0] > 0 && sums[1] > 0) {
      precision += p;
      recall += r;
      ++effective;
    }
  }
  if (options_.epsilon_smoothing) return 100 * scores / static_cast<double>(orders);
  if (effective == 0) return 0;
  precision /= effective;
  recall /= effective;
  if (precision + recall == 0) return 0;
  return 100 * ((1 + factor) * precision * recall / (factor * precision + recall));
}

nlohmann::json Chrf::details_json(const double* sums) const {
  nlohmann::json hypothesis = nlohmann::json::array(), reference = hypothesis, matches = hypothesis;
  for (size_t i = 0; i < statistics(); i += 3) {
    hypothesis.push_back(static_cast<int64_t>(sums[i]));
    reference.push_back(static_cast<int64_t>(sums[i + 1]));
    matches.push_back(static_cast<int64_t>(sums[i + 2]));
  }
  return {{"hypothesis_ngrams", hypothesis}, {"reference_ngrams", reference}, {"matches", matches}};
}

}  // namespace smoothlab::eval
