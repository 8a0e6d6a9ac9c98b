#include "data/download.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <thread>

#include "cluster/error.h"

namespace smoothlab::data {
namespace {

/// libcurl's own global state wants to be set up once, before the first handle.
void initialise_curl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK)
    throw EnvironmentError(fmt::format("libcurl does not start: {}", curl_easy_strerror(code)), "download",
                           "check the installation of libcurl");
}

/// What the callbacks of one attempt share. Exceptions must not cross libcurl.
struct Attempt {
  cluster::FileSystem* files;
  std::string part;
  int64_t start = 0;  ///< bytes that were there before
  int64_t received = 0;
  std::unique_ptr<cluster::WritableFile> file;
  const DownloadProgress* progress;
  int64_t total = 0;
  std::exception_ptr error;
};

size_t on_data(char* bytes, size_t size, size_t count, void* user) {
  Attempt& attempt = *static_cast<Attempt*>(user);
  try {
    if (!attempt.file) attempt.file = attempt.files->append(attempt.part);
    attempt.file->write(bytes, size * count);
  } catch (...) {
    attempt.error = std::current_exception();
    return 0;
  }
  attempt.received += static_cast<int64_t>(size * count);
  return size * count;
}

int on_progress(void* user, curl_off_t total, curl_off_t now, curl_off_t, curl_off_t) {
  Attempt& attempt = *static_cast<Attempt*>(user);
  if (!*attempt.progress) return 0;
  try {
    const int64_t all = attempt.total ? attempt.total
                        : total > 0   ? attempt.start + static_cast<int64_t>(total)
                                      : 0;
    (*attempt.progress)(attempt.start + static_cast<int64_t>(now), all);
  } catch (...) {
    attempt.error = std::current_exception();
    return 1;
  }
  return 0;
}

void restrict_protocols(CURL* handle) {
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https,file");
  curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS | CURLPROTO_FILE);
  curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
}

enum class Verdict { done, may_pass, start_anew, final };

Verdict judge(CURLcode code, long status) {
  if (code == CURLE_OK) return Verdict::done;
  if (code == CURLE_RANGE_ERROR || code == CURLE_BAD_DOWNLOAD_RESUME || status == 416)
    return Verdict::start_anew;
  switch (code) {
    case CURLE_HTTP_RETURNED_ERROR:
      return status >= 500 || status == 408 || status == 429 ? Verdict::may_pass : Verdict::final;
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return Verdict::may_pass;
    default:
      return Verdict::final;
  }
}

struct Answer {
  Verdict verdict;
  std::string reason;
};

Answer perform(Attempt& attempt, const std::string& url, const DownloadOptions& options) {
  const std::unique_ptr<CURL, void (*)(CURL*)> handle(curl_easy_init(), curl_easy_cleanup);
  if (!handle) throw EnvironmentError("libcurl has no memory", url, "free some memory");
  char message[CURL_ERROR_SIZE] = "";
  CURL* curl = handle.get();
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "smoothlab");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 8L);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(options.connect_seconds));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stall_seconds));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &attempt);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &attempt);
  if (attempt.start)
    curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(attempt.start));
  restrict_protocols(curl);

  const CURLcode code = curl_easy_perform(curl);
  if (attempt.file) {
    attempt.file->sync();
    attempt.file->close();
  }
  if (attempt.error) std::rethrow_exception(attempt.error);
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  const Verdict verdict = judge(code, status);
  if (verdict == Verdict::done) return {verdict, {}};
  return {verdict, message[0] ? message : curl_easy_strerror(code)};
}

}  // namespace

DownloadOutcome download(cluster::FileSystem& files, const std::string& url, const std::string& path,
                         const DownloadOptions& options, const DownloadProgress& progress) {
  initialise_curl();
  const std::string part = path + ".part";
  DownloadOutcome outcome;
  int pause = options.retry_milliseconds;
  bool began_anew = false;
  for (int attempts = 1;;) {
    int64_t there = files.exists(part) ? static_cast<int64_t>(files.size(part)) : 0;
    if (options.bytes && there > options.bytes) {
      files.remove_all(part);
      there = 0;
    }
    if (outcome.received == 0) outcome.resumed = there > 0;
    if (options.bytes && there == options.bytes) return outcome;

    Attempt attempt;
    attempt.files = &files;
    attempt.part = part;
    attempt.start = there;
    attempt.progress = &progress;
    attempt.total = options.bytes;
    Answer answer = perform(attempt, url, options);
    outcome.received += attempt.received;
    if (answer.verdict == Verdict::done) {
      const int64_t has = files.exists(part) ? static_cast<int64_t>(files.size(part)) : 0;
      if (!options.bytes || has == options.bytes) return outcome;
      // A server that ended too early without saying so is asked for the rest.
      answer = {has < options.bytes ? Verdict::may_pass : Verdict::final,
                fmt::format("the server sent {} of {} bytes", has, options.bytes)};
    }
    if (answer.verdict == Verdict::start_anew && there && !began_anew) {
      files.remove_all(part);
      began_anew = true;
      continue;
    }
    outcome.failure = answer.reason;
    if (answer.verdict != Verdict::may_pass || attempts++ >= options.attempts) return outcome;
    std::this_thread::sleep_for(std::chrono::milliseconds(pause));
    pause = std::min(2 * pause, 30000);
    outcome.failure.clear();
  }
}

}  // namespace smoothlab::data
