#include <fmt/format.h>

#include "trainer/recipe_keys.h"

namespace smoothlab::trainer {
namespace {

template <typename Root>
std::string entry(const Key<Root>& key, const Root& defaults, bool markdown) {
  const std::string written = key.write(defaults);
  const bool empty = written == write_value(std::string());
  if (!markdown)
    return fmt::format("  {:<30} {}\n  {:<30} {} ({})\n", key.path, key.meaning, "", key.type,
                       empty ? "no default" : "default " + written);
  return fmt::format("| `{}` | {} | {} | {} |\n", name_of(key.path), key.type,
                     empty ? "" : "`" + written + "`", key.meaning);
}

const char* table_head = "| key | value | default | meaning |\n|---|---|---|---|\n";

}  // namespace

std::string recipe_help(bool markdown) {
  std::string text, block;
  const Recipe defaults;
  for (const auto& key : recipe_keys()) {
    if (block_of(key.path) != block) {
      block = block_of(key.path);
      text += markdown ? fmt::format("\n## `{}`\n\n{}", block, table_head) : fmt::format("\n{}:\n", block);
    }
    text += entry(key, defaults, markdown);
  }
  const std::string groups = "an entry of optimizer.groups";
  text += markdown ? fmt::format("\n## {}\n\n{}", groups, table_head) : fmt::format("\n{}:\n", groups);
  for (const auto& key : group_keys()) text += entry(key, {}, markdown);
  return text.substr(1);
}

}  // namespace smoothlab::trainer
