#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/part_scan.h"
#include "data/scan_journal.h"

namespace smoothlab::data {

struct ScanProgress {
  std::string stage;             ///< "train"
  int64_t images = 0;            ///< found by this command
  int64_t parts = 0, total = 0;  ///< scanned, now or by an earlier command; of all
};
using ScanCallback = std::function<void(const ScanProgress&)>;

struct ScanResult {
  std::vector<ScannedPart> parts;  ///< as in the source
  int64_t resumed = 0;             ///< parts that the journal had
};

/// Scans every part of a source that the journal has not, several at a time. `progress` is called by the
/// calling thread, several times a second. Throws as scan_part and ScanJournal do, the first error of any
/// part; parts that were done stay in the journal.
ScanResult scan_images(const ImageSource& source, const std::string& stage, ScanJournal& journal,
                       const ScanCallback& progress = {});

}  // namespace smoothlab::data
