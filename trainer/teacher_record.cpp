#include "trainer/teacher_record.h"

#include <nlohmann/json.hpp>

#include "cluster/error.h"

namespace smoothlab::trainer {
namespace {

using Json = nlohmann::ordered_json;

TeacherRecord record_of(const Json& json) {
  TeacherRecord r;
  r.teacher = json.at("teacher");
  r.model = json.at("model");
  r.step = json.at("step");
  if (!json.at("alpha").is_null()) r.alpha = json.at("alpha").get<double>();
  r.convention = json.at("convention");
  r.digest = json.at("digest");
  r.crc32 = json.value("crc32", 0U);
  r.loss = json.at("loss");
  r.beta = json.at("beta");
  r.temperature = json.at("temperature");
  r.replayed = json.at("replayed");
  r.draws = json.at("draws");
  r.samples = json.at("samples");
  r.gamma = json.at("gamma");
  return r;
}

}  // namespace

std::string teacher_path(const std::string& folder) {
  return folder + "/teacher.json";
}

void write_teacher(cluster::FileSystem& files, const std::string& folder, const TeacherRecord& r) {
  const Json json = {{"teacher", r.teacher},
                     {"model", r.model},
                     {"step", r.step},
                     {"alpha", r.alpha ? Json(*r.alpha) : Json(nullptr)},
                     {"convention", r.convention},
                     {"digest", r.digest},
                     {"crc32", r.crc32},
                     {"loss", r.loss},
                     {"beta", r.beta},
                     {"temperature", r.temperature},
                     {"replayed", r.replayed},
                     {"draws", r.draws},
                     {"samples", r.samples},
                     {"gamma", r.gamma}};
  cluster::write_file_whole(files, teacher_path(folder), json.dump(2) + "\n");
}

std::optional<TeacherRecord> read_teacher_record(const cluster::FileSystem& files,
                                                 const std::string& folder) {
  const std::string path = teacher_path(folder);
  if (!files.exists(path)) return std::nullopt;
  return teacher_record_of(files.read(path), path);
}

TeacherRecord teacher_record_of(const std::string& text, const std::string& path) {
  try {
    return record_of(Json::parse(text));
  } catch (const Json::exception&) {
    throw DataError("this is no record of a teacher, or a damaged one", path,
                    "remove the file and resume the run, which then writes it again");
  }
}

}  // namespace smoothlab::trainer
