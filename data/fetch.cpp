#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <iterator>
#include <memory>
#include <sstream>

#include <pade/core/error.h>
#include <pade/core/io/folder_lock.h>
#include <pade/data/fetch.h>
#include <pade/data/process.h>

namespace pade::data {
namespace {

namespace fs = std::filesystem;

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  check(!error, "cannot make the folder ", folder.string(), ": ", error.message());
}

void move_to(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  check(!error, "cannot rename ", from.string(), " to ", to.string(), ": ", error.message());
}

bool has_sum(const fs::path& path, const std::string& sum) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return false;
  const std::string program = sum.size() == 64 ? "sha256sum" : "md5sum";
  const ProcessResult result = run_program({program, "--", path.string()});
  check(result.exit_code == 0, program, " cannot read ", path.string());
  // A backslash in front says that the file's name is escaped in what follows.
  return result.output.substr(result.output.starts_with('\\') ? 1 : 0).starts_with(sum + ' ');
}

/// The program that completes `part`, and its arguments.
std::vector<std::string> download_command(const std::string& url, const std::string& part) {
  const bool on_terminal = isatty(STDERR_FILENO), curl = has_program("curl");
  check(
      curl || has_program("wget"),
      "fetching takes curl or wget, and neither is installed; for instance: apt-get install curl");
  std::istringstream words(
      curl ? "curl --fail --location --proto =http,https --globoff --connect-timeout 20 "
             "--speed-time 60 --speed-limit 1 --show-error --continue-at - --output"
           : "wget --continue --tries=1 --timeout=60 -O");
  using Words = std::istream_iterator<std::string>;
  std::vector<std::string> command(Words(words), Words{});
  const char* progress = curl ? (on_terminal ? "--progress-bar" : "--silent")
                              : (on_terminal ? "--show-progress" : "--no-verbose");
  command.insert(command.end(), {part, progress, curl ? "--url" : "--", url});
  return command;
}

/// Completes `part` from one server. Returns what went wrong; nothing when all is well.
std::string try_server(const std::string& url, const fs::path& part, const std::string& sum) {
  std::error_code ignored;
  const bool resumes = fs::exists(part, ignored) && fs::file_size(part, ignored) > 0;
  const std::vector<std::string> command = download_command(url, part.string());
  const int code = run_program(command).exit_code;
  check(code != 128 + SIGINT, "fetching was interrupted; run it again to go on");
  if (code == 0 && has_sum(part, sum)) return "";
  // A server that refuses has no more, also when it only does not go on in the middle; a broken
  // connection may bring more another time.
  const bool refused =
      command[0] == "curl" ? code == 22 || code == 33 || code == 36 : code == 1 || code == 8;
  if (code != 0 && !refused) return "did not arrive";
  fs::remove(part, ignored);
  if (resumes) return try_server(url, part, sum);  // this time from the beginning
  return refused ? "was refused" : "has the wrong checksum";
}

/// Does what fetch() does, in a folder that is there and locked.
void fetch_into(const fs::path& folder, const RemoteFile& file,
                const std::vector<std::string>& base_urls) {
  const fs::path final_path = folder / file.name, part = folder / (file.name + ".part");
  std::error_code ignored;
  if (fs::exists(final_path, ignored)) return;
  if (has_sum(part, file.sum)) return move_to(part, final_path);
  std::string problems;
  for (const std::string& base : base_urls) {
    const std::string url = base + (base.ends_with('/') ? "" : "/") + file.name;
    std::cerr << "Fetching " << url << std::endl;
    const std::string problem = try_server(url, part, file.sum);
    if (problem.empty()) return move_to(part, final_path);
    problems += "\n  " + url + ' ' + problem;
  }
  fail("cannot fetch ", file.name, ":", problems);
}

}  // namespace

void fetch(const RemoteFile& file, const std::vector<std::string>& base_urls,
           const fs::path& folder) {
  make_folder(folder);
  const FolderLock lock(folder);
  fetch_into(folder, file, base_urls);
}

void fetch_archive(const RemoteFile& archive, const std::vector<std::string>& base_urls,
                   const std::vector<std::string>& members, const fs::path& folder) {
  const fs::path parent = fs::absolute(folder).parent_path(), top = folder.filename();
  make_folder(parent);
  const FolderLock lock(parent);
  std::error_code ignored;
  const auto is_there = [&](const std::string& member) {
    return fs::exists(parent / top / member, ignored);
  };
  if (std::all_of(members.begin(), members.end(), is_there)) return;

  fetch_into(parent, archive, base_urls);
  check(has_program("tar") && has_program("gzip"),
        "unpacking takes tar and gzip; for instance: apt-get install tar gzip");
  const fs::path packed = parent / archive.name,
                 scratch = parent / ("." + top.string() + ".unpacking");
  fs::remove_all(scratch, ignored);  // what somebody left who was interrupted
  make_folder(scratch);
  const std::shared_ptr<void> at_the_end(nullptr, [&](void*) { fs::remove_all(scratch, ignored); });
  std::vector<std::string> command{"tar", "-xzof", packed.string(), "-C", scratch.string(), "--"};
  for (const std::string& member : members) command.push_back(top / member);
  check(run_program(command).exit_code == 0, "cannot unpack ", packed.string(), "; tar says why");
  for (const std::string& member : members)
    check(fs::symlink_status(scratch / top / member, ignored).type() == fs::file_type::regular,
          packed.string(), ": ", (top / member).string(), " is not a file");
  if (!fs::exists(parent / top, ignored)) move_to(scratch / top, parent / top);
  for (const std::string& member : members)
    if (!is_there(member)) move_to(scratch / top / member, parent / top / member);
  fs::remove(packed, ignored);
}

}  // namespace pade::data
