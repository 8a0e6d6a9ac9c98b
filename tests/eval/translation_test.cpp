#include "eval/translation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "eval/translation_fixture.h"

namespace smoothlab::eval {
namespace {

TEST(Translation, IsInOrderAndTheSameForAnyBatches) {
  const int64_t classes = 20;
  test::ToyTranslator network(classes, test::hashed_model(6, classes, 2, 1));
  const auto sources = test::many_sentences(60);
  const auto ids = test::ids_of(sources);
  const auto solo = cluster::make_solo_communicator();
  TranslationOptions options;
  options.beam.n = 2;
  for (const bool sampled : {false, true}) {
    if (sampled) options.sampling.emplace();
    options.batches = {1, 1};
    const auto one_by_one = translate(network, sources, ids, test::toy_vocabulary(classes), options, *solo);
    ASSERT_EQ(one_by_one.size(), 60U);
    for (const BatchLimits limits : {BatchLimits{40, 7}, BatchLimits{}}) {
      options.batches = limits;
      options.threads = 2;
      std::vector<int64_t> told;
      options.progress = [&](int64_t done, int64_t all) {
        told.push_back(done);
        EXPECT_EQ(all, 60);
      };
      EXPECT_TRUE(test::same(
          one_by_one, translate(network, sources, ids, test::toy_vocabulary(classes), options, *solo)));
      EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
      EXPECT_EQ(told.back(), 60);
      options.progress = nullptr;
    }
  }
}

TEST(Translation, OfNothingIsNothing) {
  test::ToyTranslator network(5, test::hashed_model(6, 5, 2, 1));
  const auto solo = cluster::make_solo_communicator();
  EXPECT_TRUE(translate(network, {}, {}, test::toy_vocabulary(5), {}, *solo).empty());
}

}  // namespace
}  // namespace smoothlab::eval
