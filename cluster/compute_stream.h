#pragma once

#include <c10/core/Device.h>
#include <c10/core/StreamGuard.h>

#include <optional>

namespace smoothlab::cluster {

/// A stream of its own for all that one run computes: what is on the device's default stream cannot be
/// captured as a graph and would hold up the other runs of the process. On the CPU there are no streams.
class ComputeStream {
 public:
  explicit ComputeStream(c10::Device device);

  /// While it lives, the calling thread's work on the device goes to the stream.
  class Scope {
   public:
    explicit Scope(const ComputeStream& stream);

   private:
    std::optional<c10::StreamGuard> guard_;
  };

 private:
  std::optional<c10::Stream> stream_;
};

}  // namespace smoothlab::cluster
