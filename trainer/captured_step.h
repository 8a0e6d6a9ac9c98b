#pragma once

#include <c10/core/Device.h>

#include <functional>
#include <memory>

namespace smoothlab::trainer {

/// Work on a device that is recorded once and then repeated. It reads and writes the same memory each time:
/// what changes from one time to the next is brought there before.
class CapturedStep {
 public:
  virtual ~CapturedStep() = default;
  CapturedStep(const CapturedStep&) = delete;
  CapturedStep& operator=(const CapturedStep&) = delete;

  bool recorded() const { return recorded_; }
  /// Records what `work` does; nothing of it happens yet. It has been done several times before on this
  /// stream, so that libraries have chosen their algorithms, and does not itself wait for the device. What it
  /// refers to outlives this. Throws what it throws.
  void record(const std::function<void()>& work);
  /// Does what was recorded, on the current stream. Throws RunError where nothing was.
  void repeat();

 protected:
  CapturedStep() = default;
  virtual void record_work(const std::function<void()>& work) = 0;
  virtual void repeat_work() = 0;

 private:
  bool recorded_ = false;
};

/// On CUDA a graph, whose repetition costs the host one launch however many kernels it has. On the CPU the
/// work itself, done again.
std::unique_ptr<CapturedStep> make_captured_step(c10::Device device);

/// The graph; the current stream is not the device's default one. Throws RunError in a build without CUDA.
std::unique_ptr<CapturedStep> make_captured_graph(c10::Device device);

}  // namespace smoothlab::trainer
