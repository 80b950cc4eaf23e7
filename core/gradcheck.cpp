#include <algorithm>
#include <cmath>
#include <limits>
#include <ostream>

#include <pade/core/error.h>
#include <pade/core/gradcheck.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>
#include <pade/core/text_stream.h>

namespace pade {
namespace {

class PoisonNewStorage {
 public:
  PoisonNewStorage() { poison_new_storage(true); }
  ~PoisonNewStorage() { poison_new_storage(false); }
};

/// Σ output · cotangent, itself recorded: gradcheck leans on no other op. The sum is taken on the
/// CPU, wherever the two live.
Tensor weighted_sum(const Tensor& output, const Tensor& cotangent) {
  check(output.dtype() == DType::float64, "gradcheck: expected a float64 result, got ",
        output.dtype());
  const std::vector<double> y = output.to_vector<double>(), w = cotangent.to_vector<double>();
  double total = 0;
  for (size_t i = 0; i < y.size(); ++i) total += y[i] * w[i];
  Tensor result = Tensor::scalar(total, DType::float64);
  record("weighted_sum", {&output}, result, {&cotangent}, [](Gradients& gradients) {
    gradients.set(0, gradients.saved(0).clone().mul_(gradients.of_output().item()));
  });
  return result;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const GradcheckReport& report) {
  TextStream text;
  text << (report.ok ? "gradients agree, worst error " : "gradients differ, worst error ")
       << report.worst_error << (report.message.empty() ? "" : ": ") << report.message;
  return out << text.str();
}

GradcheckReport gradcheck(const std::function<Tensor(const std::vector<Tensor>&)>& function,
                          std::vector<Tensor> inputs, GradcheckOptions options) {
  const PoisonNewStorage poison;
  for (Tensor& input : inputs) {
    check(input.dtype() == DType::float64, "gradcheck: expected float64 inputs, got ",
          input.dtype());
    input = input.detach().clone().requires_grad_();
    input.set_grad(Tensor::full(input.shape(), std::numeric_limits<double>::infinity(),
                                DType::float64, input.device()));
    input.mark_grad_used();
  }
  const auto gradients = [&] {
    std::vector<std::vector<double>> all;
    for (const Tensor& input : inputs)
      all.push_back(
          (input.has_fresh_grad() ? input.grad() : Tensor::zeros_like(input)).to_vector<double>());
    return all;
  };
  Tensor cotangent;
  std::vector<std::vector<double>> once, twice;
  {
    Tape tape;
    const Tensor output = function(inputs);
    cotangent = Rng(options.seed, "gradcheck")
                    .uniform(output.shape(), 0.5, 1.5, DType::float64, output.device());
    const Tensor loss = weighted_sum(output, cotangent);
    tape.backward(loss, {.keep = true});
    once = gradients();
    tape.backward(loss, {.accumulate = true});
    twice = gradients();
  }

  GradcheckReport report;
  auto compare = [&](double analytic, double numeric, const char* what, size_t input, int64_t i) {
    double error = std::abs(analytic - numeric) / std::max(1.0, std::abs(numeric));
    if (std::isnan(error)) error = std::numeric_limits<double>::infinity();
    if (error <= report.worst_error) return;
    report.worst_error = error;
    report.ok = report.worst_error <= options.tolerance;
    TextStream message;
    message << "input " << input << ' ' << inputs[input].shape() << ", element " << i << ": "
            << what << ' ' << analytic << ", expected " << numeric;
    report.message = message.str();
  };
  const NoGrad no_grad;
  for (size_t k = 0; k < inputs.size(); ++k) {
    const int64_t size = inputs[k].size();
    const int64_t stride =
        std::max<int64_t>(1, (size + options.max_elements - 1) / options.max_elements);
    Tensor point = inputs[k].detach().to(Device::cpu).clone();
    for (int64_t i = 0; i < size; i += stride) {
      const double x = point.data<double>()[i];
      const double step = options.step * std::max(1.0, std::abs(x));
      auto move_to = [&](double value) {
        point.mutable_data<double>()[i] = value;
        inputs[k].copy_(point);
      };
      auto output_at = [&](double value) {
        move_to(value);
        return weighted_sum(function(inputs), cotangent).item();
      };
      const double difference = output_at(x + step) - output_at(x - step);
      move_to(x);
      compare(once[k][i], difference / (2 * step), "gradient", k, i);
      compare(twice[k][i], 2 * once[k][i], "accumulated gradient", k, i);
    }
  }
  return report;
}

}  // namespace pade
