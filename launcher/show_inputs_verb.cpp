#include <string_view>

#include "cluster/file_system.h"
#include "eval/output_file.h"
#include "launcher/image_verbs.h"
#include "launcher/options.h"
#include "trainer/input_pictures.h"

namespace smoothlab::launcher {

int show_inputs_verb(const std::vector<std::string>& arguments) {
  Options options(
      "data show RECIPE --out FILE.jpg [--samples A,B] [--epochs N]",
      "Draws what a recipe's network sees of its images: a row a sample, first as it is evaluated,\n"
      "then as it is augmented in the first epochs of training.");
  options.value("out", "FILE", "where the picture goes, a JPEG")
      .value("split", "S", "train, validation or test", "train")
      .value("samples", "A,B", "which of the split, from 0 on; the first six without it")
      .value("epochs", "N", "of training, beside the evaluated image", "7")
      .list("set", "KEY=VALUE", "overrides a key of the recipe");
  if (!options.parse(arguments, 2, 2)) return 0;
  trainer::PictureWish wish;
  wish.split = options.text("split");
  wish.epochs = options.integer("epochs", 0, 100);
  if (options.has("samples"))
    for (const double sample : options.numbers("samples", 0, 1e15))
      wish.samples.push_back(static_cast<int64_t>(sample));
  const std::string out = options.text("out");
  eval::claim_output(out, eval::OutputKind::jpeg);
  const auto recipe = trainer::read_recipe(options.words()[1], options.texts("set"));
  const std::vector<uint8_t> bytes = trainer::input_pictures(recipe, wish);
  cluster::write_file_whole(*cluster::local_file_system(), out,
                            {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return 0;
}

}  // namespace smoothlab::launcher
