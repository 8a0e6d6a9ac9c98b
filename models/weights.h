#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "models/network.h"
#include "models/safetensors.h"

namespace smoothlab::models {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// The network's parameters, then its buffers, as they are: no copies.
NamedTensors tensors_of(const Network& network);

/// What a weights file says about its network: "network", "classes", "input" ("3x32x32", "8000 tokens"), of a
/// transformer "form", "heads" and "vocabulary" (digests of the source's and the target's), and "format":
/// "pt", which other programs ask for and which says nothing.
std::map<std::string, std::string> weights_metadata(const NetworkOptions& options);

/// Throws DataError where the file's metadata are of another network than expected, as weights_metadata()
/// says it; what they do not say is not asked for.
void check_metadata(const std::map<std::string, std::string>& expected, const TensorFile& file,
                    const std::string& where);

/// Fills the tensors from those of the same names in a file; each keeps its dtype, strides and identity.
/// `where` names the file in errors. Throws DataError where the file lacks a tensor, has one more, or one of
/// another shape or kind; nothing is changed then.
void fill_tensors(const NamedTensors& tensors, const TensorFile& file, const std::string& where);

/// Fills a network made from `options`. Throws DataError as fill_tensors does, and where the file's metadata
/// are of another network; a file without them, such as other programs write, is judged by its tensors. These
/// may be called what timm calls them (timm_names.h).
void load_weights(Network& network, const NetworkOptions& options, const TensorFile& file,
                  const std::string& where);

}  // namespace smoothlab::models
