#include "data/piece_library.h"

#include <dlfcn.h>

#include <filesystem>
#include <system_error>

#include "cluster/error.h"

namespace smoothlab::data {
namespace {

// Sanitizers refuse RTLD_DEEPBIND, which hides their own functions.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int binding = RTLD_NOW | RTLD_LOCAL;
#else
constexpr int binding = RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND;
#endif

constexpr const char* remedy = "install libsentencepiece-dev and build again (./run build)";

const smoothlab_pieces_entries& open() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::string path = (program.parent_path() / "smoothlab_pieces.so").string();
  if (!std::filesystem::exists(path, error))
    throw EnvironmentError("SentencePiece is missing: this program was built without it", path, remedy);
  void* library = dlopen(path.c_str(), binding);
  if (!library) {
    const char* reason = dlerror();
    throw EnvironmentError(std::string("cannot open SentencePiece: ") + (reason ? reason : "no reason given"),
                           path, remedy);
  }
  const auto entry =
      reinterpret_cast<decltype(&smoothlab_pieces_open)>(dlsym(library, "smoothlab_pieces_open"));
  if (!entry || entry()->version != SMOOTHLAB_PIECES_INTERFACE)
    throw EnvironmentError("this file belongs to another build of the program", path,
                           "build again (./run build)");
  return *entry();
}

}  // namespace

const smoothlab_pieces_entries& piece_library() {
  static const smoothlab_pieces_entries& entries = open();
  return entries;
}

std::string sentencepiece_version() {
  try {
    return piece_library().sentencepiece;
  } catch (const Error&) {
    return "";
  }
}

}  // namespace smoothlab::data
