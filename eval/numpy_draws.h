#pragma once

#include <cstdint>

namespace smoothlab::eval {

/// What numpy.random.default_rng(seed) draws (NumPy ≥ 1.17): PCG64 (O'Neill 2014, XSL-RR 128/64), seeded by
/// SeedSequence, whole numbers below a bound by Lemire's method (2019). The same numbers on every machine,
/// so that resamples are those of programs in Python.
///
/// Rule 1 of the house asks for addressed randomness; this is consumed, because it has to be NumPy's. One
/// object is read by one loop in one order, and no result depends on threads.
class NumpyDraws {
 public:
  explicit NumpyDraws(uint64_t seed);

  /// The next of choice(n, …) and integers(n, …), n from 1 to 2^32 − 1.
  uint32_t below(uint32_t n);

 private:
  __extension__ typedef unsigned __int128 uint128;
  uint64_t next64();
  uint32_t next32();

  uint128 state_ = 0, increment_ = 0;
  bool half_left_ = false;
  uint32_t half_ = 0;
};

}  // namespace smoothlab::eval
