#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace pade::support {

/// A JSON object, which is `what` ("a run record") when it is as it should be. Throws Error with
/// the path when the file cannot be read or holds something else.
nlohmann::ordered_json read_json(const std::string& path, const char* what);

}  // namespace pade::support
