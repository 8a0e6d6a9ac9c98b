#include "eval/shard_names.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <random>
#include <set>

#include "cluster/error.h"
#include "eval/hdf5_handle.h"
#include "eval/shard_file.h"

namespace smoothlab::eval {
namespace {

namespace fs = std::filesystem;

constexpr char half_made[] = ".tmp";

std::string stem_of(const std::string& path) {
  const fs::path file = fs::path(path).filename();
  return file.extension() == ".h5" ? file.stem().string() : file.string();
}

bool all_of(const std::string& text, int (*is)(int)) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](unsigned char c) { return is(c) != 0; });
}

bool drop_end(std::string& name, const std::string& end) {
  const bool ends = name.size() > end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0;
  if (ends) name.resize(name.size() - end.size());
  return ends;
}

/// The stem of the logit file whose shard, or half-made virtual file, has this name; empty where it is none.
std::string stem_of_shard(std::string name) {
  drop_end(name, half_made);
  const auto shard = shard_name(name);
  return shard ? shard->stem : "";
}

bool has_changed_since(const std::string& path, std::optional<fs::file_time_type> time) {
  std::error_code problem;
  const auto changed = fs::last_write_time(path, problem);
  return problem || (time && changed > *time);
}

}  // namespace

std::string folder_of(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  return folder.empty() ? "." : folder.string();
}

std::string new_shard_tag() {
  std::random_device device;
  const auto now = static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  return fmt::format("{:08x}",
                     static_cast<uint32_t>(now ^ (now >> 32)) ^ device() ^ static_cast<uint32_t>(::getpid()));
}

std::string shard_path(const std::string& path, const std::string& tag, int rank, int ranks) {
  return fmt::format("{}/{}.{}.{}-of-{}.h5", folder_of(path), stem_of(path), tag, rank, ranks);
}

std::optional<ShardName> shard_name(const std::string& path) {
  std::string name = fs::path(path).filename().string();
  if (!drop_end(name, ".h5")) return std::nullopt;
  const size_t part = name.rfind('.');
  if (part == std::string::npos || part == 0) return std::nullopt;
  const size_t tag = name.rfind('.', part - 1), of = name.find("-of-", part);
  if (tag == std::string::npos || tag == 0 || of == std::string::npos) return std::nullopt;
  const std::string rank = name.substr(part + 1, of - part - 1), ranks = name.substr(of + 4);
  const bool fits = all_of(name.substr(tag + 1, part - tag - 1), std::isxdigit) &&
                    all_of(rank, std::isdigit) && all_of(ranks, std::isdigit) && ranks.size() < 9 &&
                    rank.size() < 9;
  if (!fits) return std::nullopt;
  return ShardName{name.substr(0, tag), std::stoi(rank), std::stoi(ranks)};
}

std::map<std::string, std::string> shards_among(const std::vector<std::string>& files) {
  std::map<std::string, std::string> shards;
  const bool any = std::any_of(files.begin(), files.end(), [](const auto& file) { return shard_name(file); });
  if (!any) return shards;
  for (const auto& whole : files)
    for (const auto& name : shards_referred_to(whole).value_or(std::vector<std::string>{}))
      for (const auto& file : files) {
        std::error_code code;
        if (shard_name(file) && fs::path(file).filename() == fs::path(name).filename() &&
            fs::equivalent(file, fs::path(folder_of(whole)) / name, code))
          shards[file] = whole;
      }
  return shards;
}

std::string half_made_path(const std::string& first_shard) {
  return first_shard + half_made;
}

std::optional<std::vector<std::string>> shards_referred_to(const std::string& path) {
  std::vector<std::string> names;
  const Hdf5Lock lock;
  if (H5Fis_hdf5(path.c_str()) <= 0) return names;
  try {
    const Hdf5Handle file = open_hdf5(path);
    const char* const rows = hdf5_has(file, "logits") ? "logits" : "log_sum_exp";
    if (!hdf5_has(file, rows)) return names;
    const Hdf5Handle dataset(H5Dopen2(file, rows, H5P_DEFAULT), H5Dclose);
    const Hdf5Handle creation(H5Dget_create_plist(dataset), H5Pclose);
    size_t count = 0;
    if (H5Pget_layout(creation) == H5D_VIRTUAL) H5Pget_virtual_count(creation, &count);
    for (size_t i = 0; i < count; ++i) {
      char name[4096] = "";
      H5Pget_virtual_filename(creation, i, name, sizeof name);
      names.emplace_back(name);
    }
  } catch (const DataError&) {
    return std::nullopt;
  }
  return names;
}

void remove_stale_shards(cluster::FileSystem& files, const std::string& path,
                         std::optional<fs::file_time_type> started) {
  try {
    const std::string folder = folder_of(path), stem = stem_of(path);
    std::vector<std::string> ours;
    std::set<std::string> needed;
    for (const auto& name : files.list(folder)) {
      const std::string of = stem_of_shard(name);
      if (of == stem) ours.push_back(name);
      if (!of.empty()) continue;
      const auto shards = shards_referred_to(folder + "/" + name);
      if (!shards) return;
      for (const auto& shard : *shards) needed.insert(fs::path(shard).filename().string());
    }
    for (const auto& name : ours) {
      const std::string shard = folder + "/" + name;
      if (needed.count(name) == 0 && !has_changed_since(shard, started) && !is_in_use(shard))
        files.remove_all(shard);
    }
  } catch (const Error&) {
    // The logit file is published; that leftovers stay is not worth a failure.
  }
}

}  // namespace smoothlab::eval
