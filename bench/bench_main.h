#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "cluster/error.h"

namespace smoothlab::bench {

/// The words of a command line, each with what stands for it where it is left out.
class Arguments {
 public:
  Arguments(int argc, char** argv) : words_(argv + 1, argv + argc) {}
  std::string at(size_t i, const std::string& otherwise) const {
    return i < words_.size() ? words_[i] : otherwise;
  }

 private:
  std::vector<std::string> words_;
};

/// What main() returns: what `measure` does, or an error's line and exit code.
template <typename Measure>
int run(int argc, char** argv, const Measure& measure) {
  try {
    return measure(Arguments(argc, argv));
  } catch (const Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return static_cast<int>(error.code());
  }
}

}  // namespace smoothlab::bench
