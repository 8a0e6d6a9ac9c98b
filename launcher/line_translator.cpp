#include "launcher/line_translator.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "eval/packed_values.h"
#include "trainer/rank_agreement.h"

namespace smoothlab::launcher {
namespace {

using Clock = std::chrono::steady_clock;

/// Lines as the network takes them, on every rank.
struct EncodedWindow {
  bool last = false;
  models::SourceSentences sources;
  std::vector<int64_t> numbers;  ///< of their lines: the sentences' ids

  std::string packed() const {
    eval::PackedValues values;
    values.put(static_cast<int64_t>(last ? 1 : 0));
    values.put_all(sources.tokens);
    values.put_all(sources.offsets);
    values.put_all(numbers);
    return values.text();
  }
  static EncodedWindow unpacked(const std::string& text) {
    eval::PackedValuesReader values(text);
    EncodedWindow window;
    window.last = values.get<int64_t>() != 0;
    window.sources.tokens = values.get_all<int32_t>();
    window.sources.offsets = values.get_all<int64_t>();
    window.numbers = values.get_all<int64_t>();
    return window;
  }
};

/// "1200 lines, 85 sentences/s, 2100 tokens/s": while the network works, not while lines are awaited.
class Speed {
 public:
  void add(int64_t lines, int64_t sentences, int64_t tokens, Clock::duration time) {
    lines_ += lines;
    sentences_ += sentences;
    tokens_ += tokens;
    time_ += time;
  }
  /// more: sentences that are done but not added yet, within `time`.
  std::string text(int64_t more = 0, Clock::duration time = {}) const {
    const double seconds = std::chrono::duration<double>(time_ + time).count();
    const int64_t lines = lines_ + more;
    std::string line = fmt::format("{} {} translated", lines, lines == 1 ? "line" : "lines");
    if (seconds <= 0) return line;
    line += fmt::format(", {:.1f} sentences/s", static_cast<double>(sentences_ + more) / seconds);
    if (tokens_ > 0)
      line += fmt::format(", {:.0f} tokens/s",
                          static_cast<double>(tokens_) / std::chrono::duration<double>(time_).count());
    return line;
  }
  bool any() const { return lines_ > 0; }

 private:
  int64_t lines_ = 0, sentences_ = 0, tokens_ = 0;
  Clock::duration time_{};
};

/// Limits of one window after the other.
class WindowSizes {
 public:
  WindowSizes(const LineTranslation& translation, size_t ranks)
      : limits_(translation.window), most_(limits_.lines * ranks) {
    limits_.bytes *= ranks;
    limits_.lines = std::min(most_, translation.first_lines * ranks);
  }
  LineLimits next() {
    const LineLimits now = limits_;
    limits_.lines = std::min(most_, 2 * limits_.lines);
    return now;
  }

 private:
  LineLimits limits_;
  size_t most_;
};

/// What rank 0 alone does.
class Desk {
 public:
  Desk(const LineTranslation& translation, const TextCoding& coding, cluster::Log& log)
      : translation_(translation), coding_(coding), log_(log), lines_(translation.path) {}

  EncodedWindow read(const LineLimits& limits) {
    const LineWindow window = lines_.next(limits);
    EncodedWindow encoded;
    encoded.last = window.last;
    open_.clear();
    for (size_t i = 0; i < window.lines.size(); ++i) {
      TranslatedLine line;
      line.number = window.first + static_cast<int64_t>(i);
      line.source = window.lines[i];
      const std::vector<int32_t> tokens = coding_.encode(line.source);
      line.source_tokens = static_cast<int64_t>(tokens.size());
      line.too_long = line.source_tokens > translation_.longest_source;
      if (line.too_long)
        log_.warning(
            "line {} has {} tokens, more than {}: left untranslated, its line of the output is empty; split "
            "it, or raise --longest-source",
            line.number, line.source_tokens, translation_.longest_source);
      if (!tokens.empty() && !line.too_long) add(tokens, line.number, encoded);
      open_.push_back(std::move(line));
    }
    return encoded;
  }

  /// found: of the sentences that read() gave. Returns what is to be printed.
  std::string finish(const EncodedWindow& window, const std::vector<std::vector<eval::Hypothesis>>& found,
                     Clock::duration time) {
    std::string out;
    size_t next = 0;
    int64_t tokens = 0;
    for (TranslatedLine& line : open_) {
      if (next < found.size() && window.numbers[next] == line.number) {
        for (const eval::Hypothesis& one : found[next])
          line.translations.push_back({coding_.decode(one.tokens), one.score, one.log_probability,
                                       static_cast<int64_t>(one.tokens.size()), one.cut});
        if (!found[next].empty()) tokens += static_cast<int64_t>(found[next][0].tokens.size()) + 1;
        ++next;
      }
      out += printed(line, translation_.format);
    }
    speed_.add(static_cast<int64_t>(open_.size()), window.sources.size(), tokens, time);
    return out;
  }

  const Speed& speed() const { return speed_; }

 private:
  void add(const std::vector<int32_t>& tokens, int64_t number, EncodedWindow& encoded) const {
    auto& all = encoded.sources.tokens;
    all.insert(all.end(), tokens.begin(), tokens.end());
    all.push_back(translation_.source.special.end);
    encoded.sources.offsets.push_back(static_cast<int64_t>(all.size()));
    encoded.numbers.push_back(number);
  }

  const LineTranslation& translation_;
  const TextCoding& coding_;
  cluster::Log& log_;
  LineSource lines_;
  std::vector<TranslatedLine> open_;  ///< read, not printed
  Speed speed_;
};

}  // namespace

void translate_lines(models::TranslationNetwork& network, const LineTranslation& translation,
                     const TextCoding& coding, cluster::Communicator& communicator, cluster::Log& log,
                     const std::function<void(const std::string&)>& print) {
  std::optional<Desk> desk;
  trainer::on_root(communicator, [&] { desk.emplace(translation, coding, log); });
  WindowSizes sizes(translation, static_cast<size_t>(communicator.size()));
  for (bool last = false; !last;) {
    // Ranks that wait for long are taken to be lost: where no line comes, they are told so.
    const LineLimits limits = sizes.next();
    EncodedWindow window = EncodedWindow::unpacked(
        trainer::text_from_root(communicator, [&] { return desk->read(limits).packed(); }));
    last = window.last;
    const auto start = Clock::now();
    eval::TranslationOptions how = translation.how;
    if (desk) {
      if (desk->speed().any() && window.sources.size() > 0) log.progress(desk->speed().text());
      how.progress = [&](int64_t done, int64_t all) {
        if (done == all) return;  // said with the next window, or at the end
        const auto share = static_cast<double>(done) / static_cast<double>(all);
        log.progress(desk->speed().text(
            static_cast<int64_t>(share * static_cast<double>(window.sources.size())), Clock::now() - start));
      };
    }
    const auto found =
        eval::translate(network, window.sources, window.numbers, translation.target, how, communicator);
    trainer::on_root(communicator, [&] {
      const std::string out = desk->finish(window, found, Clock::now() - start);
      if (!out.empty()) print(out);
    });
  }
  log.progress_done();
  if (desk) log.info("{}", desk->speed().text());
}

}  // namespace smoothlab::launcher
