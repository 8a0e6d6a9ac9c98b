#pragma once

#include <map>
#include <string>
#include <vector>

namespace smoothlab::eval {

/// Values of a recipe by dotted key ("optimizer.lr" → "0.05"), from YAML in block style as files keep it;
/// what stands in flow style is the value of its key. Only for telling whether two recipes are alike.
std::map<std::string, std::string> recipe_values(const std::string& text);

/// Whether a key has a say in what the network that stands for a run has learnt. Others say where and how a
/// run is kept, or how its work is cut up, which rounds sums otherwise.
bool shapes_training(const std::string& key);

/// Whether a key is one whose values are set side by side or averaged over in one experiment: smoothing and
/// seeds.
bool is_compared(const std::string& key);

/// What of a recipe shapes the trained network beside what is compared, and without what only says where and
/// how the run is kept.
std::map<std::string, std::string> training_values(const std::string& text);

/// Keys in which two recipes differ, sorted.
std::vector<std::string> differing_keys(const std::map<std::string, std::string>& a,
                                        const std::map<std::string, std::string>& b);

}  // namespace smoothlab::eval
