#include <unistd.h>

#include <csignal>
#include <iostream>
#include <iterator>
#include <sstream>

#include <pade/core/error.h>
#include <pade/core/io/folder_lock.h>
#include <pade/data/fetch.h>
#include <pade/data/process.h>

namespace pade::data {
namespace {

namespace fs = std::filesystem;

std::string md5_of(const fs::path& path) {
  const ProcessResult result = run_program({"md5sum", "--", path.string()});
  check(result.exit_code == 0, "md5sum cannot read ", path.string());
  // A backslash in front says that the file's name is escaped in what follows.
  return result.output.substr(result.output.starts_with('\\') ? 1 : 0, 32);
}

bool has_sum(const fs::path& path, const std::string& md5) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && md5_of(path) == md5;
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

/// How a download ended: as it should; the server said no, also to going on in the middle; or the
/// connection did not last, and there may be more another time.
enum class Outcome { complete, refused, broken };

/// Goes on where `part` ends.
Outcome download(const std::string& url, const fs::path& part) {
  const bool on_terminal = isatty(STDERR_FILENO);
  const bool curl = has_program("curl");
  check(
      curl || has_program("wget"),
      "fetching takes curl or wget, and neither is installed; for instance: apt-get install curl");
  std::vector<std::string> command =
      curl ? words(
                 "curl --fail --location --proto =http,https --globoff --connect-timeout 20 "
                 "--speed-time 60 --speed-limit 1 --show-error --continue-at -")
           : words("wget --continue --tries=1 --timeout=60");
  if (curl)
    command.insert(command.end(), {on_terminal ? "--progress-bar" : "--silent", "--output",
                                   part.string(), "--url", url});
  else
    command.insert(command.end(), {on_terminal ? "--show-progress" : "--no-verbose",
                                   "--output-document=" + part.string(), "--", url});
  const int code = run_program(command).exit_code;
  check(code != 128 + SIGINT, "fetching was interrupted; run it again to go on");
  if (code == 0) return Outcome::complete;
  const bool refused = curl ? code == 22 || code == 33 || code == 36 : code == 1 || code == 8;
  return refused ? Outcome::refused : Outcome::broken;
}

/// Downloads what `part` lacks. Returns what went wrong; nothing when all is well.
std::string try_server(const std::string& url, const fs::path& part, const std::string& md5) {
  std::error_code ignored;
  const bool resumes = fs::exists(part, ignored) && fs::file_size(part, ignored) > 0;
  const Outcome outcome = download(url, part);
  if (outcome == Outcome::complete && has_sum(part, md5)) return "";
  if (outcome == Outcome::broken) return "did not arrive";
  fs::remove(part, ignored);
  if (resumes) return try_server(url, part, md5);  // this time from the beginning
  return outcome == Outcome::refused ? "was refused" : "has the wrong checksum";
}

}  // namespace

void fetch(const RemoteFile& file, const std::vector<std::string>& base_urls,
           const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  check(!error, "cannot make the folder ", folder.string(), ": ", error.message());
  const fs::path final_path = folder / file.name;
  const fs::path part = folder / (file.name + ".part");
  const FolderLock lock(folder);
  if (fs::exists(final_path, error)) return;

  const auto accept = [&] {
    fs::rename(part, final_path, error);
    check(!error, "cannot rename ", part.string(), ": ", error.message());
  };
  if (has_sum(part, file.md5)) return accept();

  std::string problems;
  for (const std::string& base : base_urls) {
    const std::string url = base + (base.ends_with('/') ? "" : "/") + file.name;
    std::cerr << "Fetching " << url << std::endl;
    const std::string problem = try_server(url, part, file.md5);
    if (problem.empty()) return accept();
    problems += "\n  " + url + ' ' + problem;
  }
  fail("cannot fetch ", file.name, ":", problems);
}

}  // namespace pade::data
