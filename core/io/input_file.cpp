#include <cerrno>
#include <cstring>

#include <pade/core/error.h>
#include <pade/core/io/input_file.h>

namespace pade {
namespace {

namespace fs = std::filesystem;

const char* describe(fs::file_type type) {
  switch (type) {
    case fs::file_type::directory: return "a folder";
    case fs::file_type::fifo: return "a named pipe";
    case fs::file_type::character:
    case fs::file_type::block: return "a device";
    case fs::file_type::socket: return "a socket";
    default: return "something else";
  }
}

}  // namespace

std::ifstream open_input(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  check(fs::exists(status), "cannot read ", path.string(), ": ",
        status.type() == fs::file_type::not_found ? std::strerror(ENOENT) : error.message());
  check(fs::is_regular_file(status), "cannot read ", path.string(),
        ": expected a regular file, got ", describe(status.type()));
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  check(in.is_open(), "cannot read ", path.string(), ": ", std::strerror(errno));
  return in;
}

std::string read_file(const fs::path& path, uint64_t max_bytes) {
  std::ifstream in = open_input(path);
  const uintmax_t size = fs::file_size(path);
  check(size <= max_bytes, path.string(), ": it has ", size, " bytes, more than the ", max_bytes,
        " that are read");
  std::string contents = bad_alloc_as_error([&] { return std::string(size, '\0'); });
  check(in.read(contents.data(), static_cast<std::streamsize>(size)).good(), "cannot read ",
        path.string(), " to its end");
  return contents;
}

std::string read_file_if_there(const fs::path& path) {
  return fs::exists(path) ? read_file(path) : "";
}

}  // namespace pade
