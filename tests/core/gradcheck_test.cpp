#include <doctest/doctest.h>

#include <pade/core/error.h>
#include <pade/core/gradcheck.h>
#include <pade/core/tape.h>

using namespace pade;

namespace {

/// x², whose backward is given.
Tensor square(const Tensor& x, void (*backward)(Gradients&)) {
  Tensor y = x.clone().detach();
  double* values = y.mutable_data<double>();
  for (int64_t i = 0; i < y.size(); ++i) values[i] *= values[i];
  record("square", {&x}, y, {&x}, backward);
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

const Tensor kInput = Tensor::from<double>({1, -2, 3}, {3});

GradcheckReport check_square(void (*backward)(Gradients&)) {
  return gradcheck([&](const auto& in) { return square(in[0], backward); }, {kInput});
}

}  // namespace

TEST_CASE("gradcheck accepts a right derivative") {
  const auto report = check_square([](Gradients& g) { g.set(0, slope(g, 3)); });
  CHECK(report.ok);
  CHECK(report.worst_error <= 1e-8);
}

TEST_CASE("gradcheck finds a wrong derivative and says where") {
  const auto report = check_square([](Gradients& g) { g.set(0, slope(g, 3).mul_(1.5)); });
  CHECK_FALSE(report.ok);
  CHECK(report.message.find("input 0 [3], element") != std::string::npos);
  CHECK(report.message.find("expected") != std::string::npos);
}

TEST_CASE("gradcheck finds an element that nobody assigned") {
  CHECK_FALSE(check_square([](Gradients& g) { g.set(0, slope(g, 2)); }).ok);
}

TEST_CASE("gradcheck finds a gradient that is missing, or given twice") {
  CHECK_FALSE(check_square([](Gradients&) {}).ok);
  CHECK_FALSE(check_square([](Gradients& g) {
                g.set(0, slope(g, 3));
                g.set(0, slope(g, 3));
              }).ok);
}

TEST_CASE("gradcheck works on float64 only, and leaves its inputs alone") {
  CHECK_THROWS_WITH_AS(gradcheck([](const auto& in) { return in[0].clone(); }, {Tensor::ones({2})}),
                       "gradcheck: expected float64 inputs, got float32", Error);
  CHECK(kInput.to_vector<double>() == std::vector<double>{1, -2, 3});
}
