#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace smoothlab::eval {

/// What a translator came to at one temperature; see TemperatureSweep.
struct SweepPoint {
  double temperature = 1;
  std::optional<double> nll;  ///< nats a token
  std::optional<double> ece;  ///< 15 bins [lo, hi), of the next token's probabilities
  /// 0 … 100, of the text as it is and of the lower-cased text, which is what the paper reports.
  std::optional<double> bleu, bleu_lowercase;
  std::optional<double> length_ratio;  ///< tokens of the translations to those of the references
};

/// Stands for the code that made a sweep's figures. Raise it by hand with every change after which the same
/// weights and text may come to another figure: of the beam search, of the network's arithmetic while it
/// decodes, of how tokens become text, of BLEU, NLL or ECE. What faster code computes alike needs no new one.
constexpr int64_t decoding_revision = 1;

/// What a sweep's figures depend on besides the temperature. Figures of equal origins may stand in for each
/// other.
struct SweepOrigin {
  int64_t step = 0;
  std::string weights;     ///< SHA-256 of the file that they were read from
  std::string split;       ///< "validation", "test"
  std::string samples;     ///< fingerprint of the split's pairs
  std::string references;  ///< SHA-256 of their plain text
  std::string precision;   ///< of the pass that NLL and ECE are of: "fp32", "bf16", "tf32"
  int64_t beam = 4;
  double length_penalty = 0.6;
  int64_t decoding = decoding_revision;  ///< 0: of a file from before there were revisions
};
bool operator==(const SweepOrigin& a, const SweepOrigin& b);

/// Fig. 4 of "When Does Label Smoothing Help?": BLEU by beam search, ECE and NLL of a translator whose logits
/// are divided by temperatures.
struct TemperatureSweep {
  SweepOrigin origin;
  int64_t tokens = 0, sentences = 0;           ///< of the split
  std::string signature, lowercase_signature;  ///< of BLEU
  std::vector<SweepPoint> points;              ///< by temperature, each once

  /// The point of a temperature; null where there is none.
  const SweepPoint* at(double temperature) const;
  /// The same, made where it is missing.
  SweepPoint& point(double temperature);
};

/// The points with the highest BLEU, the least ECE and the least NLL; null where no point has it. Of equals
/// the lowest temperature.
struct BestPoints {
  const SweepPoint *bleu = nullptr, *ece = nullptr, *nll = nullptr;
};
BestPoints best_points(const TemperatureSweep& sweep, bool lowercase);
std::optional<double> bleu_of(const SweepPoint& point, bool lowercase);

/// An object: the origin's keys, tokens, sentences, signatures and points; what a point lacks is null.
nlohmann::ordered_json to_json(const TemperatureSweep& sweep);

/// A file of sweeps, {"temperature_sweeps": […]}, as text and back. Throws DataError naming the file for
/// text that is none.
std::string sweeps_text(const std::vector<TemperatureSweep>& sweeps);
std::vector<TemperatureSweep> parse_sweeps(const std::string& text, const std::string& path);

/// Adds a sweep to others: what it has replaces the figures of a sweep of the same origin, whose other
/// temperatures stay.
void merge_sweep(std::vector<TemperatureSweep>& sweeps, const TemperatureSweep& sweep);

}  // namespace smoothlab::eval
