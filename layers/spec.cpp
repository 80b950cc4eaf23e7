#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

#include <pade/core/did_you_mean.h>
#include <pade/core/error.h>
#include <pade/core/numbers.h>
#include <pade/layers/spec.h>

namespace pade {

Spec::Spec(std::string_view text, std::string kind) : kind_(std::move(kind)) {
  const size_t colon = text.find(':');
  name_ = text.substr(0, colon);
  check(!name_.empty(), kind_, " \"", text, "\": the name is empty");
  if (colon == std::string_view::npos) return;
  std::istringstream items{std::string(text.substr(colon + 1))};
  for (std::string item; std::getline(items, item, ',');) {
    const size_t equals = item.find('=');
    check(equals != std::string::npos && equals > 0 && equals + 1 < item.size(), kind_, " \"", text,
          "\": expected key=value after the colon, got \"", item, "\"");
    const bool is_new = values_.emplace(item.substr(0, equals), item.substr(equals + 1)).second;
    check(is_new, kind_, " \"", text, "\": ", item.substr(0, equals), " is given twice");
  }
  check(!values_.empty(), kind_, " \"", text, "\": expected key=value after the colon");
}

void Spec::allow_keys(const std::vector<std::string>& known) const {
  for (const auto& [key, value] : values_) {
    check(!known.empty(), kind_, ' ', name_, " has no keys, got \"", key, "\"");
    if (std::find(known.begin(), known.end(), key) == known.end())
      fail_unknown_name("key of " + kind_ + ' ' + name_, key, known);
  }
}

std::string Spec::text(const std::string& key, const std::string& fallback) const {
  const auto found = values_.find(key);
  return found == values_.end() ? fallback : found->second;
}

double Spec::parse_number(const std::string& key, std::string_view text) const {
  const std::optional<double> value = parse_double(text);
  check(value.has_value(), kind_, ' ', name_, ": ", key, " expects a number, got \"", text, "\"");
  return *value;
}

double Spec::number(const std::string& key, double fallback) const {
  return has(key) ? parse_number(key, values_.at(key)) : fallback;
}

bool Spec::flag(const std::string& key, bool fallback) const {
  const std::string value = text(key, fallback ? "true" : "false");
  check(value == "true" || value == "false", kind_, ' ', name_, ": ", key,
        " expects true or false, got \"", value, "\"");
  return value == "true";
}

std::pair<double, double> Spec::pair(const std::string& key, char separator,
                                     std::pair<double, double> fallback) const {
  if (!has(key)) return fallback;
  const std::string& value = values_.at(key);
  const size_t at = value.find(separator);
  check(at != std::string::npos, kind_, ' ', name_, ": ", key, " expects two numbers with '",
        separator, "' between them, got \"", value, "\"");
  return {parse_number(key, value.substr(0, at)), parse_number(key, value.substr(at + 1))};
}

}  // namespace pade
