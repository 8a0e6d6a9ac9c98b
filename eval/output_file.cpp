#include "eval/output_file.h"

#include <filesystem>
#include <fstream>

#include "cluster/error.h"
#include "cluster/file_system.h"
#include "eval/hdf5_handle.h"

namespace smoothlab::eval {
namespace {

namespace fs = std::filesystem;

std::string kind_name(OutputKind kind) {
  switch (kind) {
    case OutputKind::page:
      return "page of smoothlab's";
    case OutputKind::svg:
      return "SVG figure of smoothlab's";
    case OutputKind::png:
      return "PNG figure of smoothlab's";
    default:
      return "logit file";
  }
}

bool is_logit_file(const std::string& path) {
  const Hdf5Lock lock;
  if (H5Fis_hdf5(path.c_str()) <= 0) return false;
  try {
    return H5Lexists(open_hdf5(path), "logits", H5P_DEFAULT) > 0;
  } catch (const DataError&) {
    return false;  // damaged: who knows what it was
  }
}

bool carries(const std::string& path, const std::string& marker) {
  std::string start(4096, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<size_t>(file.gcount()));
  return start.find(marker) != std::string::npos;
}

bool may_be_replaced(const std::string& path, OutputKind kind) {
  std::error_code code;
  if (fs::file_size(path, code) == 0 && !code) return true;
  return kind == OutputKind::logits ? is_logit_file(path) : carries(path, output_marker(kind));
}

[[noreturn]] void refuse(const std::string& problem, const std::string& path) {
  throw UsageError(problem, path, "give another name for the output");
}

}  // namespace

std::string output_marker(OutputKind kind) {
  switch (kind) {
    case OutputKind::page:
      return "<meta name=\"generator\" content=\"smoothlab\">";
    case OutputKind::svg:
      return "<!-- generator: smoothlab -->";
    case OutputKind::png:
      return std::string("Software\0smoothlab", 18);
    default:
      return "";
  }
}

void claim_output(const std::string& path, OutputKind kind, const std::vector<std::string>& inputs) {
  if (path.empty()) refuse("an output file has no name", "''");
  std::error_code code;
  if (path.back() == '/' || fs::is_directory(path, code))
    throw UsageError("the output is to be a file, and this is a folder", path, "name a file in it");
  for (const auto& input : inputs)
    if (fs::equivalent(path, input, code)) refuse("the output would replace an input, " + input, path);
  if (fs::exists(path, code)) {
    if (!fs::is_regular_file(path, code)) refuse("the output would replace what is no plain file", path);
    if (!may_be_replaced(path, kind))
      throw UsageError("the output would replace a file that is no " + kind_name(kind), path,
                       "give another name for the output, or remove the file if nobody needs it");
  }
  const fs::path folder = fs::path(path).parent_path();
  if (folder.empty()) return;
  if (fs::exists(folder, code) && !fs::is_directory(folder, code))
    refuse("the folder of the output is a file", folder.string());
  cluster::local_file_system()->make_folders(folder.string());
}

}  // namespace smoothlab::eval
