#include "launcher/each_file.h"

#include <exception>
#include <iostream>

#include "cluster/failure.h"

namespace smoothlab::launcher {

int for_each_file(const std::vector<std::string>& files,
                  const std::function<void(const std::string&)>& work) {
  int code = 0;
  for (const auto& file : files) {
    try {
      work(file);
    } catch (const std::exception& failure) {
      const Error error = cluster::as_error(failure);
      std::cerr << "error: " << error.what() << std::endl;
      if (code == 0) code = static_cast<int>(error.code());
    }
  }
  return code;
}

}  // namespace smoothlab::launcher
