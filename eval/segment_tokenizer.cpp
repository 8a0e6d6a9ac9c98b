#include "eval/segment_tokenizer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "cluster/error.h"
#include "cluster/nearest_name.h"
#include "eval/unicode_text.h"

namespace smoothlab::eval {
namespace {

const std::array<std::pair<const char*, Tokenization>, 4>& all_tokenizations() {
  static const std::array<std::pair<const char*, Tokenization>, 4> all = {{{"13a", Tokenization::v13a},
                                                                           {"none", Tokenization::none},
                                                                           {"char", Tokenization::characters},
                                                                           {"intl", Tokenization::intl}}};
  return all;
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  size_t at = text.find(what);
  if (at == std::string::npos) return;
  std::string result;
  size_t begin = 0;
  for (; at != std::string::npos; at = text.find(what, begin)) {
    result.append(text, begin, at - begin).append(by);
    begin = at + what.size();
  }
  text = result.append(text, begin);
}

/// What mteval-v14 asks of a character.
enum class Category : unsigned char { other, punctuation, symbol, number };

enum Kind : unsigned char { other, digit, stop, dash, apart };

/// ASCII as mteval-v13a looks at it: `apart` are the signs that always stand alone.
std::array<Kind, 256> kinds_13a() {
  std::array<Kind, 256> kinds{};
  const auto set = [&](int first, int last, Kind kind) {
    std::fill(kinds.begin() + first, kinds.begin() + last + 1, kind);
  };
  set('{', '~', apart);
  set('[', '`', apart);
  set('!', '&', apart);
  set('(', '+', apart);
  set(':', '@', apart);
  set('/', '/', apart);
  set('0', '9', digit);
  set('-', '-', dash);
  for (const char c : {'.', ','}) set(c, c, stop);
  return kinds;
}

/// As a regular expression of a pair of characters replaces: from the left, each character in one pair at
/// most. `pair(a, b)` says whether they are one, `write(out, a, b)` writes it.
template <typename Text, typename Pair, typename Write>
void replace_pairs(const Text& from, Text& to, const Pair& pair, const Write& write) {
  to.resize(2 * from.size());  // a pair becomes four characters at most
  auto* out = to.data();
  size_t i = 0;
  while (i < from.size()) {
    if (i + 1 < from.size() && pair(from[i], from[i + 1])) {
      out = write(out, from[i], from[i + 1]);
      i += 2;
    } else {
      *out++ = from[i++];
    }
  }
  to.resize(static_cast<size_t>(out - to.data()));
}

/// What becomes of a pair "ab", blanks put in: "a b ", " a b".
constexpr auto blank_after = [](auto* out, auto a, auto b) {
  *out++ = a;
  *out++ = ' ';
  *out++ = b;
  *out++ = ' ';
  return out;
};
constexpr auto blank_before = [](auto* out, auto a, auto b) {
  *out++ = ' ';
  *out++ = a;
  *out++ = ' ';
  *out++ = b;
  return out;
};

Category category(char32_t character) {
  if (is_punctuation(character)) return Category::punctuation;
  if (is_number(character)) return Category::number;
  return is_symbol(character) ? Category::symbol : Category::other;
}

std::array<Category, 128> ascii_categories() {
  std::array<Category, 128> categories{};
  for (size_t i = 0; i < categories.size(); ++i) categories[i] = category(static_cast<char32_t>(i));
  return categories;
}

/// In `text`; `spare` is room to work in.
template <typename Text, typename CategoryOf>
void cut_punctuation(Text& text, Text& spare, const CategoryOf& of) {
  const auto is = [&](auto character, Category wanted) { return of(character) == wanted; };
  replace_pairs(
      text, spare, [&](auto a, auto b) { return is(b, Category::punctuation) && !is(a, Category::number); },
      blank_after);
  replace_pairs(
      spare, text, [&](auto a, auto b) { return is(a, Category::punctuation) && !is(b, Category::number); },
      blank_before);
}

}  // namespace

const char* name_of(Tokenization tokenization) {
  for (const auto& [name, known] : all_tokenizations())
    if (known == tokenization) return name;
  return "";
}

Tokenization tokenization(const std::string& name, const std::string& where) {
  std::vector<std::string> names;
  for (const auto& [known, result] : all_tokenizations()) {
    if (name == known) return result;
    names.emplace_back(known);
  }
  throw UsageError("unknown tokenizer '" + name + "'", where, suggest_name(name, names));
}

const std::vector<std::string_view>& SegmentTokenizer::operator()(std::string_view segment) {
  tokens_.clear();
  const auto keep = [this](std::string_view word) { tokens_.push_back(word); };
  switch (tokenization_) {
    case Tokenization::none:
      split_words(segment, keep);
      break;
    case Tokenization::characters:
      split_words(segment, [&](std::string_view word) {
        for (size_t at = 0; at < word.size();) {
          const size_t begin = at;
          next_character(word, at);
          keep(word.substr(begin, at - begin));
        }
      });
      break;
    case Tokenization::v13a:
      cut_13a(segment);
      split_words(to_, keep);
      break;
    case Tokenization::intl:
      cut_intl(segment);
      split_words(to_, keep);
      break;
  }
  return tokens_;
}

/// Four replacements one after the other, as mteval-v13a has them. Bytes of other characters than ASCII's are
/// `other`, so that bytes do for characters.
void SegmentTokenizer::cut_13a(std::string_view segment) {
  static const std::array<Kind, 256> kinds = kinds_13a();
  const auto kind = [](char c) { return kinds[static_cast<unsigned char>(c)]; };
  from_ = segment;
  replace_all(from_, "<skipped>", "");
  replace_all(from_, "-\n", "");
  replace_all(from_, "\n", " ");
  if (from_.find('&') != std::string::npos) {
    replace_all(from_, "&quot;", "\"");
    replace_all(from_, "&amp;", "&");
    replace_all(from_, "&lt;", "<");
    replace_all(from_, "&gt;", ">");
  }
  to_.resize(3 * from_.size() + 2);
  char* out = to_.data();
  *out++ = ' ';
  for (const char c : from_) {
    if (kind(c) == apart) {
      *out++ = ' ';
      *out++ = c;
      *out++ = ' ';
    } else {
      *out++ = c;
    }
  }
  *out++ = ' ';
  to_.resize(static_cast<size_t>(out - to_.data()));
  // A stop or comma behind anything but a digit; before anything but a digit; a dash behind a digit.
  replace_pairs(
      to_, from_, [&](char a, char b) { return kind(b) == stop && kind(a) != digit; }, blank_after);
  replace_pairs(
      from_, to_, [&](char a, char b) { return kind(a) == stop && kind(b) != digit; }, blank_before);
  replace_pairs(
      to_, from_, [&](char a, char b) { return kind(b) == dash && kind(a) == digit; }, blank_after);
  to_.swap(from_);
}

/// Punctuation behind anything but a number, punctuation before anything but a number, then symbols.
void SegmentTokenizer::cut_intl(std::string_view segment) {
  // Most text is ASCII, and bytes are characters then.
  static const std::array<Category, 128> ascii = ascii_categories();
  if (std::all_of(segment.begin(), segment.end(), [](char c) { return (c & 0x80) == 0; })) {
    from_ = segment;
    cut_punctuation(from_, to_, [](char c) { return ascii[static_cast<unsigned char>(c)]; });
    to_.resize(3 * from_.size());
    char* out = to_.data();
    for (const char c : from_) {
      const bool symbol = ascii[static_cast<unsigned char>(c)] == Category::symbol;
      if (symbol) *out++ = ' ';
      *out++ = c;
      if (symbol) *out++ = ' ';
    }
    to_.resize(static_cast<size_t>(out - to_.data()));
    return;
  }
  characters_.clear();
  for (size_t at = 0; at < segment.size();) characters_.push_back(next_character(segment, at));
  cut_punctuation(characters_, apart_, category);
  to_.clear();
  for (const char32_t character : characters_) {
    const bool symbol = category(character) == Category::symbol;
    if (symbol) to_.push_back(' ');
    append_utf8(to_, character);
    if (symbol) to_.push_back(' ');
  }
}

}  // namespace smoothlab::eval
