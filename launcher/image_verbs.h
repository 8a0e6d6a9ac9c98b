#pragma once

#include <string>
#include <vector>

namespace smoothlab::launcher {

/// `data prepare imagenet` (arguments are those after "prepare"): throws as data::prepare_imagenet does.
int prepare_imagenet_verb(const std::vector<std::string>& arguments);

/// `data show` (arguments begin with "show"): throws as trainer::input_pictures does.
int show_inputs_verb(const std::vector<std::string>& arguments);

}  // namespace smoothlab::launcher
