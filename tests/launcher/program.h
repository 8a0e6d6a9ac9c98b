#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/process.h"

namespace smoothlab::test {

/// Runs the program to its end.
inline ProcessResult smoothlab(std::vector<std::string> arguments,
                               const std::vector<std::string>& environment = {}) {
  arguments.insert(arguments.begin(), program());
  return run_process(arguments, environment);
}

inline std::vector<std::string> joined(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// What contract 6 asks: this exit code, nothing on stdout, and on stderr one line "error: …" that holds
/// `part`. Beside it stands nothing but warnings and progress of the program's own.
inline void expect_error(const ProcessResult& result, int code, const std::string& part) {
  EXPECT_EQ(result.exit_code, code) << result.err;
  EXPECT_EQ(result.out, "");
  for (const char* noise : {"HDF5-DIAG", "MPI_ABORT", "mpirun noticed", "-----", "frame #"})
    EXPECT_THAT(result.err, testing::Not(testing::HasSubstr(noise)));
  std::vector<std::string> errors;
  for (const auto& line : lines_of(result.err))
    if (line.rfind("error: ", 0) == 0) errors.push_back(line);
  ASSERT_EQ(errors.size(), 1U) << result.err;
  EXPECT_THAT(errors[0], testing::HasSubstr(part));
}

/// The same, and that line is all of stderr.
inline void expect_only_error(const ProcessResult& result, int code, const std::string& part) {
  expect_error(result, code, part);
  EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
}

inline void write_text(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

inline std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Names in `code` among the words of one of the program's documents; "`ece_…`" is none.
inline std::set<std::string> documented_names(const std::string& document) {
  const std::string text = read_text(source_path(document));
  std::set<std::string> names;
  const std::regex name("`([a-z0-9_]+)`");
  for (std::sregex_iterator it(text.begin(), text.end(), name), end; it != end; ++it) names.insert((*it)[1]);
  return names;
}

/// Changes one byte of a file.
inline void damage(const std::string& path) {
  std::string bytes = read_text(path);
  ASSERT_GT(bytes.size(), 0U) << path;
  char& byte = bytes[bytes.size() * 3 / 4];
  byte = static_cast<char>(byte ^ 0x10);
  std::ofstream(path, std::ios::binary) << bytes;
}

/// A network of a few thousand weights on the embedded images: trains in less time than the program takes to
/// start.
inline const char* small_recipe() {
  return "task: {data: generated, train_samples: 96, test_samples: 51}\n"
         "model: {name: mlp, hidden: [16]}\n"
         "optimizer: {name: sgd, lr: 0.05, momentum: 0.9}\n"
         "train: {steps: 12, global_batch: 16, device: cpu, log_every: 4}\n"
         "evaluate: {every: 6, split: test}\n"
         "checkpoint: {every: 4, keep: 2}\n";
}

/// small_recipe() with some of its entries replaced: {{"steps: 12", "steps: 4"}}.
inline std::string small_recipe_with(const std::vector<std::pair<std::string, std::string>>& changes) {
  std::string recipe = small_recipe();
  for (const auto& [entry, other] : changes) {
    const size_t at = recipe.find(entry);
    if (at == std::string::npos) throw std::invalid_argument("the small recipe has no " + entry);
    recipe.replace(at, entry.size(), other);
  }
  return recipe;
}

}  // namespace smoothlab::test
