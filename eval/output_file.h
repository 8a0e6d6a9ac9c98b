#pragma once

#include <string>
#include <vector>

namespace smoothlab::eval {

/// What stands in an output file.
enum class OutputKind { page, svg, png, jpeg, pdf, csv, sweeps, logits };

/// What a file of this kind has among its first 4096 bytes (of a PDF: its last), by which an earlier one is
/// known; empty for logit files, which are HDF5 with /logits.
std::string output_marker(OutputKind kind);

struct Output {
  std::string path;
  OutputKind kind = OutputKind::page;
};

/// To be asked before any work whose results go to these files: makes missing folders above them, once all of
/// them are found good. What may be replaced is an earlier output of the same kind, and an empty file. Throws
/// UsageError for anything else that stands there: a folder, a device, one of `inputs` (by whatever name or
/// link), a file of another kind; and where an output would be another one, or a folder above it.
void claim_outputs(const std::vector<Output>& outputs, const std::vector<std::string>& inputs = {});
void claim_output(const std::string& path, OutputKind kind, const std::vector<std::string>& inputs = {});

}  // namespace smoothlab::eval
