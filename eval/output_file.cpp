#include "eval/output_file.h"

#include <filesystem>
#include <fstream>
#include <map>

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
    case OutputKind::jpeg:
      return "picture of smoothlab's";
    case OutputKind::pdf:
      return "PDF figure of smoothlab's";
    case OutputKind::csv:
      return "table of smoothlab's";
    case OutputKind::sweeps:
      return "file of temperature sweeps";
    default:
      return "logit file";
  }
}

bool is_logit_file(const std::string& path) {
  const Hdf5Lock lock;
  if (H5Fis_hdf5(path.c_str()) <= 0) return false;
  try {
    const Hdf5Handle file = open_hdf5(path);
    return hdf5_has(file, "logits") || hdf5_has(file, "top_logits");
  } catch (const DataError&) {
    return false;  // damaged: who knows what it was
  }
}

bool carries(const std::string& path, const std::string& marker, bool at_the_end) {
  std::error_code code;
  const uintmax_t size = fs::file_size(path, code);
  std::string part(4096, '\0');
  std::ifstream file(path, std::ios::binary);
  if (at_the_end && !code && size > part.size())
    file.seekg(-static_cast<std::streamoff>(part.size()), std::ios::end);
  file.read(part.data(), static_cast<std::streamsize>(part.size()));
  part.resize(static_cast<size_t>(file.gcount()));
  return part.find(marker) != std::string::npos;
}

bool may_be_replaced(const std::string& path, OutputKind kind) {
  std::error_code code;
  if (fs::file_size(path, code) == 0 && !code) return true;
  return kind == OutputKind::logits ? is_logit_file(path)
                                    : carries(path, output_marker(kind), kind == OutputKind::pdf);
}

[[noreturn]] void refuse(const std::string& problem, const std::string& path) {
  throw UsageError(problem, path, "give another name for the output");
}

void require_free(const std::string& path, OutputKind kind, const std::vector<std::string>& inputs) {
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
  for (fs::path folder = fs::path(path).parent_path(); !folder.empty(); folder = folder.parent_path()) {
    if (fs::is_directory(folder, code)) break;
    if (fs::exists(folder, code)) refuse("the folder of the output is a file", folder.string());
  }
}

void require_apart(const std::vector<Output>& outputs) {
  std::map<fs::path, std::string> taken;
  for (const Output& output : outputs) {
    std::error_code code;
    const fs::path place = fs::weakly_canonical(fs::absolute(output.path, code), code);
    const auto [other, is_new] = taken.emplace(place, output.path);
    if (!is_new) refuse("two outputs would have this name", output.path);
  }
  for (const auto& [place, path] : taken)
    for (fs::path folder = place.parent_path(); folder.has_relative_path(); folder = folder.parent_path()) {
      const auto other = taken.find(folder);
      if (other != taken.end())
        refuse("this output would have to be the folder of another, " + path, other->second);
    }
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
    case OutputKind::jpeg:
      return "generator: smoothlab";
    case OutputKind::pdf:
      return "% generator: smoothlab";
    case OutputKind::csv:
      return ",top5_accuracy";  // of its headings: a table has no room for remarks
    case OutputKind::sweeps:
      return "\"temperature_sweeps\"";
    default:
      return "";
  }
}

void claim_outputs(const std::vector<Output>& outputs, const std::vector<std::string>& inputs) {
  for (const Output& output : outputs) require_free(output.path, output.kind, inputs);
  require_apart(outputs);
  for (const Output& output : outputs) {
    const fs::path folder = fs::path(output.path).parent_path();
    if (!folder.empty()) cluster::local_file_system()->make_folders(folder.string());
  }
}

void claim_output(const std::string& path, OutputKind kind, const std::vector<std::string>& inputs) {
  claim_outputs({{path, kind}}, inputs);
}

}  // namespace smoothlab::eval
