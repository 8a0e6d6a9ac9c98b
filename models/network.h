#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace smoothlab::models {

/// What a forward pass needs to know beside its inputs. Dropout masks are addressed by (seed, step, sample),
/// never consumed from a generator.
struct ForwardContext {
  bool training = false;
  uint64_t seed = 0;
  int64_t step = 0;
  at::Tensor sample_ids;  ///< int64 [R]
  /// The caller makes logits of the penultimate activations itself, with the classifier: a network whose
  /// classes are many then leaves Rows::logits undefined, and the activations in its own precision.
  bool features_only = false;
};

/// Rows of a batch: an image is a row, a target token is a row.
struct Rows {
  at::Tensor logits;       ///< float32 [R, K], before any temperature
  at::Tensor penultimate;  ///< float32 [R, L], the classifier's input; see ForwardContext::features_only
  /// float32 [R, K] of NetworkOptions::auxiliary_head, only while training; else undefined.
  at::Tensor auxiliary_logits{};
  double auxiliary_weight = 0;  ///< of their loss beside that of logits
};

/// What a parameter is for; decides weight decay, precision and learning-rate groups.
enum class Role { weight, bias, norm_scale, norm_bias };

/// A trainable tensor. Layers read `value` anew in every forward pass, so a trainer may replace it by a view
/// of its flat storage or by a bf16 working copy (unless keep_float32).
struct Parameter {
  std::string name;  ///< "group1.block0.conv1.weight": what weights files call it
  Role role = Role::weight;
  bool keep_float32 = false;  ///< normalisation and classifier stay float32 in a bf16 run
  at::Tensor value;           ///< a leaf that requires a gradient
};

/// A tensor that travels with the weights but is not trained: running means and variances (float32).
struct Buffer {
  std::string name;
  at::Tensor value;
};

/// The last layer: logits = penultimate · weightᵀ + bias. Its rows are the paper's class templates (sec. 2).
struct Classifier {
  at::Tensor weight;  ///< float32 [K, L]
  at::Tensor bias;    ///< float32 [K]
};

/// A network: inputs in, {logits, penultimate} out. Knows nothing of files, ranks and losses.
class Network {
 public:
  virtual ~Network() = default;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  /// inputs: what the data layer's batches carry, for images one tensor [B, C, H, W], float32 or bf16,
  /// contiguous or channels-last; activations follow its dtype and format.
  virtual Rows forward(const std::vector<at::Tensor>& inputs, const ForwardContext& context) = 0;
  virtual Classifier classifier() const = 0;
  virtual int64_t classes() const = 0;
  virtual int64_t penultimate_size() const = 0;

  /// In construction order; addresses are stable.
  std::deque<Parameter>& parameters() { return parameters_; }
  const std::deque<Parameter>& parameters() const { return parameters_; }
  std::deque<Buffer>& buffers() { return buffers_; }
  const std::deque<Buffer>& buffers() const { return buffers_; }
  int64_t parameter_count() const;

 protected:
  Network() = default;

 private:
  std::deque<Parameter> parameters_;
  std::deque<Buffer> buffers_;
};

/// Shape of one input image.
struct ImageShape {
  int64_t channels = 3, height = 32, width = 32;
};

/// A network by name, initialised as its recipe says: every weight is a pure function of (seed, parameter
/// name, element).
struct NetworkOptions {
  std::string name;  ///< see network_names()
  ImageShape input;
  int64_t classes = 10;
  uint64_t seed = 1;
  bool channels_last = false;   ///< strides of convolution weights
  std::vector<int64_t> hidden;  ///< mlp: units of the hidden layers
  /// mlp: probability of dropping a hidden unit; inception_v4: see inception_v4.h; transformers: see
  /// transformer.h
  double dropout = 0.0;
  double input_dropout = 0.0;   ///< mlp: probability of dropping an input
  std::string initialisation;   ///< empty: the network's own; mlp: "variance-0.03", "deviation-0.03"
  bool auxiliary_head = false;  ///< inception_v4: a second classifier on the way, for training alone
  // transformers
  std::string form;                                            ///< "paper-2017", "t2t"
  int64_t layers = 0, width = 0, feed_forward = 0, heads = 0;  ///< 0: as the name says
  double attention_dropout = 0.0, relu_dropout = 0.0;
  int64_t source_classes = 0;     ///< size of the source's vocabulary
  bool joint_vocabulary = false;  ///< whether source and target share one, and so their embeddings
  std::string vocabulary;         ///< digests, so that weights know what their tokens mean
};

/// Checks what does not depend on the data: the name, and that the options are the network's own and
/// possible. Throws UsageError; it stands at the key, "model.name", and a wrong name's names the nearest.
void check_network_options(const NetworkOptions& options);
/// Throws UsageError as check_network_options does, and for inputs that no network takes.
std::unique_ptr<Network> make_network(const NetworkOptions& options);
/// "mlp", "alexnet_tutorial", "inception_v4", "resnet50_imagenet", "transformer_SIZE", and "resnetN" (He et
/// al.) and "resnetN_t2t" (tensor2tensor) with the usual N; any N = 6n+2 from 8 to 1202 will do.
std::vector<std::string> network_names();

}  // namespace smoothlab::models
