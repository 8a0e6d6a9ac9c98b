#include "eval/report_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "cluster/duration.h"
#include "data/task.h"
#include "eval/distillation_report.h"
#include "eval/markup.h"
#include "eval/page.h"
#include "eval/paper_results.h"
#include "eval/reliability_figure.h"
#include "eval/reliability_svg.h"
#include "eval/report_charts.h"
#include "eval/report_claims.h"
#include "eval/report_subject.h"
#include "eval/sweep_claims.h"

namespace smoothlab::eval {
namespace {

std::string badge(Verdict verdict, const std::string& text) {
  const char* kind = verdict == Verdict::holds ? "yes" : verdict == Verdict::fails ? "no" : "open";
  return fmt::format("<span class=\"badge {}\">{}</span>", kind, escape_markup(text));
}

std::string verdict_text(Verdict verdict) {
  return verdict == Verdict::holds ? "yes" : verdict == Verdict::fails ? "no" : "too close to tell";
}

std::string paragraph(const std::string& text, const char* kind = "") {
  return fmt::format("<p{}>{}</p>\n", *kind ? fmt::format(" class=\"{}\"", kind) : "", escape_markup(text));
}

/// Figures of a page are numbered, as their ids must differ.
class Figures {
 public:
  std::string chart(const Chart& chart) { return chart_figure(chart, next()); }
  std::string reliability(const ReliabilityPanel& panel) {
    return fmt::format("<figure><figcaption><b>{}</b><span class=\"soft\">{}</span></figcaption>\n",
                       escape_markup(panel.title), escape_markup(panel.subtitle)) +
           reliability_svg(panel, next()) + "</figure>\n";
  }

 private:
  std::string next() { return fmt::format("figure-{}", count_++); }
  int count_ = 0;
};

std::string grid(const std::string& figures, const char* kind = "diagrams") {
  return figures.empty() ? "" : fmt::format("<div class=\"{}\">\n", kind) + figures + "</div>\n";
}

std::string claims_table(const std::vector<Claim>& claims) {
  std::string rows;
  for (const Claim& claim : claims)
    rows += "<tr><td class=\"text\">" + escape_markup(claim.says) + "<span class=\"soft\">" +
            escape_markup(claim.where) + "</span></td><td class=\"text\">" + escape_markup(claim.measured) +
            "</td>" + page_cell(badge(claim.verdict, verdict_text(claim.verdict))) + "</tr>\n";
  if (rows.empty()) return "";
  return "<h3>What the paper says, and what these runs say</h3>\n" +
         page_table({"the paper", "here", "holds"}, rows, "claims");
}

std::string beside_table(const std::vector<Beside>& figures) {
  std::string rows;
  for (const Beside& row : figures)
    rows += "<tr><td class=\"text\">" + escape_markup(row.what) + "</td>" + page_cell(row.paper) +
            page_cell(row.here) + page_cell(badge(row.verdict, row.text)) + "</tr>\n";
  if (rows.empty()) return "";
  return "<h3>Figures of the paper</h3>\n" + page_table({"figure", "paper", "here", "verdict"}, rows);
}

std::string statistics_cell(const SeedStatistics& s, int digits) {
  if (s.count == 0) return page_cell("–");
  if (s.count == 1) return page_cell(fmt::format("{:.{}f}", s.mean, digits));
  return fmt::format(
      "<td title=\"{0:.{4}f} to {1:.{4}f}\">{2:.{4}f}<span class=\"soft\">± {3:.{4}f}</span></td>", s.low,
      s.high, s.mean, s.deviation, digits);
}

std::string smoothing_row(const AlphaRuns& smoothing) {
  const auto cell = [&](int digits, const auto& figure) {
    return statistics_cell(over_runs(smoothing, figure), digits);
  };
  return "<tr>" + page_cell(smoothing.title()) + page_cell(std::to_string(smoothing.runs.size())) +
         cell(2, final_accuracy) + cell(4, final_nll) + cell(4, calibration_error) + cell(4, scaled_error) +
         cell(2, fitted_temperature) + "</tr>\n";
}

/// Where figures are not of what curves and the table of runs show.
std::string other_split(const ReportSubject& subject) {
  for (const AlphaRuns& smoothing : subject.smoothing)
    for (const ReportRun* run : smoothing.runs)
      if (judged_elsewhere(*run))
        return paragraph(
            fmt::format("Figures of final logits are of split {}, on which the paper's are; curves and "
                        "the table of runs are of what was evaluated while training.",
                        stated(run->calibration->origin, "split")),
            "soft");
  return "";
}

std::string smoothing_table(const ReportSubject& subject) {
  if (subject.smoothing.empty()) return "";
  std::string rows;
  for (const AlphaRuns& smoothing : subject.smoothing) rows += smoothing_row(smoothing);
  return "<h3>By label smoothing</h3>\n" +
         page_table({"", "runs", "accuracy, %", "NLL, nats", "ECE", "ECE, scaled", "T"}, rows) +
         "<p class=\"soft\">Means over runs that differ in their seed alone, ± the standard deviation of the "
         "sample; hovering shows the least and the greatest. Scaled: at the temperature T fitted to the same rows.</p>\n" +
         other_split(subject);
}

std::string reliability_part(const ReportSubject& subject, Figures& figures) {
  std::string html;
  const auto add = [&](const AlphaRuns* smoothing, bool scaled) {
    if (!smoothing) return;
    const auto judged = std::find_if(smoothing->runs.begin(), smoothing->runs.end(),
                                     [](const ReportRun* run) { return run->calibration.has_value(); });
    if (judged == smoothing->runs.end()) return;
    for (ReliabilityPanel panel : reliability_panels(*(*judged)->calibration)) {
      panel.title = smoothing->title() + ", " + panel.title;
      html += figures.reliability(panel);
      if (!scaled) break;
    }
  };
  add(subject.hard(), true);
  for (const AlphaRuns& smoothing : subject.smoothing)
    if (smoothing.alpha > 0) add(&smoothing, false);
  if (html.empty()) return "";
  return fmt::format("<h3>Reliability (fig. {})</h3>\n", data::is_text(subject.task) ? 3 : 2) +
         "<p class=\"soft\">Accuracy of the answers given with about the same "
         "confidence, of the first seed whose logits were kept. Below the dashed line the network claims more than it knows.</p>\n" +
         grid(html);
}

std::string sweep_part(const ReportSubject& subject, Figures& figures) {
  std::string html;
  for (const Chart& chart : subject_sweep_charts(subject)) html += figures.chart(chart);
  if (html.empty()) return "";
  const TemperatureSweep* one = nullptr;
  for (const AlphaRuns& smoothing : subject.smoothing)
    for (const ReportRun* run : smoothing.runs)
      if (run->sweep && !one) one = &*run->sweep;
  return "<h3>Temperature (fig. 4)</h3>\n" +
         paragraph(
             fmt::format("Logits divided by a temperature, in the beam search (beam {}, length penalty "
                         "{:g}) and in the probabilities of the next token, teacher-forced; {} split, {} "
                         "sentences. Bands are from the least to the greatest seed. {}",
                         one->origin.beam, one->origin.length_penalty, one->origin.split, one->sentences,
                         one->lowercase_signature),
             "soft") +
         grid(html, "diagrams pairs");
}

std::string projection_part(const ReportSubject& subject, Figures& figures) {
  const auto groups = projection_charts(subject);
  if (groups.empty()) return "";
  std::string html;
  for (const ProjectionCharts& group : groups) {
    if (groups.size() > 1) html += "<h4>" + escape_markup(group.classes) + "</h4>\n";
    std::string charts;
    for (const Chart& chart : group.charts) charts += figures.chart(chart);
    html += grid(charts, "diagrams pairs");
  }
  return fmt::format("<h3>Penultimate projections (fig. {})</h3>\n", data::is_text(subject.task) ? 7 : 1) +
         "<p class=\"soft\">Penultimate activations of three classes "
         "on the plane through their templates, of the first seed that kept them. Dashed: where two of the classes have equal "
         "logits. Spread: distance to the class's mean over the distance between the means. Regularity: 1 for "
         "an equilateral triangle of the means.</p>\n" +
         html;
}

std::string training_part(const ReportSubject& subject, Figures& figures) {
  std::string html;
  for (const Chart& chart : training_charts(subject)) html += figures.chart(chart);
  return html.empty() ? "" : "<h3>Training</h3>\n" + grid(html, "diagrams pairs");
}

std::string information_part(const ReportSubject& subject, Figures& figures) {
  const auto chart = information_chart(subject);
  if (!chart) return "";
  const MutualInformation* one = nullptr;
  for (const AlphaRuns& smoothing : subject.smoothing)
    for (const ReportRun* run : smoothing.runs)
      if (!run->information.empty()) one = &run->information.back().estimate;
  return "<h3>Mutual information (fig. 6)</h3>\n" +
         paragraph(fmt::format(
                       "Between the index of a training example, one of {}, and the difference of two logits "
                       "under {} draws of the augmentation. Where an example cannot be told from others "
                       "of its class the estimate is about log 2 + {:.2f} nats, the second part being its "
                       "own error with so few draws.",
                       one->examples, one->draws, one->floor),
                   "soft") +
         grid(figures.chart(*chart), "diagrams pairs");
}

std::string distilled_row(const DistilledRuns& students) {
  return "<tr>" + page_cell(students.how.alpha ? fmt::format("α = {:g}", *students.how.alpha) : "α unknown") +
         page_cell(fmt::format("{:g}", students.how.temperature)) + statistics_cell(students.gamma(), 4) +
         page_cell(std::to_string(students.runs.size())) +
         statistics_cell(over_runs(students.runs, final_accuracy), 2) +
         statistics_cell(over_runs(students.runs, calibration_error), 4) + "</tr>\n";
}

std::string distillation_part(const ReportSubject& subject, Figures& figures) {
  std::string html;
  for (const Lesson& lesson : lessons_of(subject)) {
    html += "<h3>Distillation (sec. 4): " + escape_markup(lesson.name) + "</h3>\n";
    html += claims_table(distillation_claims(subject, lesson)) +
            beside_table(distillation_beside_paper(subject, lesson));
    html += paragraph(
        "γ, the label smoothing that the teacher's outputs come to, is its mean mass off the true class "
        "over the training split, at the temperature T.",
        "soft");
    std::string rows;
    for (const auto* students : {&lesson.of_hard, &lesson.of_smoothed, &lesson.others})
      for (const DistilledRuns* one : *students) rows += distilled_row(*one);
    html += page_table({"teacher", "T", "γ", "students", "accuracy, %", "ECE"}, rows) +
            paragraph(
                "Of students without a teacher, and of teachers, γ is their α. Bands are from the least "
                "to the greatest seed.",
                "soft");
    html += grid(figures.chart(distillation_chart(subject, lesson)), "diagrams pairs");
  }
  return html;
}

std::string differences_part(const ReportSubject& subject) {
  std::set<std::string> seen;
  std::vector<std::string> differences;
  bool known = false;
  for (const AlphaRuns& smoothing : subject.smoothing)
    for (const ReportRun* run : smoothing.runs) {
      known = known || run->has_paper_recipe;
      for (const std::string& difference : run->differences)
        if (seen.insert(difference).second) differences.push_back(difference + ".");
    }
  if (!known) return "";
  if (differences.empty()) return paragraph("The recipe is the paper's.", "soft");
  return "<h3>Where the recipe is not the paper's</h3>\n" + page_notes(differences);
}

std::vector<Claim> all_claims(const ReportSubject& subject) {
  auto claims = claims_about(subject);
  for (Claim& claim : sweep_claims(subject)) claims.push_back(std::move(claim));
  return claims;
}

std::string subject_section(const ReportSubject& subject, Figures& figures) {
  std::string html = "<section>\n<h2>" + escape_markup(subject.name) + "</h2>\n";
  html += claims_table(all_claims(subject)) + beside_table(beside_paper(subject)) + smoothing_table(subject);
  html += distillation_part(subject, figures);
  html += reliability_part(subject, figures) + sweep_part(subject, figures) +
          projection_part(subject, figures) + information_part(subject, figures) +
          training_part(subject, figures) + differences_part(subject);
  if (!subject.unfinished.empty())
    html += paragraph(
        fmt::format("Not ended and not in these figures: {} of its runs.", subject.unfinished.size()),
        "soft");
  for (const ReportRun* run : subject.repeated)
    html += paragraph(run->name + " has the recipe and the seed of another run and is not counted again.",
                      "soft");
  return html + "</section>\n";
}

std::string run_row(const ReportRun& run) {
  std::string html = "<tr>" + page_cell(escape_markup(run.name)) +
                     page_cell(run.taught && run.taught->beta == 1 ? "–" : fmt::format("{:g}", run.alpha)) +
                     page_cell(std::to_string(run.seed));
  if (!run.end) {
    const int64_t step = run.training.empty() ? 0 : run.training.back().step;
    return html + fmt::format("<td colspan=\"6\">not ended, step {} was its last line</td></tr>\n", step);
  }
  const ReportRun::End& end = *run.end;
  html += end.best.empty()
              ? page_cell(std::to_string(end.step))
              : page_cell(fmt::format("{} of {}", end.best_step, end.step), "the best by " + end.best);
  if (const auto* judged = run.judged_by())
    html += page_cell(fmt::format("{:.2f}", 100 * judged->accuracy), judged->split) +
            page_cell(fmt::format("{:.4f}", judged->nll)) + page_cell(fmt::format("{:.4f}", judged->ece));
  else
    html += page_cell("–") + page_cell("–") + page_cell("–");
  return html + page_cell(cluster::duration_text(run.end->seconds)) +
         page_cell(fmt::format("{:.0f}", run.end->samples_per_second)) + "</tr>\n";
}

std::string runs_part(const std::vector<ReportRun>& runs) {
  std::string rows;
  std::vector<std::string> problems;
  for (const ReportRun& run : runs) {
    if (!run.unreadable) rows += run_row(run);
    for (const std::string& problem : run.problems) problems.push_back(run.name + ": " + problem);
  }
  return "<section>\n<h2>Runs</h2>\n" +
         page_table({"run", "α", "seed", "steps", "accuracy, %", "NLL", "ECE", "training", "samples/s"},
                    rows) +
         page_notes(problems) + "</section>\n";
}

/// "2 runs: AMD EPYC, 2 ranks of 1 thread, bf16, …", one line for each kind of machine.
std::string environment_part(const std::vector<ReportRun>& runs) {
  std::map<std::string, int> kinds;
  for (const ReportRun& run : runs)
    if (run.end)
      ++kinds[fmt::format("{} ({}), {} rank{} of {} thread{}, {}; smoothlab {}, {}",
                          run.end->processor.empty() ? "unknown processor" : run.end->processor,
                          run.end->device, run.end->ranks, run.end->ranks == 1 ? "" : "s", run.end->threads,
                          run.end->threads == 1 ? "" : "s", run.end->precision, run.end->program,
                          run.end->torch)];
  std::vector<std::string> lines;
  for (const auto& [kind, count] : kinds)
    lines.push_back(fmt::format("{} run{}: {}", count, count == 1 ? "" : "s", kind));
  return lines.empty() ? "" : "<section>\n<h2>Machines</h2>\n" + page_notes(lines) + "</section>\n";
}

}  // namespace

std::string report_page(const std::string& title, const std::vector<ReportRun>& runs) {
  Figures figures;
  std::string body = paragraph(fmt::format(
      "{} run{}. What label smoothing did, beside what Müller, Kornblith and Hinton (2019) report.",
      runs.size(), runs.size() == 1 ? "" : "s"));
  for (const ReportSubject& subject : report_subjects(runs)) body += subject_section(subject, figures);
  body += runs_part(runs) + environment_part(runs);
  return page_document(title, body);
}

}  // namespace smoothlab::eval
