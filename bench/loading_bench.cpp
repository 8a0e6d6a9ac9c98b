// Batches of ImageNet as training gets them: images read where they lie, decoded, cropped, collated and cast
// to bf16 by 1, 2, … threads. What a GPU that takes so many images a second leaves of a rank's cores follows
// from it. Usage: loading_bench [folder [most threads [rounds]]]; the folder is
// $SMOOTHLAB_DATA/imagenet/images, of files n01440764_tench.JPEG.
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "bench_main.h"
#include "cluster/file_system.h"
#include "data/batch_stream.h"
#include "data/prepare_imagenet.h"
#include "data/task.h"

namespace {

namespace fs = std::filesystem;
using namespace smoothlab;
constexpr int64_t batch = 64, batches = 12;  // batches: of each thread

/// Class folders of links to the images, and their index; gone with it.
class Index {
 public:
  explicit Index(const std::string& images) {
    char name[] = "/tmp/smoothlab-loading-XXXXXX";
    if (!mkdtemp(name)) throw EnvironmentError("no folder can be made", "/tmp", "make room there");
    folder_ = name;
    for (const auto& entry : fs::directory_iterator(images)) {
      const std::string file = entry.path().filename().string();
      fs::create_directories(folder_ / "train" / file.substr(0, 9));
      fs::create_symlink(fs::absolute(entry.path()), folder_ / "train" / file.substr(0, 9) / file);
    }
    data::PrepareImagenetOptions options;
    options.train = folder_ / "train";
    options.out = path();
    data::prepare_imagenet(*cluster::local_file_system(), options);
  }
  ~Index() {
    std::error_code none;
    fs::remove_all(folder_, none);
  }
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;
  std::string path() const { return folder_ / "index"; }

 private:
  fs::path folder_;
};

double images_per_second(const data::Task& task, int workers) {
  data::TrainingStreamOptions how;
  how.global_batch.samples = batch;
  how.workers = workers;
  how.prefetch = 1;
  how.input_type = at::kBFloat16;
  data::TrainingStream stream(task.train, how);
  for (int i = 0; i < workers; ++i) stream.next();  // those that were begun together
  const auto begin = std::chrono::steady_clock::now();
  const int64_t measured = batches * workers;
  for (int64_t i = 0; i < measured; ++i) stream.next();
  return static_cast<double>(batch * measured) /
         std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

int measure(const bench::Arguments& arguments) {
  const char* root = std::getenv("SMOOTHLAB_DATA");
  const std::string folder = arguments.at(0, std::string(root ? root : "data") + "/imagenet/images");
  if (!fs::is_directory(folder))
    throw DataError("no folder of JPEG images", folder, "name one, or set SMOOTHLAB_DATA");
  const auto most = static_cast<int>(std::strtol(arguments.at(1, "2").c_str(), nullptr, 10));
  const int64_t rounds = std::strtol(arguments.at(2, "5").c_str(), nullptr, 10);
  const Index index(folder);
  data::TaskOptions options;
  options.data = "imagenet";
  options.path = index.path();
  options.channels_last = true;
  options.augment.flip = true;
  options.augment.normalize = "inception";
  const data::Task plain = data::open_task(options, 1);
  options.augment.jitter = 0.4;
  const data::Task jittered = data::open_task(options, 1);
  for (int workers = 1; workers <= most; ++workers)
    for (const auto& [name, task] :
         {std::pair("crop, flip", plain), std::pair("crop, flip, jitter", jittered)}) {
      std::vector<double> rates;
      for (int64_t round = 0; round < rounds; ++round) rates.push_back(images_per_second(task, workers));
      std::sort(rates.begin(), rates.end());
      std::printf("%d %s, %-19s %5.0f images/s (%.0f - %.0f)\n", workers,
                  workers == 1 ? "thread " : "threads", name, rates[rates.size() / 2], rates.front(),
                  rates.back());
    }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return bench::run(argc, argv, measure);
}
