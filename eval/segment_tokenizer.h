#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace smoothlab::eval {

/// How BLEU cuts a segment into tokens, by the names that signatures use.
enum class Tokenization {
  v13a,  ///< "13a", mteval-v13a: ASCII punctuation apart, entities decoded, periods and commas in numbers
         ///< kept
  none,  ///< "none": at white space
  characters,  ///< "char": each character that is no white space
  intl,        ///< "intl", mteval-v14: Unicode punctuation and symbols apart
};

const char* name_of(Tokenization tokenization);
/// Throws UsageError naming `where` and the nearest name.
Tokenization tokenization(const std::string& name, const std::string& where);

/// Cuts segments, one after the other, in buffers that it keeps.
class SegmentTokenizer {
 public:
  explicit SegmentTokenizer(Tokenization tokenization) : tokenization_(tokenization) {}
  /// Tokens of a segment in well-formed UTF-8 without white space at its end. They point into `segment` or
  /// into this object, until the next call.
  const std::vector<std::string_view>& operator()(std::string_view segment);

 private:
  void cut_13a(std::string_view segment);
  void cut_intl(std::string_view segment);

  Tokenization tokenization_;
  std::vector<std::string_view> tokens_;
  std::string from_, to_;
  std::u32string characters_, apart_;
};

}  // namespace smoothlab::eval
