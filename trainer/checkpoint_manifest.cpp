#include "trainer/checkpoint_manifest.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cluster/error.h"

namespace smoothlab::trainer {
namespace {

using nlohmann::ordered_json;

constexpr int schema = 1;

uint32_t checksum(const std::string& text) {
  return cluster::checksum(text.data(), text.size());
}

}  // namespace

std::string to_json(const CheckpointManifest& manifest) {
  ordered_json listed = ordered_json::object();
  for (const auto& [name, file] : manifest.files)
    listed[name] = {{"size", file.size}, {"crc32", fmt::format("{:08x}", file.crc32)}};
  ordered_json json = {{"schema", schema}, {"step", manifest.step}, {"files", listed}};
  json["manifest_crc32"] = fmt::format("{:08x}", checksum(json.dump()));
  return json.dump(2) + "\n";
}

CheckpointManifest manifest_from_json(const std::string& text, const std::string& path) {
  CheckpointManifest manifest;
  try {
    const auto json = ordered_json::parse(text);
    json.at("step").get_to(manifest.step);
    for (const auto& [name, entry] : json.at("files").items()) {
      CheckpointManifest::File file;
      entry.at("size").get_to(file.size);
      file.crc32 = static_cast<uint32_t>(std::stoul(entry.at("crc32").get<std::string>(), nullptr, 16));
      manifest.files[name] = file;
    }
  } catch (const std::exception& error) {
    throw DataError(std::string("not a checkpoint's manifest: ") + error.what(), path,
                    "use another checkpoint");
  }
  if (to_json(manifest) != text)
    throw DataError("the manifest does not agree with its own checksum", path, "use another checkpoint");
  return manifest;
}

std::string checkpoint_damage(const cluster::FileSystem& files, const std::string& folder, int64_t step) {
  const std::string manifest_path = folder + "/manifest.json";
  if (!files.exists(manifest_path)) return "manifest.json: missing";
  CheckpointManifest manifest;
  try {
    manifest = manifest_from_json(files.read(manifest_path), manifest_path);
  } catch (const DataError& error) {
    return "manifest.json: " + error.problem();
  }
  if (manifest.step != step) return fmt::format("manifest.json: is that of step {}", manifest.step);
  for (const auto& [name, expected] : manifest.files) {
    const std::string path = folder + "/" + name;
    if (!files.exists(path)) return name + ": missing";
    const std::string bytes = files.read(path);
    if (bytes.size() != expected.size)
      return fmt::format("{}: has {} bytes where {} were written", name, bytes.size(), expected.size);
    const uint32_t found = checksum(bytes);
    if (found != expected.crc32)
      return fmt::format("{}: its CRC-32 is {:08x} where {:08x} was written", name, found, expected.crc32);
  }
  return "";
}

}  // namespace smoothlab::trainer
