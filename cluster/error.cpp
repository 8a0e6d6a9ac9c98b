#include "cluster/error.h"

#include <utility>

namespace smoothlab {
namespace {

std::string one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return text;
}

}  // namespace

Error::Error(ExitCode code, std::string what, std::string where, std::string remedy)
    : code_(code), what_(std::move(what)), where_(std::move(where)), remedy_(std::move(remedy)) {
  std::string line = what_;
  if (!where_.empty()) line += " (" + where_ + ")";
  if (!remedy_.empty()) line += "; " + remedy_;
  line_ = one_line(std::move(line));
}

}  // namespace smoothlab
