// JPEGs to inputs of 299 x 299 on one thread: decoding, random crop, resizing, flip, scaling to floats,
// beside libjpeg-turbo that decodes the same files whole at the same scales and does nothing else, and beside
// PIL that crops, resizes and flips (without going on to floats), in turns. Usage: decode_bench [folder
// [rounds [script]]] from the root of the source; the folder is $SMOOTHLAB_DATA/imagenet/images. The Python
// is $PYTHON, or python3. Wanted: 85 % of decoding alone, twice PIL.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>
// After what it does not include itself.
#include <jpeglib.h>

#include "bench_main.h"
#include "cluster/addressed_random.h"
#include "data/file_bytes.h"
#include "data/jpeg_augmentation.h"

namespace {

using namespace smoothlab;
using Files = std::vector<std::vector<uint8_t>>;
using Rates = std::map<std::string, std::vector<double>>;
constexpr uint64_t seed = 1;
constexpr int64_t passes = 3;

Files read_folder(const std::string& folder) {
  if (!std::filesystem::is_directory(folder))
    throw DataError("no folder of JPEG images", folder, "name one, or set SMOOTHLAB_DATA");
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path());
  std::sort(names.begin(), names.end());
  Files files;
  for (const std::string& name : names)
    files.push_back(data::read_file_bytes(name, "name a folder of JPEGs"));
  return files;
}

template <typename Work>
double images_per_second(const Files& files, int64_t epoch, const Work& work) {
  const auto begin = std::chrono::steady_clock::now();
  for (int64_t pass = 0; pass < passes; ++pass)
    for (size_t i = 0; i < files.size(); ++i)
      work(files[i], data::SampleAddress{static_cast<int64_t>(i), epoch * passes + pass});
  return static_cast<double>(files.size() * passes) /
         std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Every row of an image into the same memory.
void decode_alone(const std::vector<uint8_t>& file, data::SampleAddress address,
                  std::vector<uint8_t>& memory) {
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, file.data(), static_cast<unsigned long>(file.size()));
  jpeg_read_header(&info, TRUE);
  const AddressedRandom random(seed, Purpose::augmentation, address.epoch, address.sample);
  const data::PixelBox crop = data::random_crop(random, info.image_height, info.image_width, {});
  info.scale_num = 1;
  info.scale_denom = static_cast<unsigned>(data::scaling_denominator(crop.height, crop.width, 299, 299));
  info.out_color_space = JCS_RGB;
  jpeg_start_decompress(&info);
  memory.resize(static_cast<size_t>(info.output_width) * info.output_height * 3);
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = memory.data() + static_cast<size_t>(info.output_scanline) * info.output_width * 3;
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  jpeg_destroy_decompress(&info);
}

std::string read_peer(const std::string& command, Rates& rates) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string text;
  char block[4096];
  while (pipe && std::fgets(block, sizeof block, pipe.get())) text += block;
  std::istringstream lines(text);
  std::string version, name;
  std::getline(lines, version);
  for (double rate = 0; lines >> name >> rate;) rates["PIL " + name].push_back(rate);
  return version;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void print(const std::string& what, const std::vector<double>& ours, const std::vector<double>& peer) {
  if (peer.empty()) return;
  std::vector<double> ratios;
  for (size_t i = 0; i < std::min(ours.size(), peer.size()); ++i) ratios.push_back(ours[i] / peer[i]);
  std::printf("%-36s smoothlab %5.0f images/s, peer %5.0f, ratio %.2f (%.2f - %.2f)\n", what.c_str(),
              median(ours), median(peer), median(ratios), *std::min_element(ratios.begin(), ratios.end()),
              *std::max_element(ratios.begin(), ratios.end()));
}

int measure(const bench::Arguments& arguments) {
  const char* root = std::getenv("SMOOTHLAB_DATA");
  const std::string folder = arguments.at(0, std::string(root ? root : "data") + "/imagenet/images");
  const int64_t rounds = std::strtol(arguments.at(1, "7").c_str(), nullptr, 10);
  const Files files = read_folder(folder);
  const char* python = std::getenv("PYTHON");
  const std::string peer = std::string(python ? python : "python3") + " '" +
                           arguments.at(2, "bench/peers/pil_loading.py") + "' '" + folder + "' " +
                           std::to_string(passes);
  data::JpegAugmentOptions options;
  const data::JpegAugmentation bilinear(options, seed);
  options.scaled_decoding = false;
  const data::JpegAugmentation unscaled(options, seed);
  options.scaled_decoding = true;
  options.filter = data::Filter::bicubic;
  const data::JpegAugmentation bicubic(options, seed);

  data::JpegAugmentation::Scratch scratch;
  std::vector<float> out(299 * 299 * 3);
  std::vector<uint8_t> memory;
  Rates rates;
  std::string version;
  for (int64_t round = 0; round < rounds; ++round) {
    const auto ours = [&](const char* name, const data::JpegAugmentation& augmentation) {
      rates[name].push_back(
          images_per_second(files, round, [&](const auto& file, data::SampleAddress address) {
            augmentation.apply(file.data(), file.size(), folder, address, data::Augment::training, scratch,
                               out.data());
          }));
    };
    ours("bilinear", bilinear);
    rates["alone"].push_back(images_per_second(
        files, round,
        [&](const auto& file, data::SampleAddress address) { decode_alone(file, address, memory); }));
    ours("bicubic", bicubic);
    ours("unscaled", unscaled);
    version = read_peer(peer, rates);
  }
  std::printf("%zu images, %lld rounds; medians, ratios of rounds (least - greatest)\n%s\n", files.size(),
              static_cast<long long>(rounds),
              version.empty() ? "no Pillow: name a Python by PYTHON" : version.c_str());
  print("bilinear / decoding (wanted: 0.85)", rates["bilinear"], rates["alone"]);
  print("bicubic / decoding", rates["bicubic"], rates["alone"]);
  print("bilinear / PIL (wanted: 2)", rates["bilinear"], rates["PIL bilinear"]);
  print("bilinear, unscaled / PIL", rates["unscaled"], rates["PIL bilinear"]);
  print("bicubic / PIL (wanted: 2)", rates["bicubic"], rates["PIL bicubic"]);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run(argc, argv, measure);
}
