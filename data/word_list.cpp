#include "data/word_list.h"

#include <fmt/format.h>

#include <utility>

#include "cluster/error.h"
#include "data/digest.h"

namespace smoothlab::data {
namespace {

constexpr const char* blanks = " \t\r\n\v\f";

}  // namespace

WordList::WordList(std::string path, std::vector<std::string> words)
    : path_(std::move(path)), words_(std::move(words)) {
  std::string all;
  for (const std::string& word : words_) {
    const int32_t next = first_word + static_cast<int32_t>(ids_.size());
    if (word.empty() || word.find_first_of(blanks) != std::string::npos || !ids_.emplace(word, next).second)
      throw UsageError(fmt::format("'{}' is no word of its own", word), path_,
                       "list every word once, without blanks");
    all += word + "\n";
  }
  vocabulary_.size = first_word + static_cast<int64_t>(words_.size());
  vocabulary_.digest = sha256({{all.data(), all.size()}});
}

std::vector<int32_t> WordList::encode(const std::string& text) const {
  std::vector<int32_t> result;
  for (size_t from = text.find_first_not_of(blanks); from != std::string::npos;) {
    const size_t to = text.find_first_of(blanks, from);
    result.push_back(id(text.substr(from, to == std::string::npos ? to : to - from)));
    from = text.find_first_not_of(blanks, to);
  }
  return result;
}

std::string WordList::decode(const std::vector<int32_t>& ids) const {
  return decode(Tokens{ids.data(), static_cast<int64_t>(ids.size())});
}

std::string WordList::decode(const Tokens& tokens) const {
  std::string text;
  for (const int32_t token : tokens) {
    if (token < 0 || token >= vocabulary_.size)
      throw DataError(fmt::format("no word has the id {}, of {}", token, vocabulary_.size), path_,
                      "use the vocabulary that the tokens were made with");
    if (token < first_word) continue;
    if (!text.empty()) text += ' ';
    text += words_[static_cast<size_t>(token - first_word)];
  }
  return text;
}

std::vector<std::string> WordList::pieces() const {
  std::vector<std::string> all = {"<pad>", "<unk>", "<s>", "</s>"};
  all.insert(all.end(), words_.begin(), words_.end());
  return all;
}

int32_t WordList::id(const std::string& word) const {
  const auto found = ids_.find(word);
  return found == ids_.end() ? vocabulary_.special.unknown : found->second;
}

}  // namespace smoothlab::data
