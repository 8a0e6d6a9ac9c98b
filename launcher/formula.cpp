#include "launcher/formula.h"

#include <fmt/format.h>
#include <muParser.h>

#include <charconv>
#include <cmath>
#include <map>
#include <regex>

#include "cluster/error.h"

namespace smoothlab::launcher {
namespace {

double floor_of(double x) {
  return std::floor(x);
}
double ceil_of(double x) {
  return std::ceil(x);
}

mu::Parser parser_of(const std::string& expression) {
  mu::Parser parser;
  parser.DefineNameChars("0123456789_.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
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

Formula::Formula(const std::string& text, const std::string& key, const trainer::Place& place)
    : text_(text.substr(1)), where_(place.at(key)) {
  static const std::regex name("\\s*([A-Za-z][A-Za-z0-9_.]{0,200})\\s*");
  std::smatch parts;
  if (text_.size() <= 250 && std::regex_match(text_, parts, name)) {
    is_name_ = true;
    names_ = {parts[1]};
    return;
  }
  try {
    mu::Parser parser = parser_of(text_);
    for (const auto& variable : parser.GetUsedVar()) names_.push_back(variable.first);
  } catch (const mu::Parser::exception_type& error) {
    throw UsageError(fmt::format("'={}' is no formula: {}", text_, error.GetMsg()), where_,
                     "write it as =0.1*train.global_batch/128 or =stage.key");
  }
}

std::string Formula::value(const std::function<std::string(const std::string&)>& value_of) const {
  if (is_name_) return value_of(names_.front());
  std::map<std::string, double> numbers;
  mu::Parser parser = parser_of(text_);
  try {
    for (const auto& name : names_) {
      const std::string text = value_of(name);
      double& number = numbers[name];
      const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
      if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size())
        throw UsageError(fmt::format("'{}' is {}, which is no number", name, text), where_,
                         "calculate with numbers, or give the name alone");
      parser.DefineVar(name, &number);
    }
    const double result = parser.Eval();
    if (!std::isfinite(result))
      throw UsageError(fmt::format("'={}' comes to {}", text_, result), where_, "correct the formula");
    return written(result);
  } catch (const mu::Parser::exception_type& error) {
    throw UsageError(fmt::format("'={}' cannot be worked out: {}", text_, error.GetMsg()), where_,
                     "correct the formula");
  }
}

}  // namespace smoothlab::launcher
