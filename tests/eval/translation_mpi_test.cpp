#include <gtest/gtest.h>

#include "eval/toy_translator.h"
#include "support/ranks.h"

namespace smoothlab::eval {
namespace {

TEST(TranslationMpi, IsTheSameOnAnyRanks) {
  const int64_t classes = 20;
  test::ToyTranslator network(classes, test::hashed_model(6, classes, 2, 1));
  const auto solo = cluster::make_solo_communicator();
  for (const int32_t count : {0, 1, 2, 61}) {
    const auto sources = test::many_sentences(count);
    const auto ids = test::ids_of(sources);
    TranslationOptions options;
    options.beam.n = 2;
    options.batches = {30, 8};
    for (const bool sampled : {false, true}) {
      if (sampled) options.sampling.emplace();
      const auto vocabulary = test::toy_vocabulary(classes);
      EXPECT_TRUE(test::same(translate(network, sources, ids, vocabulary, options, *solo),
                             translate(network, sources, ids, vocabulary, options, test::ranks())))
          << count;
    }
  }
}

}  // namespace
}  // namespace smoothlab::eval
