#pragma once

#include <optional>
#include <string>
#include <vector>

#include "eval/chart.h"
#include "eval/report_claims.h"
#include "eval/report_subject.h"

namespace smoothlab::eval {

/// Students that learnt by one loss from teachers of one network: what fig. 5 is about.
struct Lesson {
  std::string name;                               ///< "ResNet-56 teaches, loss paper"
  std::vector<const DistilledRuns*> of_hard;      ///< of teachers with hard targets, by γ
  std::vector<const DistilledRuns*> of_smoothed;  ///< of smoothed ones at temperature 1, by γ
  std::vector<const DistilledRuns*>
      others;  ///< of smoothed ones at other temperatures, or unknown smoothing: no part of fig. 5
};

/// In the order in which the subject has them. The subject outlives them.
std::vector<Lesson> lessons_of(const ReportSubject& student);

/// The teachers of some students, those among the runs of the report: each once.
std::vector<const ReportRun*> teachers_of(const std::vector<const DistilledRuns*>& students);

/// Fig. 5: accuracy against γ of teachers, students by themselves, students of the hard-target teacher by
/// temperature, and students of smoothed teachers; the mean over seeds with a band from the least to the
/// greatest.
Chart distillation_chart(const ReportSubject& student, const Lesson& lesson);

/// What sec. 4 says of such students.
std::vector<Claim> distillation_claims(const ReportSubject& student, const Lesson& lesson);

/// The figures that sec. 4 prints of MNIST, errors in percent; empty for other data.
std::vector<Beside> distillation_beside_paper(const ReportSubject& student, const Lesson& lesson);

}  // namespace smoothlab::eval
