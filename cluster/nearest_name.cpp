#include "cluster/nearest_name.h"

#include <algorithm>

namespace smoothlab {
namespace {

// Optimal string alignment distance.
size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i)
    for (size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

}  // namespace

std::string nearest_name(const std::string& written, const std::vector<std::string>& known) {
  // What is only begun, as of an option, is nearer than what has as many letters.
  const auto begun = [&](const std::string& name) { return name.compare(0, written.size(), written) == 0; };
  if (written.size() > 3 && std::count_if(known.begin(), known.end(), begun) == 1)
    return *std::find_if(known.begin(), known.end(), begun);
  std::string best;
  size_t best_distance = std::max<size_t>(2, written.size() / 3) + 1;
  for (const auto& name : known) {
    const size_t d = distance(written, name);
    if (d < best_distance) {
      best_distance = d;
      best = name;
    }
  }
  return best;
}

std::string suggest_name(const std::string& written, const std::vector<std::string>& known) {
  const std::string nearest = nearest_name(written, known);
  if (!nearest.empty()) return "did you mean '" + nearest + "'?";
  std::string list;
  for (const auto& name : known) list += (list.empty() ? "" : ", ") + name;
  return "use one of: " + list;
}

}  // namespace smoothlab
