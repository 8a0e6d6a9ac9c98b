#include "trainer/paper_recipes.h"

#include <fmt/format.h>

#include "eval/recipe_text.h"
#include "trainer/recipe_keys.h"

namespace smoothlab::trainer {
namespace {

/// Texts of recipes/paper/, read when the program was built.
constexpr const char* paper_texts[] = {
#include "paper_recipe_texts.h"
};

/// Where their data are does not matter here, and a variable for it need not be set.
std::vector<Recipe> read_paper_recipes() {
  std::vector<Recipe> recipes;
  for (std::string text : paper_texts) {
    for (size_t at = 0; (at = text.find("${SMOOTHLAB_DATA}")) != std::string::npos;)
      text.replace(at, sizeof "${SMOOTHLAB_DATA}" - 1, "data");
    recipes.push_back(parse_recipe(text, "recipes/paper", {}));
  }
  return recipes;
}

std::vector<Recipe> of_same_network(const Recipe& recipe) {
  static const std::vector<Recipe> all = read_paper_recipes();
  std::vector<Recipe> same;
  for (const Recipe& other : all)
    if (other.task.data == recipe.task.data && other.model.name == recipe.model.name) same.push_back(other);
  return same;
}

std::vector<std::string> differences(const Recipe& paper, const Recipe& recipe) {
  std::vector<std::string> texts;
  const auto printed = shaping_values(paper), own = shaping_values(recipe);
  for (size_t k = 0; k < own.size(); ++k)
    if (own[k].second != printed[k].second)
      texts.push_back(
          fmt::format("{} is {}, in the paper's recipe {}", own[k].first, own[k].second, printed[k].second));
  return texts;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> shaping_values(const Recipe& recipe) {
  std::vector<std::pair<std::string, std::string>> values;
  for (const auto& key : recipe_keys())
    if (eval::shapes_training(key.path) && !eval::is_compared(key.path) && block_of(key.path) != "teacher")
      values.emplace_back(key.path, key.write(recipe));
  return values;
}

bool has_paper_recipe(const Recipe& recipe) {
  return !of_same_network(recipe).empty();
}

std::vector<std::string> differences_from_paper(const Recipe& recipe) {
  std::vector<std::string> fewest;
  bool first = true;
  for (const Recipe& paper : of_same_network(recipe)) {
    auto texts = differences(paper, recipe);
    if (first || texts.size() < fewest.size()) fewest = std::move(texts);
    first = false;
  }
  return fewest;
}

}  // namespace smoothlab::trainer
