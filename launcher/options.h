#pragma once

#include <boost/program_options.hpp>

#include <string>
#include <vector>

namespace smoothlab::launcher {

/// One verb's command line: named options, and words in order. Mistakes are UsageErrors that name the nearest
/// option; `--help` is on every verb.
class Options {
 public:
  /// usage: "train RECIPE [options]"; summary: one sentence.
  Options(std::string usage, std::string summary);

  /// A flag, an option with a value, and one that may be given several times.
  Options& flag(const std::string& name, const std::string& help);
  Options& value(const std::string& name, const std::string& argument_name, const std::string& help,
                 const std::string& standard = "");
  Options& list(const std::string& name, const std::string& argument_name, const std::string& help);
  /// More text for --help, after the options.
  Options& epilogue(std::string text);

  /// Words beside the options: between `least` and `most` (−1: any number). False when help was asked for,
  /// and printed. A word that begins with a dash is an unknown option, but for "-" and after "--".
  bool parse(const std::vector<std::string>& arguments, int least, int most);

  /// Whether there is a value; a standard one counts.
  bool has(const std::string& name) const;
  /// Whether the command line has the option.
  bool given(const std::string& name) const;
  std::string text(const std::string& name) const;
  /// Whole numbers and real numbers in a range; UsageError names the option.
  int64_t integer(const std::string& name, int64_t low, int64_t high) const;
  double number(const std::string& name, double low, double high) const;
  /// "1,2,4"
  std::vector<double> numbers(const std::string& name, double low, double high) const;
  std::vector<std::string> texts(const std::string& name) const;
  const std::vector<std::string>& words() const { return words_; }
  std::string help() const;

 private:
  void check_words(const std::vector<std::string>& arguments) const;
  double number_of(const std::string& written, const std::string& name, double low, double high) const;

  std::string usage_, summary_, epilogue_;
  boost::program_options::options_description description_;
  boost::program_options::variables_map values_;
  std::vector<std::string> names_, words_;
};

}  // namespace smoothlab::launcher
