#include "launcher/split_text.h"

#include <fmt/format.h>

#include <sstream>

#include "cluster/error.h"
#include "data/digest.h"
#include "data/generated_text.h"
#include "data/prepared_corpus.h"
#include "eval/segment_file.h"

namespace smoothlab::launcher {

SplitText::SplitText(const data::TaskOptions& task, const std::string& split) {
  if (task.data == "generated_text") {
    const auto options = data::generated_text_options(task, split);
    if (options.pairs > 0) pairs_ = generated_ = std::make_shared<data::GeneratedText>(options);
  } else if (task.data == "text") {
    const data::PreparedCorpus corpus = data::open_prepared_corpus(task.path);
    pairs_ = split == "test" ? corpus.test : split == "validation" ? corpus.validation : nullptr;
    file_ = corpus.target_text(split);
  } else {
    throw UsageError("the task '" + task.data + "' is none of text", "task.data",
                     "name a run of a translator");
  }
  if (!pairs_)
    throw UsageError("the task has no plain text of the split '" + split + "'", "--split",
                     "choose validation or test");
}

std::vector<std::string> SplitText::references() const {
  std::vector<std::string> lines;
  if (generated_) {
    std::istringstream text(generated_->target_text());
    for (std::string line; std::getline(text, line);) lines.push_back(line);
  } else {
    const eval::SegmentFile file(file_);
    lines.assign(file.segments().begin(), file.segments().end());
  }
  if (static_cast<int64_t>(lines.size()) != pairs_->size())
    throw DataError(fmt::format("{} lines of references for {} sentences", lines.size(), pairs_->size()),
                    file_, "prepare the corpus again");
  return lines;
}

std::string SplitText::digest() const {
  if (!generated_) return data::file_digest(file_, "sha256");
  const std::string text = generated_->target_text();
  return data::sha256({{text.data(), text.size()}});
}

}  // namespace smoothlab::launcher
