#include "support/augment.h"

#include <cmath>
#include <functional>
#include <map>
#include <sstream>
#include <string>

#include <pade/core/did_you_mean.h>
#include <pade/core/error.h>
#include <pade/layers/spec.h>

namespace pade::support {
namespace {

int64_t whole(const Spec& spec, const std::string& key, int64_t fallback) {
  const double value = spec.number(key, static_cast<double>(fallback));
  check(value == std::floor(value) && std::abs(value) <= 1e6, "augmentation ", spec.name(), ": ",
        key, " expects a whole number, got ", value);
  return static_cast<int64_t>(value);
}

using Maker = data::Transform (*)(const Spec& spec);

const std::map<std::string, Maker, std::less<>>& makers() {
  static const std::map<std::string, Maker, std::less<>> table = {
      {"crop",
       [](const Spec& spec) -> data::Transform {
         spec.allow_keys({"padding", "reflect"});
         const bool reflects = spec.flag("reflect", false);
         return data::RandomCrop{
             .padding = whole(spec, "padding", 4),
             .border = reflects ? data::Border::reflected : data::Border::black};
       }},
      {"flip",
       [](const Spec& spec) -> data::Transform {
         spec.allow_keys({"p"});
         return data::HorizontalFlip{.p = spec.number("p", 0.5)};
       }},
      {"alternate",
       [](const Spec& spec) -> data::Transform {
         spec.allow_keys({});
         return data::AlternatingFlip{};
       }},
      {"cutout",
       [](const Spec& spec) -> data::Transform {
         spec.allow_keys({"size"});
         return data::Cutout{.size = whole(spec, "size", 16)};
       }},
      {"erase",
       [](const Spec& spec) -> data::Transform {
         spec.allow_keys({"p"});
         return data::RandomErasing{.p = spec.number("p", 0.5)};
       }},
  };
  return table;
}

}  // namespace

std::vector<data::Transform> transforms_named(std::string_view text) {
  std::vector<data::Transform> transforms;
  if (text == "none") return transforms;
  std::istringstream parts{std::string(text)};
  for (std::string part; std::getline(parts, part, '+');) {
    const Spec spec(part, "augmentation");
    const auto maker = makers().find(spec.name());
    if (maker == makers().end()) {
      std::vector<std::string> names{"none"};
      for (const auto& [name, make] : makers()) names.push_back(name);
      fail_unknown_name("augmentation", spec.name(), names);
    }
    transforms.push_back(maker->second(spec));
  }
  check(!transforms.empty(), "augmentation: expected none, or names such as crop+flip");
  return transforms;
}

std::vector<TestView> views_named(std::string_view text) {
  check_known_name("view", text, {"none", "mirror", "mirror+translate"});
  std::vector<TestView> views;
  if (text == "none") return {{1, {}}};
  const int64_t farthest = text == "mirror" ? 0 : 1;
  for (int64_t move = -farthest; move <= farthest; ++move)
    for (const bool mirrored : {false, true})
      views.push_back({farthest == 0 ? 0.5
                       : move == 0   ? 0.25
                                     : 0.125,
                       {data::FixedView{move, move, data::Border::reflected, mirrored}}});
  return views;
}

}  // namespace pade::support
