#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace smoothlab::eval {

/// Numbers as bytes of this machine, for other ranks of the same program.
class PackedValues {
 public:
  template <typename Value>
  void put(Value value) {
    text_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  template <typename Value>
  void put_all(const std::vector<Value>& values) {
    put(static_cast<int64_t>(values.size()));
    if (!values.empty())
      text_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Value));
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// Takes them out in the order in which they were put in. `text` outlives it.
class PackedValuesReader {
 public:
  explicit PackedValuesReader(const std::string& text) : text_(text) {}
  bool at_end() const { return at_ == text_.size(); }
  template <typename Value>
  Value get() {
    Value value;
    std::memcpy(&value, text_.data() + at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  template <typename Value>
  std::vector<Value> get_all() {
    std::vector<Value> values(static_cast<size_t>(get<int64_t>()));
    if (!values.empty()) std::memcpy(values.data(), text_.data() + at_, values.size() * sizeof(Value));
    at_ += values.size() * sizeof(Value);
    return values;
  }

 private:
  const std::string& text_;
  size_t at_ = 0;
};

}  // namespace smoothlab::eval
