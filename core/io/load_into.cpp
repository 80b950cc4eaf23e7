#include <map>
#include <utility>

#include <pade/core/error.h>
#include <pade/core/io/safetensors.h>
#include <pade/core/tape.h>
#include <pade/core/text_stream.h>

namespace pade {
namespace {

std::string layout(const Tensor& tensor) {
  TextStream out;
  out << tensor.shape() << ' ' << tensor.dtype();
  return out.str();
}

}  // namespace

void load_into(const NamedTensors& targets, const SafetensorsFile& file) {
  check(!Tape::recording(), "load_into: a tape is open; load before recording");
  std::map<std::string_view, const Tensor*> not_asked_for;
  for (const auto& [name, tensor] : file.tensors) not_asked_for.emplace(name, &tensor);

  TextStream problems;
  std::vector<std::pair<Tensor, const Tensor*>> copies;
  for (const auto& [name, target] : targets) {
    const auto found = not_asked_for.find(name);
    if (found == not_asked_for.end()) {
      problems << "\n  missing: " << name << ' ' << layout(target);
      continue;
    }
    const Tensor& source = *found->second;
    not_asked_for.erase(found);
    if (source.shape() == target.shape() && source.dtype() == target.dtype())
      copies.emplace_back(target, &source);
    else
      problems << "\n  different: " << name << ": expected " << layout(target) << ", got "
               << layout(source);
  }
  for (const auto& [name, tensor] : file.tensors)
    if (not_asked_for.contains(name))
      problems << "\n  unexpected: " << name << ' ' << layout(tensor);
  check(problems.str().empty(), file.path,
        ": does not fit, so nothing was loaded:", problems.str());

  for (auto& [target, source] : copies) target.copy_(source->to(target.device()));
}

}  // namespace pade
