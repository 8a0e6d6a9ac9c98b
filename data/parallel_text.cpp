#include "data/parallel_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include "cluster/error.h"
#include "data/text_lines.h"

namespace smoothlab::data {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The n-th of the columns, from 1.
std::optional<std::string_view> column(std::string_view line, int64_t wanted) {
  for (int64_t n = 1;; ++n) {
    const size_t tab = line.find('\t');
    if (n == wanted) return line.substr(0, tab);
    if (tab == std::string_view::npos) return std::nullopt;
    line.remove_prefix(tab + 1);
  }
}

int64_t file_bytes(const std::string& path) {
  std::error_code ignored;
  return static_cast<int64_t>(std::filesystem::file_size(path, ignored));
}

int64_t count_lines(TextLines& lines) {
  for (std::string line; lines.next(line);) {
  }
  return lines.number();
}

}  // namespace

struct ParallelText::State {
  TextFiles files;
  TextLines first;
  std::optional<TextLines> second;
  int64_t bytes = 0;
  std::string line, other;

  explicit State(const TextFiles& given)
      : files(given), first(given.first()), bytes(file_bytes(given.first())) {
    if (!files.pairs.empty()) return;
    second.emplace(files.target);
    bytes += file_bytes(files.target);
  }

  bool next_of_two() {
    const bool has_line = first.next(line), has_other = second->next(other);
    if (has_line == has_other) return has_line;
    const int64_t lines = count_lines(first), others = count_lines(*second);
    throw DataError(fmt::format("{} lines here and {} in {}", lines, others, files.target),
                    fmt::format("{}, line {}", files.source, std::min(lines, others) + 1),
                    "the two must have the same number of lines, each the translation of the other");
  }
};

ParallelText::ParallelText(const TextFiles& files) : state_(std::make_unique<State>(files)) {}
ParallelText::~ParallelText() = default;
ParallelText::ParallelText(ParallelText&&) noexcept = default;

bool ParallelText::next(TextPair& pair) {
  State& state = *state_;
  if (state.second) {
    if (!state.next_of_two()) return false;
    pair.source = trimmed(state.line);
    pair.target = trimmed(state.other);
  } else {
    if (!state.first.next(state.line)) return false;
    const auto source = column(state.line, state.files.source_column);
    const auto target = column(state.line, state.files.target_column);
    if (!source || !target) {
      const auto tabs = std::count(state.line.begin(), state.line.end(), '\t');
      throw DataError(tabs == 0 ? "a line without a tab" : fmt::format("a line of {} columns", tabs + 1),
                      state.first.where(),
                      fmt::format("columns {} and {} are wanted, with a tab between columns",
                                  state.files.source_column, state.files.target_column));
    }
    pair.source = trimmed(*source);
    pair.target = trimmed(*target);
  }
  pair.line = state.first.number();
  return true;
}

int64_t ParallelText::bytes_read() const {
  return state_->first.bytes_read() + (state_->second ? state_->second->bytes_read() : 0);
}

int64_t ParallelText::bytes() const {
  return state_->bytes;
}

}  // namespace smoothlab::data
