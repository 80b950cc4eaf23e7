#include <algorithm>
#include <iomanip>

#include <pade/core/tape.h>
#include <pade/core/text_stream.h>
#include <pade/layers/forward_observer.h>

namespace pade {
namespace {

using Row = std::vector<std::string>;

std::string with_thousands(int64_t count) {
  std::string digits = std::to_string(count);
  for (int64_t at = static_cast<int64_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<size_t>(at), 1, ',');
  return digits;
}

/// Of what the module itself holds.
std::string parameters_of(Module& module) {
  struct OwnParameters : ModuleVisitor {
    int64_t count = 0;
    void parameter(const std::string&, Tensor& tensor, ParameterRole, Tensor*) override {
      if (tensor.defined() && tensor.requires_grad()) count += tensor.size();
    }
  } own;
  module.visit(own);
  return own.count ? with_thousands(own.count) : "-";
}

std::string print_table(const std::vector<Row>& rows) {
  std::vector<size_t> width(rows.front().size(), 0);
  for (const Row& row : rows)
    for (size_t i = 0; i < row.size(); ++i) width[i] = std::max(width[i], row[i].size());
  TextStream out;
  for (const Row& row : rows) {
    for (size_t i = 0; i + 1 < row.size(); ++i)
      out << std::left << std::setw(static_cast<int>(width[i]) + 2) << row[i];
    out << std::right << std::setw(static_cast<int>(width.back())) << row.back() << '\n';
  }
  return out.str();
}

}  // namespace

std::string summary(Module& network, const Shape& input) {
  std::vector<Row> rows{{"module", "", "output", "parameters"}};
  const bool was_training = network.training();
  network.eval();
  {
    const NoGrad no_grad;
    const ForwardObserver observer(
        [&](const std::string& path, Module& module, const Tensor&, const Tensor& output) {
          rows.push_back(
              {path, module.description(), to_string(output.shape()), parameters_of(module)});
        });
    network(Tensor::zeros(input));
  }
  network.train(was_training);
  rows.push_back({"total", "", "", with_thousands(network.parameter_count())});
  return print_table(rows);
}

std::ostream& operator<<(std::ostream& out, Module& network) {
  std::vector<Row> rows{{"module", "", "parameters"}};
  network.for_each_module([&](const std::string& path, Module& module) {
    rows.push_back({path, module.description(), parameters_of(module)});
  });
  rows.push_back({"total", "", with_thousands(network.parameter_count())});
  return out << print_table(rows);
}

}  // namespace pade
