#include "support/activation_metadata.h"

#include <pade/core/error.h>
#include <pade/layers/rational.h>
#include <pade/layers/spec.h>

namespace pade::support {
namespace {

const std::string kKey = "activation.";

}  // namespace

std::map<std::string, std::string> activation_metadata(Module& network, const std::string& prefix) {
  std::map<std::string, std::string> metadata;
  network.for_each_module([&](const std::string& name, Module& module) {
    const auto* rational = dynamic_cast<Rational*>(&module);
    if (!rational) return;
    const RationalOptions& options = rational->options();
    metadata[kKey + prefix + name] =
        std::string("basis=") + name_of(options.basis) + ",form=" + name_of(options.form);
  });
  return metadata;
}

std::optional<RationalOptions> recorded_options(const SafetensorsFile& file,
                                                const std::string& layer) {
  const auto found = file.metadata.find(kKey + layer);
  if (found == file.metadata.end()) return std::nullopt;
  try {
    const Spec spec("rational:" + found->second);
    spec.allow_keys({"basis", "form"});
    return RationalOptions{basis_named(spec.text("basis", "")),
                           rational_form_named(spec.text("form", ""))};
  } catch (const Error& error) {
    fail(file.path, ": the metadata ", found->first, " is \"", found->second, "\": ", error.what());
  }
}

}  // namespace pade::support
