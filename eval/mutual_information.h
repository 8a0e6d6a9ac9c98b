#pragma once

#include <cstdint>
#include <vector>

namespace smoothlab::eval {

/// What repeated draws tell about which example they are of.
struct MutualInformation {
  int64_t examples = 0, draws = 0;  ///< N, L
  /// Î(X; Y) in nats. Between 0 and log N up to the noise of few draws: see `floor`.
  double information = 0;
  double variance = 0;  ///< σ², shared by all examples
  double bound = 0;     ///< log N, which examples that never overlap have
  /// ½·log(L/(L−1)), what the estimate comes to on average where every example has one and the same
  /// distribution and the truth is 0; clusters far apart have about as much over their true value. It is
  /// because µ_x is the mean of the very draws that are judged by it: they lie closer to it than others
  /// would.
  double floor = 0;
};

/// The estimate of the paper's sec. 4 and fig. 6. X: index of an example, each as likely as another; Y: f of
/// an augmented view of it, taken to be Gaussian about µ_x, the mean of its L draws, with one variance for
/// all examples, σ² = Σ_x Σ_l (f_xl − µ_x)² / (N·L):
///
///     Î = 1/(N·L) Σ_x Σ_l [ −(f_xl − µ_x)²/(2σ²) − log( 1/N Σ_x' exp(−(f_xl − µ_x')²/(2σ²)) ) ].
///
/// The paper prints neither 1/(N·L) nor, under the logarithm, 1/N: without them it is no average and lacks
/// log N. σ² = 0 is taken as the limit σ² → 0: the entropy of the partition of the examples into those of
/// equal f. Sums are in double precision and of exponentials of at most 1; terms below e⁻⁴⁰ of the largest
/// are left out. What comes out does not depend on the number of threads. Throws UsageError for fewer than
/// two draws or no example or a size that is not N·L, DataError naming example and draw for a value that is
/// not finite.
///
/// f: [N, L], row-major. threads: 0: as many as there are cores.
MutualInformation mutual_information(const std::vector<double>& f, int64_t examples, int64_t draws,
                                     int threads = 1);

}  // namespace smoothlab::eval
