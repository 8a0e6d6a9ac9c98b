#include "trainer/recipe.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>

#include "trainer/recipe_checks.h"
#include "trainer/recipe_file.h"
#include "trainer/recipe_keys.h"

namespace smoothlab::trainer {

Recipe parse_recipe(const std::string& text, const std::string& name,
                    const std::vector<std::string>& overrides) {
  return RecipeFile(text, name).recipe(command_line_overrides(overrides));
}

Recipe read_recipe(const std::string& path, const std::vector<std::string>& overrides) {
  return open_recipe(path).recipe(command_line_overrides(overrides));
}

std::string resolved_recipe(const Recipe& recipe) {
  std::string text;
  std::string block;
  for (const auto& key : recipe_keys()) {
    if (means_nothing(recipe, key.path)) continue;
    const std::string own = block_of(key.path);
    const size_t depth = static_cast<size_t>(std::count(key.path.begin(), key.path.end(), '.'));
    if (own != block) {
      text += std::string(2 * (depth - 1), ' ') + name_of(own) + ":\n";
      block = own;
    }
    text += fmt::format("{}{}: {}\n", std::string(2 * depth, ' '), name_of(key.path), key.write(recipe));
  }
  return text;
}

std::string recipe_hash(const Recipe& recipe) {
  const std::string text = resolved_recipe(recipe);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

}  // namespace smoothlab::trainer
