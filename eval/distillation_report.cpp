#include "eval/distillation_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "eval/paper_results.h"

namespace smoothlab::eval {
namespace {

SeedStatistics accuracy_of(const std::vector<const ReportRun*>& runs) {
  return over_runs(runs, final_accuracy);
}

SeedStatistics error_of(const std::vector<const ReportRun*>& runs) {
  return over_runs(runs, [](const ReportRun& run) -> std::optional<double> {
    const auto accuracy = final_accuracy(run);
    return accuracy ? std::optional(100 - *accuracy) : std::nullopt;
  });
}

/// A point of the chart.
struct Point {
  double gamma = 0;
  SeedStatistics accuracy;
  std::string tip;
};

ChartSeries series_of(const std::string& name, int color, std::vector<Point> points) {
  std::stable_sort(points.begin(), points.end(),
                   [](const Point& a, const Point& b) { return a.gamma < b.gamma; });
  ChartSeries series;
  series.name = name;
  series.color = color;
  const bool several =
      std::any_of(points.begin(), points.end(), [](const Point& point) { return point.accuracy.count > 1; });
  for (const Point& point : points) {
    series.x.push_back(point.gamma);
    series.y.push_back(point.accuracy.mean);
    series.tips.push_back(fmt::format("{}: {} %", point.tip, to_text(point.accuracy, 2)));
    if (!several) continue;
    series.low.push_back(point.accuracy.low);
    series.high.push_back(point.accuracy.high);
  }
  return series;
}

/// Of runs without a teacher, whose γ is their α.
std::vector<Point> by_alpha(const std::map<double, std::vector<const ReportRun*>>& runs) {
  std::vector<Point> points;
  for (const auto& [alpha, of_alpha] : runs)
    if (const auto accuracy = accuracy_of(of_alpha); accuracy.count > 0)
      points.push_back({alpha, accuracy, fmt::format("α = {:g}", alpha)});
  return points;
}

std::vector<Point> by_gamma(const std::vector<const DistilledRuns*>& students, bool temperatures) {
  std::vector<Point> points;
  for (const DistilledRuns* one : students) {
    const auto accuracy = accuracy_of(one->runs);
    if (accuracy.count == 0) continue;
    const double gamma = one->gamma().mean;
    points.push_back(
        {gamma, accuracy,
         temperatures ? fmt::format("T = {:g}, γ = {:.3f}", one->how.temperature, gamma)
                      : fmt::format("teacher's α = {:g}, γ = {:.3f}", one->how.alpha.value_or(0), gamma)});
  }
  return points;
}

/// Runs without a teacher by their α.
std::map<double, std::vector<const ReportRun*>> alone(const ReportSubject& student) {
  std::map<double, std::vector<const ReportRun*>> runs;
  for (const AlphaRuns& smoothing : student.smoothing)
    if (smoothing.convention == "uniform") runs[smoothing.alpha] = smoothing.runs;
  return runs;
}

std::map<double, std::vector<const ReportRun*>> teachers(const Lesson& lesson) {
  std::map<double, std::vector<const ReportRun*>> runs;
  for (const auto* students : {&lesson.of_hard, &lesson.of_smoothed})
    for (const ReportRun* teacher : teachers_of(*students)) {
      auto& of_alpha = runs[teacher->alpha];
      if (std::find(of_alpha.begin(), of_alpha.end(), teacher) == of_alpha.end()) of_alpha.push_back(teacher);
    }
  return runs;
}

/// What has the highest mean accuracy, with its name; the count is 0 where there is nothing.
struct Best {
  SeedStatistics accuracy;
  std::string name;
};

Best best_of(const std::vector<Point>& points) {
  Best best;
  for (const Point& point : points)
    if (best.accuracy.count == 0 || point.accuracy.mean > best.accuracy.mean)
      best = {point.accuracy, point.tip};
  return best;
}

/// `lower` is below `higher`, the best of each.
void add_claim(std::vector<Claim>& claims, const std::string& says, const Best& lower, const Best& higher) {
  if (lower.accuracy.count == 0 || higher.accuracy.count == 0) return;
  claims.push_back({"Fig. 5", says,
                    fmt::format("{}: {} %; {}: {} %", higher.name, to_text(higher.accuracy, 2), lower.name,
                                to_text(lower.accuracy, 2)),
                    is_lower(lower.accuracy, higher.accuracy)});
}

Best named(const std::string& what, Best best) {
  best.name = what + " " + best.name;
  return best;
}

/// Accuracy of students less that of their own teachers, of the kind of students with the highest.
SeedStatistics best_kept(const std::vector<const DistilledRuns*>& students) {
  SeedStatistics best;
  for (const DistilledRuns* one : students) {
    const auto kept = over_runs(one->runs, [](const ReportRun& run) -> std::optional<double> {
      const auto own = final_accuracy(run);
      const auto taught = run.taught->by ? final_accuracy(*run.taught->by) : std::nullopt;
      return own && taught ? std::optional(*own - *taught) : std::nullopt;
    });
    if (kept.count > 0 && (best.count == 0 || kept.mean > best.mean)) best = kept;
  }
  return best;
}

std::vector<Point> smoothed_only(std::vector<Point> points) {
  points.erase(std::remove_if(points.begin(), points.end(), [](const Point& p) { return p.gamma == 0; }),
               points.end());
  return points;
}

std::string shape_value(const ReportRun& run, const std::string& key) {
  for (const auto& [name, value] : run.shape)
    if (name == key) return value;
  return "";
}

bool follow_paper(const std::vector<const ReportRun*>& runs) {
  return std::all_of(runs.begin(), runs.end(),
                     [](const ReportRun* run) { return run->has_paper_recipe && run->differences.empty(); });
}

std::vector<const ReportRun*> runs_of(const std::vector<const DistilledRuns*>& students) {
  std::vector<const ReportRun*> runs;
  for (const DistilledRuns* one : students) runs.insert(runs.end(), one->runs.begin(), one->runs.end());
  return runs;
}

}  // namespace

std::vector<Lesson> lessons_of(const ReportSubject& student) {
  std::vector<Lesson> lessons;
  for (const DistilledRuns& runs : student.distilled) {
    const std::string name = fmt::format(
        "{} teaches, loss {}{}{}", runs.how.model.empty() ? "a file of logits" : people_name(runs.how.model),
        runs.how.loss, runs.how.beta == 1 ? "" : fmt::format(", β = {:g}", runs.how.beta),
        runs.alpha == 0 ? "" : fmt::format(", own α = {:g}", runs.alpha));
    auto found = std::find_if(lessons.begin(), lessons.end(),
                              [&](const Lesson& lesson) { return lesson.name == name; });
    if (found == lessons.end()) found = lessons.insert(found, Lesson{name, {}, {}, {}});
    if (runs.how.alpha && *runs.how.alpha == 0)
      found->of_hard.push_back(&runs);
    else if (runs.how.alpha && runs.how.temperature == 1)
      found->of_smoothed.push_back(&runs);
    else
      found->others.push_back(&runs);
  }
  return lessons;
}

std::vector<const ReportRun*> teachers_of(const std::vector<const DistilledRuns*>& students) {
  std::vector<const ReportRun*> teachers;
  for (const ReportRun* run : runs_of(students)) {
    const ReportRun* by = run->taught->by;
    if (by && by->end && std::find(teachers.begin(), teachers.end(), by) == teachers.end())
      teachers.push_back(by);
  }
  return teachers;
}

Chart distillation_chart(const ReportSubject& student, const Lesson& lesson) {
  Chart chart;
  chart.title = "Accuracy against equivalent smoothing";
  chart.subtitle = lesson.name;
  chart.x.name = "equivalent smoothing γ";
  chart.y.name = "accuracy, %";
  const ChartSeries all[] = {
      series_of("teacher", 0, by_alpha(teachers(lesson))),
      series_of("student without a teacher", 1, by_alpha(alone(student))),
      series_of("student of hard targets, by temperature", 2, by_gamma(lesson.of_hard, true)),
      series_of("student of smoothed targets, T = 1", 3, by_gamma(lesson.of_smoothed, false))};
  for (const ChartSeries& series : all)
    if (!series.x.empty()) chart.series.push_back(series);
  return chart;
}

std::vector<Claim> distillation_claims(const ReportSubject& student, const Lesson& lesson) {
  const auto of_teachers = by_alpha(teachers(lesson));
  const Best baseline = named("no teacher,", best_of(by_alpha(alone(student))));
  const Best of_hard = named("hard teacher,", best_of(by_gamma(lesson.of_hard, true)));
  const Best of_smoothed = best_of(by_gamma(lesson.of_smoothed, false));
  std::vector<Claim> claims;
  add_claim(claims, "students of a hard-target teacher do better than smoothed students without a teacher",
            baseline, of_hard);
  add_claim(claims, "students of smoothed teachers do worse than those of a hard-target teacher", of_smoothed,
            of_hard);
  std::vector<Point> hard_teacher;
  for (const Point& point : of_teachers)
    if (point.gamma == 0) hard_teacher.push_back(point);
  add_claim(claims, "though smoothed teachers are the better ones", named("teacher,", best_of(hard_teacher)),
            named("teacher,", best_of(smoothed_only(of_teachers))));
  // What is left of a teacher's accuracy, student by student, at its best.
  const SeedStatistics hard_kept = best_kept(lesson.of_hard), smoothed_kept = best_kept(lesson.of_smoothed);
  if (hard_kept.count > 0 && smoothed_kept.count > 0)
    claims.push_back({"Sec. 4",
                      "students lose more of a smoothed teacher's accuracy than of a hard-target teacher's",
                      fmt::format("student less teacher: smoothed {} points; hard {} points",
                                  to_text(smoothed_kept, 2), to_text(hard_kept, 2)),
                      is_lower(smoothed_kept, hard_kept)});
  return claims;
}

std::vector<Beside> distillation_beside_paper(const ReportSubject& student, const Lesson& lesson) {
  if (student.task != "mnist" || student.model != "mlp") return {};
  std::vector<Beside> rows;
  const auto add = [&](const std::string& what, double teacher_error, double student_error,
                       const std::vector<const DistilledRuns*>& students, bool dropout) {
    std::vector<const DistilledRuns*> fitting;
    for (const DistilledRuns* one : students)
      if (one->how.by && (shape_value(*one->how.by, "model.dropout") != "0") == dropout)
        fitting.push_back(one);
    const auto teaching = teachers_of(fitting), taught = runs_of(fitting);
    rows.push_back(beside("error of the teacher in %, " + what, teacher_error, std::nullopt,
                          error_of(teaching), 2, 2, follow_paper(teaching)));
    rows.push_back(beside("error of its student in %, " + what, student_error, std::nullopt, error_of(taught),
                          2, 2, follow_paper(taught)));
  };
  add("hard targets and dropout", 0.67, 0.74, lesson.of_hard, true);
  add("label smoothing", 0.59, 0.91, lesson.of_smoothed, false);
  return rows;
}

}  // namespace smoothlab::eval
