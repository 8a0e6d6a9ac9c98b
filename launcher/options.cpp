#include "launcher/options.h"

#include <algorithm>
#include <charconv>
#include <iomanip>
#include <iostream>
#include <limits>
#include <sstream>
#include <system_error>
#include <utility>

#include "cluster/error.h"
#include "cluster/nearest_name.h"

namespace smoothlab::launcher {

namespace po = boost::program_options;

Options::Options(std::string usage, std::string summary)
    : usage_(std::move(usage)), summary_(std::move(summary)), description_("Options", 100, 60) {
  flag("help", "say what the verb does");
}

Options& Options::flag(const std::string& name, const std::string& help_text) {
  names_.push_back(name);
  description_.add_options()(name.c_str(), help_text.c_str());
  return *this;
}

Options& Options::value(const std::string& name, const std::string& argument_name,
                        const std::string& help_text, const std::string& standard) {
  names_.push_back(name);
  auto* semantic = po::value<std::string>()->value_name(argument_name);
  if (!standard.empty()) semantic->default_value(standard);
  description_.add_options()(name.c_str(), semantic, help_text.c_str());
  return *this;
}

Options& Options::list(const std::string& name, const std::string& argument_name,
                       const std::string& help_text) {
  names_.push_back(name);
  description_.add_options()(name.c_str(),
                             po::value<std::vector<std::string>>()->composing()->value_name(argument_name),
                             help_text.c_str());
  return *this;
}

Options& Options::epilogue(std::string text) {
  epilogue_ = std::move(text);
  return *this;
}

bool Options::parse(const std::vector<std::string>& arguments, int least, int most) {
  for (const auto& argument : arguments)
    if (argument == "--help" || argument == "-h") {
      std::cout << help();
      return false;
    }
  po::options_description all;
  all.add(description_);
  all.add_options()("words", po::value<std::vector<std::string>>());
  po::positional_options_description positions;
  positions.add("words", -1);
  using style = po::command_line_style::style_t;
  const std::string verb = usage_.substr(0, usage_.find(' '));
  try {
    po::store(po::command_line_parser(arguments)
                  .options(all)
                  .positional(positions)
                  .style(style::allow_long | style::long_allow_next | style::long_allow_adjacent)
                  .run(),
              values_);
    po::notify(values_);
  } catch (const po::unknown_option& error) {
    std::string name = error.get_option_name();
    name.erase(0, name.find_first_not_of('-'));
    std::vector<std::string> known;
    for (const auto& option : names_) known.push_back("--" + option);
    throw UsageError("unknown option --" + name, verb, suggest_name("--" + name, known));
  } catch (const po::error& error) {
    throw UsageError(error.what(), verb, "see smoothlab " + verb + " --help");
  }
  if (values_.count("words")) words_ = values_["words"].as<std::vector<std::string>>();
  check_words(arguments);
  const int count = static_cast<int>(words_.size());
  if (count < least || (most >= 0 && count > most))
    throw UsageError(count < least ? "too few arguments" : "unexpected argument '" + words_.back() + "'",
                     verb, "usage: smoothlab " + usage_);
  return true;
}

void Options::check_words(const std::vector<std::string>& arguments) const {
  if (std::find(arguments.begin(), arguments.end(), "--") != arguments.end()) return;
  for (const std::string& word : words_)
    if (word.size() > 1 && word[0] == '-')
      throw UsageError("unknown option " + word, usage_.substr(0, usage_.find(' ')),
                       "options begin with two dashes; a file of this name is ./" + word);
}

bool Options::has(const std::string& name) const {
  return values_.count(name) > 0;
}

bool Options::given(const std::string& name) const {
  return has(name) && !values_[name].defaulted();
}

std::string Options::text(const std::string& name) const {
  return has(name) ? values_[name].as<std::string>() : std::string();
}

std::vector<std::string> Options::texts(const std::string& name) const {
  return has(name) ? values_[name].as<std::vector<std::string>>() : std::vector<std::string>();
}

double Options::number(const std::string& name, double low, double high) const {
  return number_of(text(name), name, low, high);
}

std::vector<double> Options::numbers(const std::string& name, double low, double high) const {
  std::vector<double> all;
  std::istringstream list(text(name));
  for (std::string one; std::getline(list, one, ',');) all.push_back(number_of(one, name, low, high));
  if (all.empty()) number_of("", name, low, high);
  return all;
}

double Options::number_of(const std::string& written, const std::string& name, double low,
                          double high) const {
  std::istringstream in(written);
  double result = 0;
  if (!(in >> result) || !in.eof() || !(result >= low && result <= high)) {
    std::ostringstream range;
    range << std::setprecision(std::numeric_limits<double>::digits10) << "give a number from " << low
          << " to " << high;
    throw UsageError("'" + written + "' is not a value for --" + name, usage_.substr(0, usage_.find(' ')),
                     range.str());
  }
  return result;
}

int64_t Options::integer(const std::string& name, int64_t low, int64_t high) const {
  const std::string written = text(name);
  const char* end = written.data() + written.size();
  int64_t result = 0;
  const auto parsed = std::from_chars(written.data(), end, result);
  if (parsed.ec != std::errc() || parsed.ptr != end || result < low || result > high)
    throw UsageError("'" + written + "' is not a value for --" + name, usage_.substr(0, usage_.find(' ')),
                     "give a whole number from " + std::to_string(low) + " to " + std::to_string(high));
  return result;
}

std::string Options::help() const {
  std::ostringstream out;
  out << "usage: smoothlab " << usage_ << "\n\n" << summary_ << "\n\n" << description_;
  if (!epilogue_.empty()) out << "\n" << epilogue_ << "\n";
  return out.str();
}

}  // namespace smoothlab::launcher
