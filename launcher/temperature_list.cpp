#include "launcher/temperature_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "cluster/error.h"

namespace smoothlab::launcher {
namespace {

double number(const std::string& written, const std::string& option, double low, double high) {
  std::istringstream in(written);
  double value = 0;
  if (!(in >> value) || in.peek() != std::istringstream::traits_type::eof() ||
      !(value >= low && value <= high))
    throw UsageError(fmt::format("'{}' is no number from {:g} to {:g}", written, low, high), option,
                     "give temperatures as 0.5,1,1.5 or as 0.5:2:16");
  return value;
}

std::vector<std::string> parts_of(const std::string& written, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(written + separator);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

constexpr double lowest = 1e-3, highest = 1e3;

std::vector<double> range(const std::string& written, const std::string& option) {
  const auto parts = parts_of(written, ':');
  if (parts.size() != 3)
    throw UsageError("'" + written + "' is no range", option, "give it as FROM:TO:COUNT, such as 0.5:2:16");
  const double from = number(parts[0], option, lowest, highest),
               to = number(parts[1], option, lowest, highest);
  const double count = number(parts[2], option, 2, 1000);
  if (!(from < to))
    throw UsageError("the range '" + written + "' does not rise", option, "give the lower end first");
  if (count != static_cast<int>(count))
    throw UsageError("'" + parts[2] + "' is no whole number", option, "give the range as FROM:TO:COUNT");
  std::vector<double> values;
  // 0.7000000000000001 would look odd, and be another temperature than 0.7.
  for (int i = 0; i < static_cast<int>(count); ++i)
    values.push_back(std::stod(fmt::format("{:.10g}", from + (to - from) * i / (count - 1))));
  return values;
}

}  // namespace

std::vector<double> temperature_list(const std::string& written, const std::string& option) {
  if (written.find(':') != std::string::npos) return range(written, option);
  std::vector<double> values;
  for (const std::string& part : parts_of(written, ','))
    values.push_back(number(part, option, lowest, highest));
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

}  // namespace smoothlab::launcher
