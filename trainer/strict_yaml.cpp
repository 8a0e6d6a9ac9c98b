#include "trainer/strict_yaml.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/eventhandler.h>

#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <regex>
#include <sstream>
#include <type_traits>

#include "cluster/error.h"

namespace smoothlab::trainer {
namespace {

// While YAML is parsed, ${NAME} and $${NAME} stand between private-use characters, which mean nothing to it.
const std::string open_variable = "\xEE\x80\x80", close_variable = "\xEE\x80\x81";
const std::string open_literal = "\xEE\x80\x82";

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

std::string shield_variables(const std::string& text) {
  std::string shielded;
  for (size_t at = 0; at < text.size();) {
    const bool literal = text.compare(at, 3, "$${") == 0;
    if (!literal && text.compare(at, 2, "${") != 0) {
      shielded += text[at++];
      continue;
    }
    const size_t name = at + (literal ? 3 : 2);
    const size_t end = text.find_first_of("}\n", name);
    if (end == std::string::npos || text[end] == '\n') {
      shielded += literal ? open_literal : "${";
      at = name;
      continue;
    }
    shielded += (literal ? open_literal : open_variable) + text.substr(name, end - name) + close_variable;
    at = end + 1;
  }
  return shielded;
}

std::string unshield(std::string text) {
  replace_all(text, open_variable, "${");
  replace_all(text, open_literal, "$${");
  replace_all(text, close_variable, "}");
  return text;
}

/// In double quotes, as YAML escapes.
std::string quoted(const std::string& text) {
  std::string escaped = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      escaped += std::string("\\") + c;
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      escaped += c;
  }
  return escaped + "\"";
}

bool is_variable_name(const std::string& name) {
  for (const char c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_') return false;
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0;
}

/// Notes where the last document began.
struct DocumentStart : YAML::EventHandler {
  int line = 0;
  void OnDocumentStart(const YAML::Mark& mark) override { line = mark.line; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
  }
  void OnMapEnd() override {}
};

struct Scalar {
  std::string text;
  bool plain = false;  ///< not quoted
  bool expanded = false;
};

[[noreturn]] void wrong_type(const YAML::Node& node, const Place& place, const std::string& key,
                             const std::string& wanted, const std::string& remedy = "") {
  const std::string found = node.IsMap()        ? "a map"
                            : node.IsSequence() ? "a list"
                            : node.IsNull()     ? "nothing"
                                                : "'" + unshield(node.Scalar()) + "'";
  throw UsageError(fmt::format("'{}' must be {}, not {}", key, wanted, found), place.at(key),
                   remedy.empty() ? "correct the value" : remedy);
}

Scalar scalar(const YAML::Node& node, const Place& place, const std::string& key, const std::string& wanted) {
  if (!node.IsScalar()) wrong_type(node, place, key, wanted);
  Scalar result;
  result.plain = node.Tag() == "?";
  std::string text = node.Scalar();
  if (text.find("${") != std::string::npos)
    throw UsageError("'${' without '}'", place.at(key), "close it, or write $${ for the characters ${");
  for (size_t at = 0; (at = text.find(open_variable, at)) != std::string::npos;) {
    const size_t end = text.find(close_variable, at);
    const std::string name = text.substr(at + open_variable.size(), end - at - open_variable.size());
    if (!is_variable_name(name))
      throw UsageError(fmt::format("'${{{}}}' names no environment variable", name), place.at(key),
                       "write ${NAME}, or $${ for the characters ${");
    const char* value = std::getenv(name.c_str());
    if (value == nullptr)
      throw UsageError(fmt::format("environment variable '{}' is not set", name), place.at(key),
                       fmt::format("export {}=... or write the value into the recipe", name));
    text.replace(at, end + close_variable.size() - at, value);
    at += std::string(value).size();
    result.expanded = true;
  }
  replace_all(text, open_literal, "${");
  replace_all(text, close_variable, "}");
  result.text = text;
  return result;
}

/// std::regex recurses once a character: longer text is none of the short forms anyway.
bool matches(const std::string& text, const std::regex& form) {
  return text.size() <= 64 && std::regex_match(text, form);
}

const std::regex& integer_form() {
  static const std::regex form("[-+]?[0-9]+");
  return form;
}
const std::regex& number_form() {
  static const std::regex form(R"([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?)");
  return form;
}
const std::regex& truth_form() {
  static const std::regex form("true|True|TRUE|false|False|FALSE");
  return form;
}
const std::regex& null_form() {
  static const std::regex form("~|null|Null|NULL|");
  return form;
}

const char* without_plus(const std::string& text) {
  return text.data() + (text[0] == '+' ? 1 : 0);
}

template <typename Int>
void read_integer(const YAML::Node& node, const Place& place, const std::string& key, Int& value) {
  const std::string wanted = std::is_unsigned_v<Int> ? "a whole number ≥ 0" : "a whole number";
  const Scalar found = scalar(node, place, key, wanted);
  if (!found.plain || !matches(found.text, integer_form()))
    wrong_type(node, place, key, wanted, "write plain decimal digits");
  const char* end = found.text.data() + found.text.size();
  Int parsed{};
  const auto result = std::from_chars(without_plus(found.text), end, parsed);
  if (result.ec == std::errc::result_out_of_range || result.ptr != end)
    wrong_type(
        node, place, key, wanted,
        fmt::format("give {} to {}", std::numeric_limits<Int>::min(), std::numeric_limits<Int>::max()));
  value = parsed;
}

}  // namespace

YAML::Node load_yaml(const std::string& text, const std::string& name) {
  try {
    const std::string shielded = shield_variables(text);
    // Not YAML::LoadAll, which never ends on text that begins with a comma.
    std::istringstream stream(shielded);
    YAML::Parser parser(stream);
    DocumentStart start;
    if (parser.HandleNextDocument(start) && parser.HandleNextDocument(start))
      throw UsageError("more than one YAML document", fmt::format("{}:{}", name, start.line + 1),
                       "keep one, and nothing after it");
    return YAML::Load(shielded);
  } catch (const YAML::Exception& e) {
    throw UsageError("not YAML: " + unshield(e.msg),
                     e.mark.is_null() ? name : fmt::format("{}:{}", name, e.mark.line + 1),
                     "correct the syntax; indentation and the space after ':' count");
  }
}

Place place_of(const YAML::Node& node, const std::string& name) {
  const auto mark = node.Mark();
  return {mark.is_null() ? name : fmt::format("{}:{}", name, mark.line + 1), false};
}

std::string key_text(const YAML::Node& key) {
  return key.IsScalar() ? unshield(key.Scalar()) : "?";
}

std::string node_text(const YAML::Node& node) {
  if (node.IsNull()) return "~";
  if (node.IsScalar()) {
    const std::string text = unshield(node.Scalar());
    const bool bare = node.Tag() == "?" && node.Scalar().find_first_of(",[]{}\n") == std::string::npos;
    return bare ? text : quoted(text);
  }
  std::vector<std::string> parts;
  for (const auto& part : node)
    parts.push_back(node.IsMap() ? key_text(part.first) + ": " + node_text(part.second) : node_text(part));
  return fmt::format(node.IsMap() ? "{{{}}}" : "[{}]", fmt::join(parts, ", "));
}

void read_value(const YAML::Node& node, const Place& place, const std::string& key, bool& value) {
  const Scalar found = scalar(node, place, key, "true or false");
  if (!found.plain || !matches(found.text, truth_form()))
    wrong_type(node, place, key, "true or false", "write true or false, without quotes");
  value = found.text[0] == 't' || found.text[0] == 'T';
}

void read_value(const YAML::Node& node, const Place& place, const std::string& key, int& value) {
  read_integer(node, place, key, value);
}
void read_value(const YAML::Node& node, const Place& place, const std::string& key, int64_t& value) {
  read_integer(node, place, key, value);
}
void read_value(const YAML::Node& node, const Place& place, const std::string& key, uint64_t& value) {
  read_integer(node, place, key, value);
}

void read_value(const YAML::Node& node, const Place& place, const std::string& key, double& value) {
  const Scalar found = scalar(node, place, key, "a number");
  if (!found.plain || !matches(found.text, number_form()))
    wrong_type(node, place, key, "a finite number", "write it as 0.1 or 1e-4, without quotes");
  double parsed = 0;
  const auto result =
      std::from_chars(without_plus(found.text), found.text.data() + found.text.size(), parsed);
  if (result.ec != std::errc() || !std::isfinite(parsed))
    wrong_type(node, place, key, "a number that double precision holds");
  value = parsed;
}

void read_value(const YAML::Node& node, const Place& place, const std::string& key, std::string& value) {
  const Scalar found = scalar(node, place, key, "text");
  const auto is = [&](const std::regex& form) { return matches(found.text, form); };
  if (found.plain && !found.expanded && (is(number_form()) || is(truth_form()) || is(null_form())))
    wrong_type(node, place, key, "text", "put it in quotes if text is meant");
  value = found.text;
}

/// A list of what read_value reads. `entry`: how people may write one of its entries that stands alone.
template <typename T>
static void read_list(const YAML::Node& node, const Place& place, const std::string& key,
                      const std::string& wanted, const std::string& entry, std::vector<T>& value) {
  if (!node.IsSequence()) {
    const std::string list = "[" + entry + "]";
    wrong_type(node, place, key, wanted,
               place.command_line ? fmt::format("write it as --set '{}={}'", key, list)
                                  : fmt::format("write it as {}: {}", key.substr(key.rfind('.') + 1), list));
  }
  std::vector<T> parsed(node.size());
  for (size_t i = 0; i < parsed.size(); ++i)
    read_value(node[i], place, fmt::format("{}[{}]", key, i), parsed[i]);
  value = std::move(parsed);
}

void read_value(const YAML::Node& node, const Place& place, const std::string& key,
                std::vector<int64_t>& value) {
  const bool one = node.IsScalar() && matches(node.Scalar(), integer_form());
  read_list(node, place, key, "a list of whole numbers", one ? node.Scalar() : "1, 2", value);
}

void read_value(const YAML::Node& node, const Place& place, const std::string& key,
                std::vector<std::string>& value) {
  read_list(node, place, key, "a list of texts", node.IsScalar() ? unshield(node.Scalar()) : "a, b", value);
}

std::string write_value(bool value) {
  return value ? "true" : "false";
}
std::string write_value(int value) {
  return fmt::format("{}", value);
}
std::string write_value(int64_t value) {
  return fmt::format("{}", value);
}
std::string write_value(uint64_t value) {
  return fmt::format("{}", value);
}
std::string write_value(double value) {
  return fmt::format("{}", value);
}
std::string write_value(const std::vector<int64_t>& value) {
  return fmt::format("[{}]", fmt::join(value, ", "));
}
std::string write_value(const std::vector<std::string>& value) {
  std::vector<std::string> texts;
  for (const std::string& text : value) texts.push_back(write_value(text));
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

std::string write_value(const std::string& value) {
  static const std::regex harmless("[A-Za-z][A-Za-z0-9_.-]*");
  if (matches(value, harmless) && !matches(value, truth_form()) && !matches(value, null_form())) return value;
  std::string literal = value;
  replace_all(literal, "${", "$${");
  return quoted(literal);
}

}  // namespace smoothlab::trainer
