#include "models/weights.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/error.h"
#include "reference_values.h"
#include "support/temporary_folder.h"

namespace smoothlab::models {
namespace {

NetworkOptions options(uint64_t seed, bool channels_last = false) {
  NetworkOptions result;
  result.name = "resnet8";
  result.classes = 4;
  result.input = {3, 8, 8};
  result.seed = seed;
  result.channels_last = channels_last;
  return result;
}

/// What a run leaves: everything by name in float32, with metadata.
TensorFile file_of(const Network& network, const NetworkOptions& of) {
  TensorFile file;
  file.metadata = weights_metadata(of);
  for (const auto& [name, tensor] : tensors_of(network))
    file.tensors.emplace_back(name, tensor.detach().clone());
  return file;
}

std::string complaint(const NetworkOptions& wanted, const TensorFile& file) {
  const auto network = make_network(wanted);
  NamedTensors before;
  for (const auto& [name, tensor] : tensors_of(*network)) before.emplace_back(name, tensor.detach().clone());
  std::string message = "none";
  try {
    load_weights(*network, wanted, file, "a.safetensors");
  } catch (const DataError& error) {
    message = error.what();
    EXPECT_THAT(message, testing::HasSubstr("a.safetensors"));
    for (size_t i = 0; i < before.size(); ++i)  // never half-filled
      EXPECT_TRUE(at::equal(before[i].second, tensors_of(*network)[i].second)) << before[i].first;
  }
  return message;
}

TEST(Weights, ComeBackThroughAFileIntoAnyStridesAndDtype) {
  const auto trained = make_network(options(1));
  const at::Tensor images = test::hashed_values({4, 3, 8, 8}, 1, 1);
  ForwardContext training;
  training.training = true;
  trained->forward({images}, training);  // moves the running statistics

  const test::TemporaryFolder folder;
  const auto files = cluster::local_file_system();
  write_safetensors(*files, folder / "w", file_of(*trained, options(1)));
  const auto loaded = make_network(options(2, true));
  const at::Tensor storage = loaded->parameters()[0].value;
  load_weights(*loaded, options(2, true), read_safetensors(*files, folder / "w"), folder / "w");
  EXPECT_TRUE(loaded->parameters()[0].value.is_same(storage));
  EXPECT_TRUE(storage.is_contiguous(at::MemoryFormat::ChannelsLast) && storage.requires_grad());
  for (size_t i = 0; i < trained->parameters().size(); ++i) {
    EXPECT_TRUE(at::equal(trained->parameters()[i].value, loaded->parameters()[i].value));
  }
  for (size_t i = 0; i < trained->buffers().size(); ++i) {
    EXPECT_TRUE(at::equal(trained->buffers()[i].value, loaded->buffers()[i].value));
  }
  EXPECT_LT(
      test::relative_difference(loaded->forward({images}, {}).logits, trained->forward({images}, {}).logits),
      1e-5);
}

TEST(Weights, OfAnotherNetworkAreRefusedByName) {
  const auto network = make_network(options(1));
  const TensorFile good = file_of(*network, options(1));
  EXPECT_EQ(complaint(options(2), good), "none");

  NetworkOptions other = options(2);
  other.name = "resnet14";
  EXPECT_THAT(complaint(other, good), testing::HasSubstr("\"resnet8\", not \"resnet14\""));
  other = options(2);
  other.classes = 5;
  EXPECT_THAT(complaint(other, good), testing::HasSubstr("classes \"4\", not \"5\""));

  TensorFile bare = good;
  bare.metadata.clear();
  EXPECT_EQ(complaint(options(2), bare), "none");
  EXPECT_THAT(complaint(other, bare),
              testing::HasSubstr("\"classifier.weight\" has shape [4, 64], not [5, 64]"));

  TensorFile foreign = good;  // "format" says nothing about the network
  foreign.metadata["format"] = "smoothlab-weights-1";
  EXPECT_EQ(complaint(options(2), foreign), "none");

  TensorFile last = good;
  last.tensors.back().second = at::rand({3});
  EXPECT_THAT(complaint(options(2), last), testing::HasSubstr("has shape [3], not [64]"));

  TensorFile renamed = good;
  renamed.tensors[0].first = "stem.conv.wieght";
  EXPECT_THAT(complaint(options(2), renamed),
              testing::AllOf(testing::HasSubstr("\"stem.conv.weight\" is missing"),
                             testing::HasSubstr("stem.conv.wieght")));

  TensorFile longer = good;
  longer.tensors.emplace_back("extra", at::rand({1}));
  EXPECT_THAT(complaint(options(2), longer), testing::HasSubstr("\"extra\""));

  TensorFile integers = good;
  integers.tensors[0].second = integers.tensors[0].second.to(at::kLong);
  EXPECT_THAT(complaint(options(2), integers), testing::HasSubstr("floating-point"));
}

}  // namespace
}  // namespace smoothlab::models
