#include "models/inception_v4.h"

#include <ATen/ATen.h>

#include <cmath>

#include "cluster/error.h"

namespace smoothlab::models {
namespace {

using Branches = std::vector<InceptionBranch>;
constexpr auto kValid = InceptionConv::Padding::valid;
constexpr auto kAverage = InceptionBranch::Pool::average;
constexpr auto kMaximum = InceptionBranch::Pool::maximum;
constexpr Extent kAcross{1, 7}, kDown{7, 1};

InceptionBranch line(std::vector<InceptionConv> convs) {
  return {InceptionBranch::Pool::none, std::move(convs)};
}

InceptionBranch averages(int64_t out) {
  return {kAverage, {{out}}};
}

InceptionBranch maxima() {
  return {kMaximum, {}};
}

Branches inception_a() {
  return {line({{96}}), line({{64}, {96, 3}}), line({{64}, {96, 3}, {96, 3}}), averages(96)};
}

Branches reduction_a() {
  return {line({{384, 3, 2, kValid}}), line({{192}, {224, 3}, {256, 3, 2, kValid}}), maxima()};
}

Branches inception_b() {
  return {line({{384}}), line({{192}, {224, kAcross}, {256, kDown}}),
          line({{192}, {192, kDown}, {224, kAcross}, {224, kDown}, {256, kAcross}}), averages(128)};
}

Branches reduction_b() {
  return {line({{192}, {192, 3, 2, kValid}}),
          line({{256}, {256, kAcross}, {320, kDown}, {320, 3, 2, kValid}}), maxima()};
}

Branches inception_c() {
  const InceptionConv across{256, {1, 3}}, down{256, {3, 1}};
  InceptionBranch shorter = line({{384}, across, down});
  InceptionBranch longer = line({{384}, {448, {3, 1}}, {512, {1, 3}}, across, down});
  shorter.fork = longer.fork = true;
  return {line({{256}}), shorter, longer, averages(256)};
}

/// Blocks whose names end in a run of letters are alike.
struct BlockRun {
  const char* stage;
  const char* letters;
  Branches branches;
};

std::vector<BlockRun> block_runs() {
  return {{"mixed_3", "a", {maxima(), line({{96, 3, 2, kValid}})}},
          {"mixed_4",
           "a",
           {line({{64}, {96, 3, 1, kValid}}), line({{64}, {64, kAcross}, {64, kDown}, {96, 3, 1, kValid}})}},
          {"mixed_5", "a", {line({{192, 3, 2, kValid}}), maxima()}},
          {"mixed_5", "bcde", inception_a()},
          {"mixed_6", "a", reduction_a()},
          {"mixed_6", "bcdefgh", inception_b()},
          {"mixed_7", "a", reduction_b()},
          {"mixed_7", "bcd", inception_c()}};
}

/// Pixels left of so many by a 3×3 window at stride 2 without padding.
int64_t halved(int64_t size) {
  return (size - 1) / 2;
}

/// Pixels of mixed_6h.
int64_t reduced_to(int64_t size) {
  return halved(halved(halved(halved(size) - 2) - 2));
}

/// Pixels that the auxiliary head convolves; none where the image is too small.
int64_t auxiliary_pixels(int64_t size) {
  return (reduced_to(size) - 2) / 3;
}

void check_size(const NetworkOptions& options) {
  const int64_t least = options.auxiliary_head ? 107 : 75;
  if (options.input.height >= least && options.input.width >= least) return;
  const std::string side = std::to_string(least);
  throw UsageError("images are too small for inception_v4" +
                       std::string(options.auxiliary_head ? " with an auxiliary head" : ""),
                   "model",
                   "it takes " + side + "×" + side + " and more, not " +
                       std::to_string(options.input.height) + "×" + std::to_string(options.input.width));
}

/// tf.contrib.layers.xavier_initializer().
Initialiser glorot_uniform(int64_t in, int64_t out) {
  return Initialiser::uniform(std::sqrt(6.0 / static_cast<double>(in + out)));
}

}  // namespace

void InceptionV4::check(const NetworkOptions& options) {
  check_dropout(options.dropout, "model.dropout");
}

InceptionV4::InceptionV4(const NetworkOptions& options)
    : classes_(options.classes), dropout_(options.dropout, 0) {
  check(options);
  check_size(options);
  ParameterRegistry registry(*this, options.seed, options.channels_last);
  int64_t width = options.input.channels;
  for (const InceptionConv& conv :
       {InceptionConv{32, 3, 2, kValid}, InceptionConv{32, 3, 1, kValid}, InceptionConv{64, 3}}) {
    stem_.push_back(inception_conv(registry, "stem", stem_.size() + 1, width, conv));
    width = conv.out;
  }
  for (const BlockRun& run : block_runs()) {
    for (const char letter : std::string(run.letters)) {
      const std::string name = run.stage + std::string(1, letter);
      blocks_.emplace_back(registry, name, width, run.branches);
      width = blocks_.back().channels();
      if (name != "mixed_6h") continue;
      auxiliary_place_ = blocks_.size() - 1;
      if (options.auxiliary_head) auxiliary_ = auxiliary_head(registry, options, width);
    }
  }
  classifier_ = std::make_unique<ClassifierLayer>(registry, width, classes_, glorot_uniform(width, classes_));
}

InceptionV4::AuxiliaryHead InceptionV4::auxiliary_head(ParameterRegistry& registry,
                                                       const NetworkOptions& options, int64_t in) {
  constexpr int64_t narrow = 128, wide = 768;
  const Extent rest(auxiliary_pixels(options.input.height), auxiliary_pixels(options.input.width));
  const std::string name = "auxiliary";
  std::vector<ConvNorm> convs;
  convs.push_back(inception_conv(registry, name, 1, in, {narrow}));
  convs.push_back(inception_conv(registry, name, 2, narrow, {wide, rest, 1, kValid}));
  return {convs, Linear(registry, name + ".classifier", wide, options.classes,
                        glorot_uniform(wide, options.classes))};
}

at::Tensor InceptionV4::AuxiliaryHead::operator()(const at::Tensor& input, bool training) const {
  at::Tensor x = at::avg_pool2d(input, {5, 5}, {3, 3});
  for (const ConvNorm& conv : convs) x = conv(x, training);
  return classifier(x.flatten(1).to(at::kFloat));
}

Rows InceptionV4::forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) {
  at::Tensor x = inputs.at(0), auxiliary;
  for (const ConvNorm& conv : stem_) x = conv(x, context.training);
  for (size_t i = 0; i < blocks_.size(); ++i) {
    x = blocks_[i](x, context.training);
    if (auxiliary_ && context.training && i == auxiliary_place_) auxiliary = (*auxiliary_)(x, true);
  }
  Rows rows = (*classifier_)(dropout_(at::mean(x, {2, 3}, false, at::kFloat), context));
  rows.auxiliary_logits = auxiliary;
  if (auxiliary.defined()) rows.auxiliary_weight = 0.4;
  return rows;
}

}  // namespace smoothlab::models
