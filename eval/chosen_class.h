#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace smoothlab::eval {

/// A class that somebody asked for.
struct ChosenClass {
  int64_t number = 0;
  std::string name;  ///< as the file calls it; the number where it has no names
};

/// "beaver,dolphin,otter" → its parts. Where an option was given several times each is one class, so that a
/// name may hold a comma. Throws UsageError where these are not `count` classes, one is empty, or one is
/// given twice. `option` is what messages name.
std::vector<std::string> split_classes(const std::vector<std::string>& given, size_t count,
                                       const std::string& option);

/// The classes that these names or numbers stand for in a file of K `classes`, `names` of them (empty: it has
/// none; then only numbers are known). A name goes before a number, as of a word piece "7". Where none is
/// written exactly so, a word stands for the piece that begins one, "the" for "▁the"; an underscore for a
/// space and the reverse, "toy poodle" for "toy_poodle"; and at last for the class that it is the first
/// synonym of, "tench" for "tench, Tinca tinca". `path` is what messages name. Throws UsageError for what is
/// neither (with the nearest name), for a name that several classes have, such as ImageNet's two cranes (with
/// what to write instead), and for a class given twice.
std::vector<ChosenClass> choose_classes(const std::vector<std::string>& written,
                                        const std::vector<std::string>& names, int64_t classes,
                                        const std::string& path);

/// What figures call these classes: "tench" for "tench, Tinca tinca", "toy poodle" for "toy_poodle", and with
/// its number, "crane (134)", where two of them would be called the same.
std::vector<std::string> short_names(const std::vector<ChosenClass>& chosen);

}  // namespace smoothlab::eval
