#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <functional>
#include <memory>
#include <vector>

namespace smoothlab::cluster {

/// A stream of its own on a device, for work that goes on beside what the training thread has put on its
/// stream: copies to the device, augmentation. On the CPU, work simply runs on the calling thread.
/// Thread-safe: several threads may put work on one side stream, and each piece of work stays in order. Work
/// of a thread neither joins nor breaks a graph that another thread is capturing.
class SideStream {
 public:
  /// That a piece of work is done. Copies stand for the same work. An empty one, as the CPU gives, is done.
  class Ready {
   public:
    Ready() = default;
    /// Lets the stream that is current on the calling thread wait for the work, and keeps the memory of its
    /// tensors from being given to others before that stream is done with them. The host does not wait.
    /// Whoever uses the tensors calls it on the stream that uses them; once a stream is enough. Throws
    /// RunError where that stream is being captured, because a graph cannot wait for what is not in it.
    void wait() const;

   private:
    friend class SideStream;
    struct Mark;
    std::shared_ptr<Mark> mark_;
  };

  /// Puts something on the current stream and returns the tensors that it leaves for others.
  using Work = std::function<std::vector<at::Tensor>()>;

  /// Throws EnvironmentError for a device that is not there.
  explicit SideStream(c10::Device device);

  c10::Device device() const { return device_; }
  /// Calls work with the side stream as the current one; what it put there may still be under way on return.
  /// Passes on what work throws; what LibTorch reports of the device becomes EnvironmentError.
  Ready run(const Work& work) const;

 private:
  struct Stream;
  c10::Device device_;
  std::shared_ptr<const Stream> stream_;  ///< null on the CPU
};

/// A copy of a CPU tensor on `device`, made on the current stream through page-locked memory, so that the
/// host waits for nothing. Sizes, strides and type stay. On the CPU, the tensor itself.
at::Tensor upload(const at::Tensor& host, c10::Device device);

}  // namespace smoothlab::cluster
