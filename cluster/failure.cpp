#include "cluster/failure.h"

#include <c10/util/Exception.h>

#include <cctype>
#include <new>
#include <sstream>
#include <string>

#include "cluster/gpu.h"

namespace smoothlab::cluster {
namespace {

Error out_of_memory(const std::string& detail) {
  return EnvironmentError(
      "out of memory", detail,
      "lower what is worked on at once (train.global_batch, train.micro_batch, evaluate.batch; "
      "--batch-tokens or --beam of translate) or the size of the network");
}

/// "CUDA out of memory. Tried to allocate 20.00 GiB (GPU 0; …" or ". GPU 0 has …", whose advice is about
/// LibTorch's own settings: what was asked for, and how full the device is.
Error out_of_gpu_memory(const std::string& text) {
  const size_t asked = text.find("Tried to allocate ");
  std::string detail;
  if (asked != std::string::npos) {
    std::istringstream words(text.substr(asked + 18));
    std::string amount, unit;
    words >> amount >> unit;
    while (!unit.empty() && !std::isalpha(static_cast<unsigned char>(unit.back()))) unit.pop_back();
    detail = amount + " " + unit + " asked for";
  }
  const std::string room = gpu_memory();
  if (!detail.empty() && !room.empty()) detail += "; ";
  return EnvironmentError("GPU out of memory", detail + room,
                          "lower train.micro_batch, train.global_batch, evaluate.batch or the size of the "
                          "network, or end what else uses the device");
}

/// "[enforce fail at alloc_cpu.cpp:66] . DefaultCPUAllocator: can't allocate memory: you tried to allocate 80
/// bytes. Error code 12 (…)" without what is for LibTorch's developers.
std::string told(std::string text) {
  if (text.rfind("[enforce fail", 0) == 0) {
    const size_t end = text.find("] ");
    if (end != std::string::npos) text.erase(0, end + 2);
    text.erase(0, text.find_first_not_of(". "));
  }
  const size_t context = text.find("\nException raised from");
  if (context != std::string::npos) text.resize(context);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

bool tells_of_memory(const std::string& text) {
  // The CPU's allocator throws the general type, and older versions have no other.
  for (const char* words : {"can't allocate memory", "not enough memory", "out of memory"})
    if (text.find(words) != std::string::npos) return true;
  return false;
}

}  // namespace

Error as_error(const std::exception& failure) {
  if (const auto* error = dynamic_cast<const Error*>(&failure)) return *error;
  if (dynamic_cast<const std::bad_alloc*>(&failure)) return out_of_memory("");
  if (const auto* error = dynamic_cast<const c10::Error*>(&failure)) {
    const std::string text = told(error->what_without_backtrace());
    if (text.find("CUDA out of memory") != std::string::npos) return out_of_gpu_memory(text);
    return tells_of_memory(text) ? out_of_memory(text) : Error(ExitCode::failure, text, "", "");
  }
  return Error(ExitCode::failure, failure.what(), "", "");
}

}  // namespace smoothlab::cluster
