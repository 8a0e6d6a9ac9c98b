#include "launcher/formula.h"

#include <fmt/format.h>
#include <muParser.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <map>
#include <regex>

#include "cluster/error.h"
#include "trainer/strict_yaml.h"

namespace smoothlab::launcher {
namespace {

double floor_of(double x) {
  return std::floor(x);
}
double ceil_of(double x) {
  return std::ceil(x);
}

/// A hyphen that belongs to a name, while an expression is parsed.
constexpr char hyphen_in_name = '@';
const char* const name_characters = "0123456789_.@abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// An expression in which hyphens of these names, where they stand before a dot, are no minus.
std::string shield_hyphens(std::string text, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    std::string shielded = name + ".";
    std::replace(shielded.begin(), shielded.end(), '-', hyphen_in_name);
    for (size_t at = 0; (at = text.find(name + ".", at)) != std::string::npos; at += shielded.size())
      if (at == 0 || std::strchr(name_characters, text[at - 1]) == nullptr)
        text.replace(at, shielded.size(), shielded);
  }
  return text;
}

std::string plain(std::string text) {
  std::replace(text.begin(), text.end(), hyphen_in_name, '-');
  return text;
}

mu::Parser parser_of(const std::string& expression) {
  mu::Parser parser;
  parser.DefineNameChars(name_characters);
  parser.DefineFun("floor", floor_of);
  parser.DefineFun("ceil", ceil_of);
  parser.SetExpr(expression);
  return parser;
}

/// In the fewest digits that read back as the same number; whole numbers without point or exponent.
std::string written(double value) {
  const double whole = std::nearbyint(value);
  if (std::abs(whole) < 9e15 && std::abs(value - whole) <= 1e-12 * std::abs(whole))
    return fmt::format("{:.0f}", whole);
  return fmt::format("{}", value);
}

}  // namespace

Formula::Formula(const std::string& text, const std::string& key, const trainer::Place& place,
                 const std::vector<std::string>& stages)
    : where_(place.at(key)) {
  if (text.find(hyphen_in_name) != std::string::npos)
    throw UsageError(fmt::format("'{}' is no formula: nothing is called by a '@'", text), where_,
                     "write it as =0.1*train.global_batch/128 or =stage.key");
  text_ = shield_hyphens(text.substr(1), stages);
  static const std::regex name("\\s*([A-Za-z][A-Za-z0-9_.@]{0,200})\\s*");
  static const std::regex path("\\s*([A-Za-z][A-Za-z0-9_@]{0,200}\\.run)(/[A-Za-z0-9_./@-]{1,200})\\s*");
  std::smatch parts;
  if (text_.size() <= 450 && (std::regex_match(text_, parts, name) || std::regex_match(text_, parts, path))) {
    is_name_ = true;
    names_ = {plain(parts[1])};
    if (parts.size() > 2) below_ = plain(parts[2]);
    return;
  }
  try {
    mu::Parser parser = parser_of(text_);
    for (const auto& variable : parser.GetUsedVar()) names_.push_back(plain(variable.first));
  } catch (const mu::Parser::exception_type& error) {
    throw UsageError(fmt::format("'{}' is no formula: {}", text, error.GetMsg()), where_,
                     "write it as =0.1*train.global_batch/128 or =stage.key");
  }
}

std::string Formula::value(const std::function<std::string(const std::string&)>& value_of) const {
  if (is_name_ && below_.empty()) return value_of(names_.front());
  if (is_name_) return trainer::write_value(YAML::Load(value_of(names_.front())).as<std::string>() + below_);
  std::map<std::string, double> numbers;
  mu::Parser parser = parser_of(text_);
  try {
    for (const auto& name : names_) {
      std::string variable = name;
      std::replace(variable.begin(), variable.end(), '-', hyphen_in_name);
      const std::string text = value_of(name);
      double& number = numbers[variable];
      const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
      if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
        throw UsageError(fmt::format("'{}' is {}, which is no number", name, text), where_,
                         "calculate with numbers, or give the name alone");
      parser.DefineVar(variable, &number);
    }
    const double result = parser.Eval();
    if (!std::isfinite(result))
      throw UsageError(fmt::format("'={}' comes to {}", plain(text_), result), where_, "correct the formula");
    return written(result);
  } catch (const mu::Parser::exception_type& error) {
    throw UsageError(fmt::format("'={}' cannot be worked out: {}", plain(text_), error.GetMsg()), where_,
                     "correct the formula");
  }
}

}  // namespace smoothlab::launcher
