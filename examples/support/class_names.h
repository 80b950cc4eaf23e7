#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pade::support {

/// What the classes of a data set are called, by label, for those that are known by name; empty for
/// others. Those of a folder of images are in run.json.
std::vector<std::string> class_names(std::string_view dataset);

}  // namespace pade::support
