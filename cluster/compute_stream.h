#pragma once

#include <c10/core/Device.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>

#include <cstddef>
#include <deque>
#include <optional>

namespace smoothlab::cluster {

/// A stream of its own for all that one run computes: what is on the device's default stream cannot be
/// captured as a graph and would hold up the other runs of the process. On the CPU there are no streams.
class ComputeStream {
 public:
  explicit ComputeStream(c10::Device device);

  /// After a step has been put on the stream: waits on the host until no more than `ahead` steps are yet to
  /// end. Without it the host would run ahead until the driver's queue is full, with the memory of all
  /// batches in between, and would hear of trouble and of requests to stop only then.
  void keep_within(size_t ahead);

  /// While it lives, the calling thread's work on the device goes to the stream.
  class Scope {
   public:
    explicit Scope(const ComputeStream& stream);

   private:
    std::optional<c10::StreamGuard> guard_;
  };

 private:
  std::optional<c10::Stream> stream_;
  std::deque<c10::Event> ends_;  ///< of steps under way
};

/// Before the first call of CUDA, where many streams are to compute side by side: the driver gives them eight
/// queues unless told otherwise, and streams that share one wait for each other.
void expect_many_streams();

}  // namespace smoothlab::cluster
