#pragma once

#include <string>
#include <vector>

namespace smoothlab::eval {

/// What stands in an output file.
enum class OutputKind { page, svg, png, logits };

/// What a file of this kind has among its first 4096 bytes, by which an earlier one is known; empty for logit
/// files, which are HDF5 with /logits.
std::string output_marker(OutputKind kind);

/// To be asked before any work whose result goes to `path`: makes missing folders above it. What may be
/// replaced is an earlier output of the same kind, and an empty file. Throws UsageError for anything else
/// that stands there: a folder, a device, one of `inputs` (by whatever name or link), a file of another kind.
void claim_output(const std::string& path, OutputKind kind, const std::vector<std::string>& inputs = {});

}  // namespace smoothlab::eval
