// Forward and backward passes against figures that reference/transformer.py printed (PyTorch 1.13, float64):
// the Transformer written a second time, sentence by sentence; parameters filled with the same integer hash.

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "models/transformer.h"
#include "reference_values.h"

namespace smoothlab::models {
namespace {

struct Figures {
  const char* form;
  int64_t source_tokens, parameters;
  double loss;
  std::vector<double> row0, row6;  ///< four logits of each
  std::vector<test::GradientFigures> gradients;
};

const std::vector<Figures> kFigures = {{"paper-2017",
                                        0,
                                        9872,
                                        2.905594528,
                                        {0.9576779, -3.3171172, -1.7294722, 1.0407925},
                                        {1.4579873, -3.0894729, -1.8599878, 0.9186439},
                                        {{"embedding.weight", 6.094433622, -9.156750503},
                                         {"encoder.layer0.self_in.weight", 5.435179879, 5.268154032},
                                         {"encoder.layer1.hidden.bias", 0.545072321, 0.443577185},
                                         {"decoder.layer0.self_norm.weight", 0.113679191, 0.012406419},
                                         {"decoder.layer0.cross_memory.weight", 0.616867218, 0.096079302},
                                         {"decoder.layer1.cross_query.weight", 0.184232276, -0.000828082},
                                         {"decoder.layer1.output.weight", 1.438217950, 0.902790320}}},
                                       {"t2t",
                                        9,
                                        10080,
                                        3.765794801,
                                        {-0.3996380, -2.8463558, -0.7413684, -2.3607702},
                                        {-0.4682098, -4.4180661, -1.8133536, -1.1951624},
                                        {{"embedding.weight", 1.891137069, 0.477096064},
                                         {"source_embedding.weight", 0.544012754, -0.082573989},
                                         {"encoder.layer0.self_in.weight", 0.536881740, -0.090337455},
                                         {"encoder.layer1.hidden.bias", 0.073105933, -0.002518980},
                                         {"decoder.layer0.self_norm.weight", 0.163523422, -0.110978112},
                                         {"decoder.layer0.cross_memory.weight", 0.398223160, -0.208738431},
                                         {"decoder.layer1.cross_query.weight", 0.082904569, -0.005340907},
                                         {"decoder.layer1.output.weight", 0.359582064, 0.169287649}}}};

TEST(ReferenceTransformer, GivesTheLogitsAndGradientsOfPyTorch) {
  const std::vector<at::Tensor> inputs = {
      at::tensor({5, 8, 6, 3, 7, 3, 4, 5, 6, 7, 8, 4, 3}, at::kLong), at::tensor({0, 4, 6, 13}, at::kLong),
      at::tensor({2, 9, 10, 2, 6, 7, 8, 9, 10, 2}, at::kLong), at::tensor({0, 3, 9, 10}, at::kLong)};
  const at::Tensor labels = at::tensor({9, 10, 3, 6, 7, 8, 9, 10, 3, 3}, at::kLong);
  for (const Figures& expected : kFigures) {
    SCOPED_TRACE(expected.form);
    NetworkOptions options;
    options.name = "transformer_tiny";
    options.form = expected.form;
    options.width = 16;
    options.heads = 2;
    options.feed_forward = 24;
    options.layers = 2;
    options.classes = 11;
    options.joint_vocabulary = expected.source_tokens == 0;
    options.source_classes = options.joint_vocabulary ? 11 : expected.source_tokens;
    Transformer network(options);
    EXPECT_EQ(network.parameter_count(), expected.parameters);
    test::fill_hashed(network);
    const Rows rows = network.forward(inputs, {});
    ASSERT_EQ(rows.logits.sizes(), (std::vector<int64_t>{10, 11}));
    for (size_t k = 0; k < 4; ++k) {
      EXPECT_NEAR(rows.logits[0][static_cast<int64_t>(k)].item<double>(), expected.row0[k], 2e-5);
      EXPECT_NEAR(rows.logits[6][static_cast<int64_t>(k)].item<double>(), expected.row6[k], 2e-5);
    }
    const at::Tensor loss = at::cross_entropy_loss(rows.logits, labels);
    EXPECT_NEAR(loss.item<double>(), expected.loss, 1e-5);
    torch::autograd::backward({loss}, {});
    test::expect_gradients(network, expected.gradients);
  }
}

}  // namespace
}  // namespace smoothlab::models
