#include "eval/numpy_draws.h"

#include <gtest/gtest.h>

#include "eval/translation_fixture.h"

namespace smoothlab::eval {
namespace {

// numpy.random.default_rng(seed).choice(n, size=7); the script beside the figures says how.
TEST(NumpyDrawsTest, AreThoseOfNumPy) {
  for (const auto& wanted : translation_reference()["draws"]) {
    NumpyDraws draws(wanted["seed"].get<uint64_t>());
    for (const uint32_t draw : wanted["draws"]) EXPECT_EQ(draws.below(wanted["n"]), draw) << wanted;
  }
}

}  // namespace
}  // namespace smoothlab::eval
