#pragma once

#include <optional>
#include <string>
#include <vector>

#include "eval/report_subject.h"

namespace smoothlab::eval {

/// What a comparison came to.
enum class Verdict { holds, fails, open };

/// A sentence of the paper about what smoothing does, and what the runs here say of it.
struct Claim {
  std::string where;     ///< "Table 3"
  std::string says;      ///< "label smoothing lowers the calibration error"
  std::string measured;  ///< "0.054 ± 0.002 (2 runs) against 0.149 ± 0.003 (2 runs)"
  Verdict verdict = Verdict::open;
};

/// Those that the subject's runs can tell anything about. The verdict is open where two means differ by less
/// than two standard errors over their seeds, or, of one run each, by less than a twentieth.
std::vector<Claim> claims_about(const ReportSubject& subject);

/// Whether `lower` is below `higher`: by two standard errors of their difference, where seeds tell; a single
/// run is as uncertain as the others are.
Verdict is_lower(const SeedStatistics& lower, const SeedStatistics& higher);

/// A figure of the paper's beside one's own.
struct Beside {
  std::string what;   ///< "accuracy, α = 0.1"
  std::string paper;  ///< "72.7 ± 0.3"
  std::string here;   ///< "72.41 ± 0.22 (5 runs)"; a dash where no run has it
  std::string text;   ///< "agrees", "0.9 lower", "the recipe differs", …
  Verdict verdict = Verdict::open;
};

/// Every figure that the paper prints of this network; empty where it has none. Figures agree within two
/// standard deviations, of the seeds here and of what the paper prints together; a difference is held
/// against nobody where the recipe differs, or where neither side says how much seeds matter.
std::vector<Beside> beside_paper(const ReportSubject& subject);

/// The paper's figure with what it printed as its spread, beside means over runs. follows: whether their
/// recipes are the paper's.
Beside beside(const std::string& what, double paper, std::optional<double> spread, const SeedStatistics& here,
              int digits, int paper_digits, bool follows);

}  // namespace smoothlab::eval
