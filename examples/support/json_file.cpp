#include "support/json_file.h"

#include <pade/core/error.h>
#include <pade/core/io/file.h>

namespace pade::support {

nlohmann::ordered_json read_json(const std::string& path, const char* what) {
  const std::string text = read_file(path);
  try {
    nlohmann::ordered_json json = nlohmann::ordered_json::parse(text);
    check(json.is_object(), path, ": is not ", what, ": expected an object");
    return json;
  } catch (const nlohmann::ordered_json::exception& error) {
    fail(path, ": is not ", what, ": ", error.what());
  }
}

}  // namespace pade::support
