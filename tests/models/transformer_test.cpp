#include "models/transformer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>

#include "cluster/error.h"

namespace smoothlab::models {
namespace {

NetworkOptions tiny(const std::string& form, bool joint = true) {
  NetworkOptions options;
  options.name = "transformer_tiny";
  options.form = form;
  options.width = 32;
  options.heads = 2;
  options.feed_forward = 48;
  options.classes = 37;
  options.source_classes = joint ? 37 : 29;
  options.joint_vocabulary = joint;
  return options;
}

using Sentences = std::vector<std::vector<int32_t>>;

std::vector<at::Tensor> packed(const Sentences& source, const Sentences& target) {
  std::vector<at::Tensor> inputs;
  for (const auto* side : {&source, &target}) {
    std::vector<int64_t> tokens, offsets = {0};
    for (const auto& sentence : *side) {
      tokens.insert(tokens.end(), sentence.begin(), sentence.end());
      offsets.push_back(static_cast<int64_t>(tokens.size()));
    }
    for (const auto& values : {tokens, offsets}) inputs.push_back(at::tensor(values, at::kLong));
  }
  return inputs;
}

SourceSentences sources_of(const Sentences& sentences) {
  SourceSentences sources;
  for (const auto& sentence : sentences) {
    sources.tokens.insert(sources.tokens.end(), sentence.begin(), sentence.end());
    sources.offsets.push_back(static_cast<int64_t>(sources.tokens.size()));
  }
  return sources;
}

const Sentences kSource = {{5, 9, 11, 3}, {7, 3}, {20, 21, 22, 23, 24, 25, 26, 27, 28, 3}};
const Sentences kTarget = {{2, 30, 31}, {2, 6, 7, 8, 9, 10}, {2}};

at::Tensor logits_of(Network& network, const Sentences& source, const Sentences& target) {
  return network.forward(packed(source, target), {}).logits;
}

TEST(Transformer, RowsDependOnTheirSentenceAndItsPastAlone) {
  for (const char* form : {"paper-2017", "t2t"}) {
    Transformer network(tiny(form));
    const at::Tensor all = logits_of(network, kSource, kTarget);
    ASSERT_EQ(all.sizes(), (std::vector<int64_t>{10, 37}));
    const at::Tensor alone = logits_of(network, {kSource[1]}, {kTarget[1]});
    EXPECT_LT((alone - all.narrow(0, 3, 6)).abs().max().item<float>(), 1e-5);
    Sentences changed = kTarget;
    changed[1][4] = 33;
    const at::Tensor other = logits_of(network, kSource, changed);
    EXPECT_LT((other - all).narrow(0, 0, 7).abs().max().item<float>(), 1e-5);
    EXPECT_GT((other - all)[7].abs().max().item<float>(), 1e-3);
    EXPECT_GT((other - all)[8].abs().max().item<float>(), 1e-4);  // through the cache of the past
    EXPECT_LT((other - all)[9].abs().max().item<float>(), 1e-5);
  }
}

TEST(Transformer, DecodingStepByStepGivesTheLogitsOfTheWhole) {
  for (const char* form : {"paper-2017", "t2t"})
    for (const bool joint : {true, false}) {
      Transformer network(tiny(form, joint));
      const Sentences target = {{2, 30, 31, 4}, {2, 6, 7, 8}, {2, 9, 9, 9}};
      const at::Tensor whole = logits_of(network, kSource, target).view({3, 4, 37});
      const auto decoding = network.decode(sources_of(kSource));
      at::Tensor logits = at::empty({3, 37});
      for (size_t step = 0; step < 4; ++step) {
        decoding->step({target[0][step], target[1][step], target[2][step]}, logits.data_ptr<float>());
        EXPECT_LT((logits - whole.select(1, static_cast<int64_t>(step))).abs().max().item<float>(), 2e-5)
            << form << ' ' << step;
      }
    }
}

TEST(Transformer, LanesBranchAndLeave) {
  Transformer network(tiny("t2t"));
  const auto decoding = network.decode(sources_of(kSource));
  std::vector<float> logits(5 * 37);
  decoding->step({2, 2, 2}, logits.data());
  decoding->select({2, 0, 0});
  decoding->step({4, 5, 6}, logits.data());
  decoding->select({1, 2, 0, 2});
  ASSERT_EQ(decoding->lanes(), 4);
  decoding->step({7, 8, 9, 10}, logits.data());
  const at::Tensor expected = logits_of(network, {kSource[0], kSource[0], kSource[2], kSource[0]},
                                        {{2, 5, 7}, {2, 6, 8}, {2, 4, 9}, {2, 6, 10}});
  for (int64_t lane = 0; lane < 4; ++lane)
    EXPECT_LT(
        (at::from_blob(logits.data() + lane * 37, {37}) - expected[3 * lane + 2]).abs().max().item<float>(),
        2e-5);
}

TEST(Transformer, DecodingDoesNotDependOnTheBatchBitwise) {
  Transformer network(tiny("paper-2017"));
  const auto run = [&](const Sentences& sources, size_t sentence) {
    const auto decoding = network.decode(sources_of(sources));
    std::vector<float> logits(sources.size() * 37), own;
    for (const int32_t token : {2, 30, 4, 11}) {
      decoding->step(std::vector<int32_t>(sources.size(), token), logits.data());
      own.insert(own.end(), logits.begin() + static_cast<long>(sentence) * 37,
                 logits.begin() + static_cast<long>(sentence + 1) * 37);
    }
    return own;
  };
  Sentences many = kSource;
  for (int32_t i = 0; i < 50; ++i) many.push_back({i % 30 + 3, 8, i % 7 + 4, 3});
  for (size_t sentence = 0; sentence < 3; ++sentence)
    EXPECT_EQ(run(many, sentence), run({kSource[sentence]}, 0));
}

// What lanes that left had stored is given up on the way; those that stay may not notice.
TEST(Transformer, LanesThatLeaveChangeNothingForOthersBitwise) {
  Transformer network(tiny("t2t"));
  Sentences sources;
  for (int32_t i = 0; i < 24; ++i) sources.push_back({i % 30 + 3, 8, i % 7 + 4, 3});
  const auto together = network.decode(sources_of(sources));
  std::vector<size_t> staying(sources.size());
  std::iota(staying.begin(), staying.end(), 0U);
  std::map<size_t, std::unique_ptr<Decoding>> alone;
  for (const size_t sentence : staying) alone[sentence] = network.decode(sources_of({sources[sentence]}));
  std::vector<float> logits(sources.size() * 37), own(37);
  for (int32_t step = 0; step < 12; ++step) {
    std::vector<int32_t> tokens;
    for (const size_t sentence : staying)
      tokens.push_back(step == 0 ? 2 : static_cast<int32_t>((7 * sentence + 3 * step) % 30 + 4));
    together->step(tokens, logits.data());
    for (size_t lane = 0; lane < staying.size(); ++lane) {
      alone[staying[lane]]->step({tokens[lane]}, own.data());
      ASSERT_TRUE(std::equal(own.begin(), own.end(), logits.begin() + static_cast<long>(lane * 37)))
          << step << ' ' << staying[lane];
    }
    // A third leaves each time, the others turn round.
    std::vector<int64_t> chosen;
    std::vector<size_t> next;
    for (size_t lane = staying.size(); lane-- > 0;) {
      if (lane % 3 == 1) continue;
      chosen.push_back(static_cast<int64_t>(lane));
      next.push_back(staying[lane]);
    }
    together->select(chosen);
    staying = next;
  }
  EXPECT_EQ(staying.size(), 1U);
}

TEST(Transformer, LongSourcesAreEncodedAsTheNetworkDoes) {
  Transformer network(tiny("paper-2017"));
  Sentences sources(2);
  for (int32_t i = 0; i < 200; ++i) sources[static_cast<size_t>(i % 3 == 0)].push_back(i % 33 + 4);
  const Sentences target = {{2, 30}, {2, 6}};
  const at::Tensor whole = logits_of(network, sources, target).view({2, 2, 37});
  const auto decoding = network.decode(sources_of(sources));
  at::Tensor logits = at::empty({2, 37});
  for (size_t step = 0; step < 2; ++step) {
    decoding->step({target[0][step], target[1][step]}, logits.data_ptr<float>());
    EXPECT_LT((logits - whole.select(1, static_cast<int64_t>(step))).abs().max().item<float>(), 2e-5);
  }
}

TEST(Transformer, ParametersAreCounted) {
  NetworkOptions options = tiny("paper-2017");
  options.name = "transformer_base";
  options.width = options.heads = options.feed_forward = 0;
  options.classes = options.source_classes = 1000;
  // Vaswani et al. 2017 without attention biases: 18 attentions of 4·512², 12 feed-forward layers, 30 norms.
  const int64_t expected =
      1000 * 512 + 18 * 4 * 512 * 512 + 12 * (2 * 512 * 2048 + 2048 + 512) + 30 * 2 * 512;
  EXPECT_EQ(Transformer(options).parameter_count(), expected);
  options.form = "t2t";
  EXPECT_EQ(Transformer(options).parameter_count(), expected + 2 * 2 * 512);
  options.joint_vocabulary = false;
  EXPECT_EQ(Transformer(options).parameter_count(), expected + 2 * 2 * 512 + 1000 * 512);
}

TEST(Transformer, EveryParameterLearnsAndBf16IsClose) {
  for (const char* form : {"paper-2017", "t2t"}) {
    NetworkOptions options = tiny(form);
    options.dropout = options.attention_dropout = options.relu_dropout = 0.1;
    Transformer network(options);
    ForwardContext context;
    context.training = true;
    context.sample_ids = at::tensor({8, 8, 8, 3, 3, 3, 3, 3, 3, 1}, at::kLong);
    const auto gradients = [&] {
      const Rows rows = network.forward(packed(kSource, kTarget), context);
      torch::autograd::backward({rows.logits.square().mean()}, {});
      std::vector<at::Tensor> all = {rows.logits.detach()};
      for (auto& parameter : network.parameters()) {
        EXPECT_TRUE(parameter.value.grad().defined()) << parameter.name;
        all.push_back(parameter.value.grad().to(at::kFloat));
        EXPECT_GT(all.back().abs().max().item<float>(), 0) << parameter.name;
      }
      return all;
    };
    const auto exact = gradients();
    for (auto& parameter : network.parameters())
      parameter.value = parameter.value.detach()
                            .to(parameter.keep_float32 ? at::kFloat : at::kBFloat16)
                            .requires_grad_(true);
    const auto bf16 = gradients();
    for (size_t i = 0; i < exact.size(); ++i)
      EXPECT_LT((exact[i] - bf16[i]).norm().item<float>(), 0.05 * exact[i].norm().item<float>() + 1e-4) << i;
  }
}

TEST(Transformer, PositionsAreSinusoids) {
  const at::Tensor table = position_table(11, 8);
  EXPECT_FLOAT_EQ(table[0][0].item<float>(), 0);
  EXPECT_FLOAT_EQ(table[0][4].item<float>(), 1);
  EXPECT_NEAR(table[10][0].item<float>(), std::sin(10.0), 1e-6);
  EXPECT_NEAR(table[10][7].item<float>(), std::cos(10.0 / 10000.0), 1e-6);
}

TEST(Transformer, RefusesWhatMakesNoSense) {
  const auto refused = [](auto change, const char* key) {
    NetworkOptions options = tiny("t2t");
    change(options);
    try {
      check_network_options(options);
      FAIL() << key;
    } catch (const UsageError& error) {
      EXPECT_EQ(error.where(), key);
    }
  };
  refused([](auto& o) { o.form = ""; }, "model.form");
  refused([](auto& o) { o.form = "pre"; }, "model.form");
  refused([](auto& o) { o.heads = 5; }, "model.heads");
  refused([](auto& o) { o.layers = 16; }, "model.layers");
  refused([](auto& o) { o.relu_dropout = 1; }, "model.relu_dropout");
  refused([](auto& o) { o.hidden = {3}; }, "model.hidden");
  refused([](auto& o) { o.name = "resnet20"; }, "model.form");
}

}  // namespace
}  // namespace smoothlab::models
