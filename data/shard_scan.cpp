#include "data/shard_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>
#include <string>
#include <unordered_map>
#include <vector>

#include "cluster/error.h"
#include "data/image_names.h"
#include "data/tar_scan.h"

namespace smoothlab::data {
namespace {

constexpr int64_t longest_label = 32;  // bytes of a .cls

struct ShardSample {
  std::string key;
  TarMember image, label;  ///< without a name where there is none
  TarMember other;         ///< the first
};

class ShardScan {
 public:
  explicit ShardScan(const PositionedFile& file) : file_(file) {}

  ScannedPart scan(std::atomic<int64_t>& found) {
    TarScan archive(file_);
    for (TarMember member; archive.next(member);) {
      if (member.type == '5') continue;
      sort_in(member);
      if (has_image_name(member.name)) ++found;
    }
    ScannedPart scanned;
    for (const ShardSample& sample : samples_) finish(sample, scanned);
    return scanned;
  }

 private:
  [[noreturn]] void fail(const std::string& what, const TarMember& member) const {
    throw DataError(what, fmt::format("{}, {}, offset {}", file_.path(), member.name, member.offset),
                    "make the shard anew: a sample is x.jpg and x.cls, the number of its class");
  }

  void sort_in(const TarMember& member) {
    const std::string name = base_name(member.name);
    const size_t dot = std::min(name.find('.'), name.size());
    const std::string key = member.name.substr(0, member.name.size() - name.size() + dot);
    std::string kind = name.substr(std::min(dot + 1, name.size()));
    std::transform(kind.begin(), kind.end(), kind.begin(), [](unsigned char c) { return std::tolower(c); });
    const auto [at, is_new] = places_.emplace(key, samples_.size());
    if (is_new) samples_.push_back({key, {}, {}, {}});
    ShardSample& sample = samples_[at->second];
    const bool is_image = kind == "jpg" || kind == "jpeg";
    TarMember& place = is_image ? sample.image : kind == "cls" ? sample.label : sample.other;
    const bool counts = &place != &sample.other;
    if (counts && !member.plain()) fail("a link or device instead of a file", member);
    if (counts && !place.name.empty()) fail("a key that is there twice", member);
    if (counts || place.name.empty()) place = member;
  }

  void finish(const ShardSample& sample, ScannedPart& scanned) const {
    if (sample.image.name.empty() && sample.label.name.empty()) {
      add_skipped(scanned.skipped, "no sample's", file_.path() + ", " + sample.other.name);
      return;
    }
    if (sample.label.name.empty()) fail("an image without a label", sample.image);
    if (sample.image.name.empty()) fail("a label without an image", sample.label);
    if (sample.image.size == 0) fail("an image of no bytes", sample.image);
    scanned.images.push_back(
        {sample.image.name, sample.image.offset, sample.image.size, label_of(sample.label)});
  }

  int64_t label_of(const TarMember& member) const {
    std::string text(static_cast<size_t>(std::min(member.size, longest_label)), '\0');
    file_.read(member.offset, text.data(), text.size(), member.name);
    text.erase(text.find_last_not_of(" \t\r\n") + 1);
    int64_t label = -1;
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, label);
    if (parsed.ec != std::errc() || parsed.ptr != end || label < 0 ||
        label > std::numeric_limits<int32_t>::max())
      fail(fmt::format("a label '{}' that is no number of a class", text), member);
    return label;
  }

  const PositionedFile& file_;
  std::vector<ShardSample> samples_;
  std::unordered_map<std::string, size_t> places_;
};

}  // namespace

ScannedPart scan_shard(const PositionedFile& file, std::atomic<int64_t>& found) {
  return ShardScan(file).scan(found);
}

}  // namespace smoothlab::data
