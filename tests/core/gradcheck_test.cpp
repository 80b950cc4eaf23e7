#include <doctest/doctest.h>

#include <cmath>
#include <sstream>
#include <utility>
#include <vector>

#include <pade/core/error.h>
#include <pade/core/gradcheck.h>
#include <pade/core/tape.h>

using namespace pade;

namespace {

/// x², whose backward is given.
Tensor square(const Tensor& x, BackwardFunction backward) {
  Tensor y = x.clone().detach();
  double* values = y.mutable_data<double>();
  for (int64_t i = 0; i < y.size(); ++i) values[i] *= values[i];
  record("square", {&x}, y, {&x}, std::move(backward));
  return y;
}

/// dy · 2x, for the first `count` elements.
Tensor slope(Gradients& gradients, int64_t count) {
  const Tensor& x = gradients.saved(0);
  Tensor dx = Tensor::empty_like(x);
  double* out = dx.mutable_data<double>();
  for (int64_t i = 0; i < count; ++i)
    out[i] = 2 * x.data<double>()[i] * gradients.of_output().data<double>()[i];
  return dx;
}

void right_backward(Gradients& gradients) { gradients.set(0, slope(gradients, 3)); }

/// a + b; its gradients are one and the same tensor.
Tensor plus(const Tensor& a, const Tensor& b) {
  Tensor y = a.clone().detach();
  y.add_(b);
  record("plus", {&a, &b}, y, {}, [](Gradients& gradients) {
    gradients.set(0, gradients.of_output());
    gradients.set(1, gradients.of_output());
  });
  return y;
}

const Tensor kInput = Tensor::from<double>({1, -2, 3}, {3});

GradcheckReport check_square(const BackwardFunction& backward, GradcheckOptions options = {}) {
  return gradcheck([&](const auto& in) { return square(in[0], backward); }, {kInput}, options);
}

bool says(const GradcheckReport& report, const char* part) {
  return report.message.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("gradcheck accepts a right derivative") {
  const auto report = check_square(right_backward);
  CHECK(report.ok);
  CHECK(report.worst_error <= 1e-8);
}

TEST_CASE("gradcheck accepts rank 0, no elements, and an input that is used again") {
  auto squared = [](const auto& in) {
    return square(in[0], [](Gradients& g) { g.set(0, slope(g, g.of_output().size())); });
  };
  CHECK(gradcheck(squared, {Tensor::scalar(2, DType::float64)}).ok);
  CHECK(gradcheck(squared, {Tensor::zeros({0, 3}, DType::float64)}).ok);
  CHECK(gradcheck([](const auto& in) { return plus(in[0], plus(in[0], in[0])); }, {kInput}).ok);
}

TEST_CASE("gradcheck finds a wrong derivative and says where and by how much") {
  // Only the middle element is wrong: 1 instead of −4 times the cotangent.
  const auto report = check_square([](Gradients& g) {
    Tensor dx = slope(g, 3);
    dx.mutable_data<double>()[1] *= -0.25;
    g.set(0, dx);
  });
  CHECK_FALSE(report.ok);
  std::ostringstream printed;
  printed << report;
  CHECK(printed.str().starts_with("gradients differ, worst error "));
  CHECK(says(report, "input 0 [3], element 1: gradient "));
  CHECK(says(report, ", expected -"));
}

TEST_CASE("gradcheck finds an error of one part in a hundred thousand") {
  auto off = [](Gradients& g) { g.set(0, slope(g, 3).mul_(1 + 1e-5)); };
  CHECK_FALSE(check_square(off).ok);
  CHECK(check_square(off, {.tolerance = 1e-4}).ok);
}

TEST_CASE("gradcheck finds an element that nobody assigned") {
  const auto report = check_square([](Gradients& g) { g.set(0, slope(g, 2)); });
  CHECK_FALSE(report.ok);
  CHECK(std::isinf(report.worst_error));
  CHECK(says(report, "element 2: gradient "));
  CHECK(says(report, "nan"));
}

TEST_CASE("gradcheck finds a gradient that is missing, or given twice") {
  CHECK_FALSE(check_square([](Gradients&) {}).ok);
  CHECK_FALSE(check_square([](Gradients& g) {
                g.set(0, slope(g, 3));
                g.set(0, slope(g, 3));
              }).ok);
}

TEST_CASE("gradcheck finds a sum that is overwritten") {
  // The first replay is right. The second throws away what the leaf had before adding to it.
  const auto report = gradcheck(
      [](const auto& in) {
        return square(in[0], [leaf = in[0]](Gradients& g) mutable {
          leaf.set_grad(Tensor::zeros_like(leaf));
          g.set(0, slope(g, 3));
        });
      },
      {kInput});
  CHECK_FALSE(report.ok);
  CHECK(says(report, "accumulated gradient "));
}

TEST_CASE("gradcheck finds a backward that writes into its output's gradient") {
  // plus shares that gradient with its other input, which then gets the factor too.
  auto meddle = [](const Tensor& x) {
    Tensor y = x.clone().detach().mul_(3);
    record("meddle", {&x}, y, {}, [](Gradients& g) {
      Tensor dy = g.of_output();
      g.set(0, dy.mul_(3));
    });
    return y;
  };
  CHECK(gradcheck([&](const auto& in) { return meddle(in[0]); }, {kInput}).ok);
  CHECK_FALSE(
      gradcheck([&](const auto& in) { return plus(in[0], meddle(in[1])); }, {kInput, kInput}).ok);
}

TEST_CASE("gradcheck perturbs elements from everywhere in a large input") {
  const Tensor large = Tensor::ones({1000}, DType::float64);
  auto wrong_at_the_end = [](const auto& in) {
    return square(in[0], [](Gradients& g) {
      Tensor dx = slope(g, 1000);
      double* values = dx.mutable_data<double>();
      for (int i = 900; i < 1000; ++i) values[i] = 0;
      g.set(0, dx);
    });
  };
  CHECK_FALSE(gradcheck(wrong_at_the_end, {large}, {.max_elements = 50}).ok);
}

TEST_CASE("gradcheck works on float64 only, and leaves its inputs alone") {
  CHECK_THROWS_WITH_AS(gradcheck([](const auto& in) { return in[0].clone(); }, {Tensor::ones({2})}),
                       "gradcheck: expected float64 inputs, got float32", Error);
  CHECK_THROWS_WITH_AS(gradcheck([](const auto& in) { return in[0].to(DType::float32); }, {kInput}),
                       "gradcheck: expected a float64 result, got float32", Error);
  CHECK(kInput.to_vector<double>() == std::vector<double>{1, -2, 3});
  CHECK_FALSE(kInput.requires_grad());
}

TEST_CASE("gradcheck stops poisoning new storage, also when it fails") {
  CHECK_THROWS_AS(gradcheck([](const auto&) -> Tensor { fail("no result"); }, {kInput}), Error);
  Tensor recycled = Tensor::ones({8});
  recycled = Tensor();
  CHECK(Tensor::empty({8}).to_vector<float>() == std::vector<float>(8, 1));
}

TEST_CASE("gradcheck knows that an input that is not used has no influence") {
  const auto report = gradcheck([](const auto& in) { return in[0].clone(); }, {kInput, kInput});
  CHECK(report.ok);
}
