#pragma once

#include <ATen/core/Tensor.h>
#include <torch/custom_class.h>

#include <utility>

namespace smoothlab::models {

/// Whether our own kernels take such a tensor: float32 or bf16, on the CPU. Others go through ATen.
inline bool has_kernels(const at::Tensor& tensor) {
  return tensor.is_cpu() && (tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kBFloat16);
}

/// Calls work with a null pointer of the type, float32 or bf16: what templates are chosen by.
template <typename Work>
void with_type(at::ScalarType type, const Work& work) {
  if (type == at::kFloat)
    work(static_cast<float*>(nullptr));
  else
    work(static_cast<c10::BFloat16*>(nullptr));
}

/// A value on its way from a Function's forward() to its backward(), which carries IValues only.
template <typename T>
class Carried : public torch::CustomClassHolder {
 public:
  static c10::IValue wrap(T value) {
    return c10::IValue::make_capsule(c10::make_intrusive<Carried>(std::move(value)));
  }
  static T unwrap(const c10::IValue& carried) {
    return static_cast<const Carried*>(carried.toCapsule().get())->value_;
  }
  explicit Carried(T value) : value_(std::move(value)) {}

 private:
  T value_;
};

}  // namespace smoothlab::models
