#include "eval/logit_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "cluster/error.h"
#include "eval/attribute_value.h"
#include "eval/class_names.h"
#include "eval/row_source.h"
#include "eval/summary_source.h"

namespace smoothlab::eval {
namespace {

herr_t add_name(hid_t, const char* name, const H5L_info_t*, void* names) {
  auto& text = *static_cast<std::string*>(names);
  text += (text.empty() ? "/" : ", /") + std::string(name);
  return 0;
}

/// "/images, /labels": what a file holds, for messages.
std::string contents(hid_t file) {
  std::string names;
  H5Literate(file, H5_INDEX_NAME, H5_ITER_INC, nullptr, add_name, &names);
  return names.empty() ? "nothing" : names;
}

std::string shape_text(const RowSource& rows) {
  return rows.rank() == 2   ? fmt::format("[{}, {}]", rows.rows(), rows.width())
         : rows.rank() == 1 ? fmt::format("[{}]", rows.rows())
                            : fmt::format("of rank {}", rows.rank());
}

/// JSON has no nan, and attributes that others wrote may not be UTF-8.
std::string text_of(const nlohmann::ordered_json& value) {
  return value.is_number_float()
             ? fmt::format("{}", value.get<double>())
             : value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

struct LogitFile::State {
  std::string path;
  std::unique_ptr<SourceFiles> files;
  std::unique_ptr<RowSource> logits, labels, sample_ids, positions, penultimate;
  std::unique_ptr<RowSource> top_classes, rest;  ///< of a compact file, whose logits are the greatest
  std::unique_ptr<SummarySource> summary;        ///< of one, whose logits are the greatest
  int64_t classes = 0;
  bool complete = true;

  hid_t file() const { return files->root()->file(); }

  [[noreturn]] void fail(const std::string& problem, const std::string& remedy) const {
    throw DataError(problem, path, remedy);
  }

  void check_attributes() const {
    const auto schema = attribute_value(file(), "schema"), alpha = attribute_value(file(), "alpha");
    if (!schema.is_null() && !(schema.is_number() && schema == 1))
      fail(fmt::format("its attribute schema is {}; this program reads schema 1", text_of(schema)),
           "take a newer smoothlab; a file of your own needs no such attribute");
    if (!alpha.is_null() && !(alpha.is_number() && alpha >= 0 && alpha <= 1))
      fail(fmt::format("its attribute alpha is {}, which is no number from 0 to 1", text_of(alpha)),
           "store how much smoothing the network was trained with, or leave the attribute out");
  }

  std::unique_ptr<RowSource> open(const std::string& name, RowType type, int rank) {
    auto rows = std::make_unique<RowSource>(files->root(), name, type, *files);
    if (rows->rank() != rank)
      fail(fmt::format("/{} is {}, not {}", name, shape_text(*rows), rank == 2 ? "[rows, values]" : "[rows]"),
           rank == 2 ? "store a row of values a sample" : "store one number a row");
    if (logits && rows->rows() != logits->rows())
      fail(fmt::format("/{} has {} rows and /logits {}", name, rows->rows(), logits->rows()),
           "write both from the same samples");
    return rows;
  }

  bool has(const std::string& name) const {
    if (hdf5_has(file(), name)) return true;
    const std::string target = link_target(file(), name);
    if (target.empty()) return false;
    fail("/" + name + " is a link to " + target + ", where nothing can be read",
         "bring back what it leads to, or store the rows themselves");
  }

  void open_compact(Compact wanted) {
    if (wanted == Compact::refuse)
      fail("the file has the greatest logits of each row only", "give the file that it was made from");
    const auto count = attribute_value(file(), "classes");
    logits = open("top_logits", RowType::float32, 2);
    top_classes = open("top_classes", RowType::int64, 2);
    rest = open("rest_logit", RowType::float32, 1);
    classes = count.is_number_integer() ? count.get<int64_t>() : 0;
    if (top_classes->width() != logits->width() || classes <= logits->width())
      fail(fmt::format("/top_logits is {}, /top_classes {}, and the attribute classes is {}",
                       shape_text(*logits), shape_text(*top_classes), text_of(count)),
           "make the file anew by 'smoothlab logits compact'");
  }

  void open_summary(Summary wanted) {
    if (wanted == Summary::refuse)
      fail("the file is a summary, without the logits that this takes",
           "evaluate again and keep full logits (--keep full, or logits.keep of the recipe)");
    logits = open("top_logits", RowType::float32, 2);
    const auto count = attribute_value(file(), "classes");
    classes = count.is_number_integer() ? count.get<int64_t>() : 0;
    summary = std::make_unique<SummarySource>(*files, classes);
  }

  void read_compact(int64_t first, int64_t count, float* out) const {
    const auto k = static_cast<size_t>(logits->width()), n = static_cast<size_t>(count);
    std::vector<float> top(n * k), others(n);
    std::vector<int64_t> where(n * k);
    logits->read(first, count, top.data());
    top_classes->read(first, count, where.data());
    rest->read(first, count, others.data());
    for (size_t row = 0; row < n; ++row, out += classes) {
      std::fill(out, out + classes, others[row]);
      for (size_t i = row * k; i < (row + 1) * k; ++i) {
        if (where[i] < 0 || where[i] >= classes)
          fail(fmt::format("row {} has class {} of {}", first + static_cast<int64_t>(row), where[i], classes),
               "make the file anew by 'smoothlab logits compact'");
        out[where[i]] = top[i];
      }
    }
  }

  void require(const std::string& name) const {
    if (!has(name))
      fail(fmt::format("there is no /{}; the file has {}", name, contents(file())),
           "a logit file has /logits [N, K] and /labels [N]");
  }
};

LogitFile::LogitFile(const std::string& path, Incomplete incomplete, Compact compact, Summary summary)
    : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.path = path;
  const Hdf5Lock lock;
  s.files = std::make_unique<SourceFiles>(path);
  s.check_attributes();
  s.complete = attribute("complete") != "0";
  if (!s.complete && incomplete == Incomplete::refuse)
    s.fail("the file is not complete: its writer was stopped", "run the evaluation again");
  if (s.has("log_sum_exp") && !s.has("logits")) {
    s.open_summary(summary);
  } else if (s.has("top_logits") && !s.has("logits")) {
    s.open_compact(compact);
  } else {
    s.require("logits");
    s.logits = s.open("logits", RowType::float32, 2);
    s.classes = s.logits->width();
  }
  s.require("labels");
  if (s.logits->rows() == 0) s.fail("/logits has no rows", "evaluate at least one sample");
  if (s.classes < 2)
    s.fail(fmt::format("/logits is {}: a classifier has at least two classes", shape_text(*s.logits)),
           "store one logit for each class");
  s.labels = s.open("labels", RowType::int64, 1);
  if (s.has("sample_id")) s.sample_ids = s.open("sample_id", RowType::int64, 1);
  if (s.has("position")) s.positions = s.open("position", RowType::int64, 1);
  if (s.has("penultimate")) s.penultimate = s.open("penultimate", RowType::float32, 2);
}

LogitFile::~LogitFile() = default;

const std::string& LogitFile::path() const {
  return state_->path;
}
std::vector<std::string> LogitFile::paths() const {
  return state_->files->paths();
}
int64_t LogitFile::rows() const {
  return state_->logits->rows();
}
int64_t LogitFile::classes() const {
  return state_->classes;
}
int64_t LogitFile::kept() const {
  return state_->logits->width();
}
int64_t LogitFile::penultimate() const {
  return state_->penultimate ? state_->penultimate->width() : 0;
}
bool LogitFile::complete() const {
  return state_->complete;
}
bool LogitFile::direct() const {
  const State& s = *state_;
  return s.logits->direct() && (!s.rest || (s.rest->direct() && s.top_classes->direct()));
}

bool LogitFile::has(const std::string& object) const {
  const Hdf5Lock lock;
  return hdf5_has(state_->file(), object);
}

std::string LogitFile::attribute(const std::string& name) const {
  const Hdf5Lock lock;
  return read_attribute(state_->file(), name);
}

nlohmann::ordered_json LogitFile::attributes() const {
  const Hdf5Lock lock;
  return attribute_values(state_->file());
}

bool LogitFile::is_summary() const {
  return state_->summary != nullptr;
}

const std::vector<double>& LogitFile::temperatures() const {
  static const std::vector<double> none;
  return state_->summary ? state_->summary->temperatures() : none;
}

void LogitFile::read_summary(int64_t first, int64_t count, SummaryRows& out) const {
  if (!state_->summary) state_->fail("the file is no summary", "give one that --keep summary made");
  state_->summary->read(first, count, out);
}

void LogitFile::read_logits(int64_t first, int64_t count, float* out) const {
  if (state_->summary) state_->fail("a summary has no logits to read", "evaluate again with --keep full");
  if (state_->rest) return state_->read_compact(first, count, out);
  state_->logits->read(first, count, out);
}

void LogitFile::read_labels(int64_t first, int64_t count, int64_t* out) const {
  state_->labels->read(first, count, out);
}

void LogitFile::read_sample_ids(int64_t first, int64_t count, int64_t* out) const {
  if (state_->sample_ids) return state_->sample_ids->read(first, count, out);
  for (int64_t i = 0; i < count; ++i) out[i] = first + i;
}

void LogitFile::read_positions(int64_t first, int64_t count, int64_t* out) const {
  if (!state_->positions) state_->fail("there is no /position", "only files of translations have positions");
  state_->positions->read(first, count, out);
}

void LogitFile::read_penultimate(int64_t first, int64_t count, float* out) const {
  if (!state_->penultimate)
    state_->fail("there is no /penultimate", "evaluate again and keep the penultimate layer");
  state_->penultimate->read(first, count, out);
}

std::vector<std::string> LogitFile::class_names() const {
  const Hdf5Lock lock;
  return read_class_names(state_->file(), classes(), state_->path);
}

std::pair<std::vector<float>, std::vector<float>> LogitFile::classifier() const {
  const State& s = *state_;
  const Hdf5Lock lock;
  s.require("classifier/weight");
  s.require("classifier/bias");
  const RowSource weight(s.files->root(), "classifier/weight", RowType::float32, *s.files);
  const RowSource bias(s.files->root(), "classifier/bias", RowType::float32, *s.files);
  if (weight.rank() != 2 || weight.rows() != classes() || bias.rank() != 1 || bias.rows() != classes())
    s.fail(fmt::format("/classifier has weight {} and bias {}, but there are {} classes", shape_text(weight),
                       shape_text(bias), classes()),
           "store weight [K, L] and bias [K]");
  std::vector<float> w(static_cast<size_t>(weight.rows() * weight.width())),
      b(static_cast<size_t>(bias.rows()));
  weight.read(0, weight.rows(), w.data());
  bias.read(0, bias.rows(), b.data());
  return {std::move(w), std::move(b)};
}

}  // namespace smoothlab::eval
