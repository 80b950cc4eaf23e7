#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <pade/core/gradcheck.h>
#include <pade/core/ops/arithmetic.h>
#include <pade/core/ops/rational.h>
#include <pade/core/parallel.h>
#include <pade/core/random.h>
#include <pade/core/tape.h>

#include "tests/devices.h"

using namespace pade;

namespace {

using Real = long double;

constexpr RationalForm kForms[] = {RationalForm::termwise, RationalForm::whole_sum,
                                   RationalForm::full_sum, RationalForm::unsafe};

/// Coefficients in a denominator of degree n: full_sum has d_0.
int denominators(RationalForm form, int n) { return form == RationalForm::full_sum ? n + 1 : n; }

/// f_k and f_k′ by the textbook identities of each family, one by one.
struct Polynomials {
  std::vector<Real> f, df;
};

Polynomials polynomials(Basis basis, int top, Real x) {
  std::vector<Real> f(top + 2, 0), df(top + 2, 0), u(top + 2, 0);  // u: Chebyshev's second kind
  f[0] = 1, u[0] = 1, u[1] = 2 * x;
  for (int n = 1; n < top; ++n) u[n + 1] = 2 * x * u[n] - u[n - 1];
  switch (basis) {
    case Basis::chebyshev_u:
    case Basis::hermite_h: f[1] = 2 * x, df[1] = 2; break;
    case Basis::laguerre: f[1] = 1 - x, df[1] = -1; break;
    default: f[1] = x, df[1] = 1;
  }
  for (int n = 1; n < top; ++n) {
    switch (basis) {
      case Basis::monomial:
        f[n + 1] = f[n] * x;
        df[n + 1] = (n + 1) * f[n];
        break;
      case Basis::chebyshev_t:
        f[n + 1] = 2 * x * f[n] - f[n - 1];
        df[n + 1] = (n + 1) * u[n];
        break;
      case Basis::chebyshev_u:
        f[n + 1] = 2 * x * f[n] - f[n - 1];
        df[n + 1] = 2 * f[n] + 2 * x * df[n] - df[n - 1];
        break;
      case Basis::hermite_he:
        f[n + 1] = x * f[n] - n * f[n - 1];
        df[n + 1] = (n + 1) * f[n];
        break;
      case Basis::hermite_h:
        f[n + 1] = 2 * x * f[n] - 2 * n * f[n - 1];
        df[n + 1] = 2 * (n + 1) * f[n];
        break;
      case Basis::laguerre:
        f[n + 1] = ((2 * n + 1 - x) * f[n] - n * f[n - 1]) / (n + 1);
        df[n + 1] = df[n] - f[n];
        break;
      case Basis::legendre:
        f[n + 1] = ((2 * n + 1) * x * f[n] - n * f[n - 1]) / (n + 1);
        df[n + 1] = df[n - 1] + (2 * n + 1) * f[n];
        break;
    }
  }
  return {f, df};
}

struct Reference {
  Real value, slope;
  std::vector<Real> of_c, of_d;
  // How much larger the terms are than their sum: rounding errors grow by as much.
  Real value_scale, slope_scale, amplification;
  bool near_kink = false;
};

Reference reference(Basis basis, RationalForm form, const std::vector<double>& c,
                    const std::vector<double>& d, Real x) {
  const bool full = form == RationalForm::full_sum;
  const bool magnitude = full || form == RationalForm::whole_sum;
  const int m = static_cast<int>(c.size()) - 1, first = full ? 0 : 1;
  const int n = static_cast<int>(d.size()) - 1 + first;
  const Real constant = full ? Real(1) / 10 : Real(1);
  const auto [f, df] = polynomials(basis, std::max({m, n, 1}), x);
  Real p = 0, dp = 0, p_size = 0, dp_size = 0;
  for (int i = 0; i <= m; ++i) {
    p += c[i] * f[i], p_size += std::abs(c[i] * f[i]);
    dp += c[i] * df[i], dp_size += std::abs(c[i] * df[i]);
  }
  Reference r{};
  Real sum = 0, dsum = 0, sum_size = 0, dsum_size = 0;
  for (int j = first; j <= n; ++j) {
    const Real sign = form != RationalForm::termwise ? 1 : f[j] < 0 ? -1 : 1;
    const Real weight = form == RationalForm::termwise ? std::abs(d[j - first]) : d[j - first];
    sum += weight * sign * f[j], sum_size += std::abs(weight * f[j]);
    dsum += weight * sign * df[j], dsum_size += std::abs(weight * df[j]);
    if (form == RationalForm::termwise)
      r.near_kink |= std::abs(f[j]) < 1e-3L * std::max(Real(1), std::abs(x));
  }
  const Real turn = magnitude && sum < 0 ? -1 : 1;
  if (magnitude) r.near_kink = n > 0 && std::abs(sum) < 1e-3L * sum_size;
  const Real q = constant + turn * sum;
  r.value = p / q;
  r.slope = (dp - r.value * turn * dsum) / q;
  for (int i = 0; i <= m; ++i) r.of_c.push_back(f[i] / q);
  for (int j = first; j <= n; ++j) {
    const Real sign =
        form == RationalForm::termwise ? (f[j] < 0 ? -1 : 1) * (d[j - first] < 0 ? -1 : 1) : turn;
    r.of_d.push_back(-sign * f[j] * r.value / q);
  }
  r.amplification = (constant + sum_size) / std::abs(q);
  r.value_scale = p_size / std::abs(q) * r.amplification;
  r.slope_scale = (dp_size + p_size / std::abs(q) * dsum_size) / std::abs(q) * r.amplification;
  return r;
}

template <class T>
Tensor tensor_of(const std::vector<double>& values) {
  return Tensor::from(std::vector<T>(values.begin(), values.end()),
                      {static_cast<int64_t>(values.size())});
}

std::vector<double> doubles(const Tensor& t) {
  return t.to(Device::cpu).to(DType::float64).to_vector<double>();
}

/// A copy on `device` that begins `offset` elements into a storage.
Tensor place(const Tensor& t, Device device, int offset = 0) {
  if (offset == 0) return t.to(device);
  Tensor storage = Tensor::zeros({t.size() + offset}, t.dtype());
  storage.slice(offset, storage.size()).copy_(t.reshape({t.size()}));
  return storage.to(device).slice(offset, t.size() + offset).reshape(t.shape());
}

/// The op's results, and its gradients for an dys gradient.
struct Gradient {
  Tensor y, dx, dc, dd;
};

Gradient differentiate(Tensor x, Tensor c, Tensor d, const Tensor& dy, RationalOptions options) {
  x.requires_grad_(), c.requires_grad_(), d.requires_grad_();
  Tape tape;
  const Tensor y = rational(x, c, d, options);
  Tensor total = Tensor::scalar(0, y.dtype()).to(y.device());
  record("total", {&y}, total, {}, [&](Gradients& gradients) { gradients.set(0, dy); });
  tape.backward(total);
  return {y.detach(), x.grad(), c.grad(), d.grad()};
}

struct Result {
  std::vector<double> value, slope, of_c, of_d;
};

/// Values, slopes, and coefficient gradients (summed over x) for dy = 1.
template <class T>
Result run(Device device, const std::vector<double>& x, const std::vector<double>& c,
           const std::vector<double>& d, RationalOptions options, int offset = 0) {
  const Tensor tx = place(tensor_of<T>(x), device, offset);
  const Gradient g = differentiate(tx, tensor_of<T>(c).to(device), tensor_of<T>(d).to(device),
                                   Tensor::ones(tx.shape(), tx.dtype(), device), options);
  return {doubles(g.y), doubles(g.dx), doubles(g.dc), doubles(g.dd)};
}

/// The coefficients as T stores them, so that reference and op see the same.
template <class T>
std::vector<double> random_coefficients(Rng& rng, int count, double low, double high) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i)
    values.push_back(static_cast<T>(low + (high - low) * rng.uniform()));
  return values;
}

/// Within `tolerance` of the terms' size; below float32's smallest normal number digits are lost.
bool close(double got, Real expected, Real scale, double tolerance) {
  const Real smallest = std::numeric_limits<float>::min();
  return std::abs(got - expected) <= tolerance * std::max({scale, std::abs(expected), smallest});
}

constexpr std::pair<int, int> kDegrees[] = {{5, 4}, {3, 2}, {0, 0}, {1, 1}, {5, 0}, {0, 4}, {2, 3},
                                            {4, 4}, {5, 5}, {6, 5}, {7, 6}, {8, 7}, {6, 8}, {8, 8}};

/// Sums of coefficient gradients that are expected, and how much larger their terms are.
struct ExpectedSums {
  std::vector<Real> of_c, of_d, c_scale, d_scale;

  ExpectedSums(size_t c, size_t d) : of_c(c), of_d(d), c_scale(c), d_scale(d) {}
  void add(const Reference& r) {
    for (size_t i = 0; i < of_c.size(); ++i) {
      of_c[i] += r.of_c[i];
      c_scale[i] += r.amplification * std::abs(r.of_c[i]);
    }
    for (size_t j = 0; j < of_d.size(); ++j) {
      of_d[j] += r.of_d[j];
      d_scale[j] += r.amplification * std::abs(r.of_c[0]) * r.value_scale *
                    std::max(Real(1), std::abs(r.of_d[j]));
    }
  }
};

template <class T>
void compare_with_reference(Device device, double tolerance) {
  // The GPU has kernels of their own for degrees in float32, where elements are aligned.
  const bool one_kernel = device == Device::cuda && std::is_same_v<T, double>;
  Rng rng(3);
  size_t compared = 0;
  for (const Basis basis : kAllBases)
    for (const RationalForm form : kForms)
      for (const auto& [m, n] : kDegrees) {
        CAPTURE(std::string(name_of(basis)));
        CAPTURE(std::string(name_of(form)));
        CAPTURE(m);
        CAPTURE(n);
        const auto c = random_coefficients<T>(rng, m + 1, -1, 1);
        const auto d = random_coefficients<T>(rng, denominators(form, n), -0.5, 0.5);
        std::vector<double> xs;
        std::vector<Reference> expected;
        ExpectedSums sums(c.size(), d.size());
        for (int repeat = 0; repeat < 15; ++repeat) {
          const double x = static_cast<T>(6 * rng.uniform() - 3);
          const Reference r = reference(basis, form, c, d, x);
          if (r.near_kink || r.amplification > 30) continue;
          xs.push_back(x), expected.push_back(r), sums.add(r);
        }
        compared += xs.size();
        for (const int offset : {0, 1}) {
          if ((one_kernel || offset == 1) && (m + n) % 4 > 0) continue;
          const Result got = run<T>(device, xs, c, d, {basis, form}, offset);
          for (size_t i = 0; i < xs.size(); ++i) {
            CAPTURE(xs[i]);
            const Reference& r = expected[i];
            CHECK(close(got.value[i], r.value, r.value_scale, tolerance));
            CHECK(close(got.slope[i], r.slope, r.slope_scale, tolerance));
          }
          const Real count = xs.size();
          for (int i = 0; i <= m; ++i)
            CHECK(close(got.of_c[i], sums.of_c[i], sums.c_scale[i] + count, tolerance));
          for (size_t j = 0; j < d.size(); ++j)
            CHECK(close(got.of_d[j], sums.of_d[j], sums.d_scale[j], 100 * tolerance));
        }
      }
  CHECK(compared > 2000);
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.bytes() == b.bytes() && a.to_vector<float>() == b.to_vector<float>();
}
bool same_bits(const Gradient& a, const Gradient& b) {
  return same_bits(a.y, b.y) && same_bits(a.dx, b.dx) && same_bits(a.dc, b.dc) &&
         same_bits(a.dd, b.dd);
}

}  // namespace

DEVICE_TEST_CASE("rational equals a long double reference: every basis, form and degree") {
  SUBCASE("float32") { compare_with_reference<float>(device, 4e-6); }
  SUBCASE("float64") { compare_with_reference<double>(device, 1e-14); }
}

DEVICE_TEST_CASE("rational is finite and right from 1e-30 to 1e30") {
  Rng rng(4);
  std::vector<double> all;
  for (int exponent = -30; exponent <= 30; exponent += 3)
    for (const double sign : {-1, 1})
      all.push_back(static_cast<float>(sign * std::pow(10, exponent)));
  // A far value takes its neighbours with it, on the CPU a whole strip: one by one there.
  const size_t batch = device == Device::cpu ? 1 : all.size();
  for (const Basis basis : kAllBases)
    for (const RationalForm form :
         {RationalForm::termwise, RationalForm::whole_sum, RationalForm::full_sum})
      for (const auto& [m, n] : kDegrees) {
        if (m > n + 1) continue;
        CAPTURE(std::string(name_of(basis)));
        CAPTURE(std::string(name_of(form)));
        CAPTURE(m);
        CAPTURE(n);
        const auto c = random_coefficients<float>(rng, m + 1, 0.2, 1);
        const auto d = random_coefficients<float>(rng, denominators(form, n), 0.2, 1);
        for (size_t first = 0; first < all.size(); first += batch) {
          const std::vector<double> x(all.begin() + first, all.begin() + first + batch);
          const Result got = run<float>(device, x, c, d, {basis, form});
          ExpectedSums sums(c.size(), d.size());
          for (size_t i = 0; i < batch; ++i) {
            CAPTURE(x[i]);
            const Reference expected = reference(basis, form, c, d, x[i]);
            sums.add(expected);
            REQUIRE(std::isfinite(got.value[i]));
            REQUIRE(std::isfinite(got.slope[i]));
            CHECK(close(got.value[i], expected.value, expected.value_scale, 2e-6));
            if (!expected.near_kink)
              CHECK(close(got.slope[i], expected.slope, expected.slope_scale, 4e-6));
          }
          for (int i = 0; i <= m; ++i)
            CHECK(close(got.of_c[i], sums.of_c[i], sums.c_scale[i], 4e-6));
          for (const double of_d : got.of_d) REQUIRE(std::isfinite(of_d));
        }
      }
}

DEVICE_TEST_CASE("rational evaluates ordinary and far elements side by side") {
  const std::vector<double> c = {0.5, 1, -0.25, 0.125, 0.5, 0.25}, d = {0.5, 0.25, 1, 0.5};
  for (const int far : {0, 1, 2, 3, 700, 1098})  // each place in an access of four, and the rest
    for (const int offset : {0, 1}) {
      CAPTURE(far);
      CAPTURE(offset);
      std::vector<double> x;
      for (int i = 0; i < 1099; ++i)
        x.push_back(static_cast<float>(i == far ? 1e20 : 0.01 * (i % 500) + 0.003));
      const Result got = run<float>(device, x, c, d, {}, offset);
      ExpectedSums sums(c.size(), d.size());
      double worst = 0;
      for (size_t i = 0; i < x.size(); ++i) {
        const Reference expected = reference(Basis::hermite_he, RationalForm::termwise, c, d, x[i]);
        sums.add(expected);
        if (expected.near_kink) continue;
        const double error = std::abs(got.value[i] - expected.value) / expected.value_scale +
                             std::abs(got.slope[i] - expected.slope) / expected.slope_scale;
        if (!std::isnan(worst) && !(error <= worst)) worst = error;
      }
      CHECK(worst <= 4e-6);
      for (size_t k = 0; k < c.size(); ++k)
        CHECK(close(got.of_c[k], sums.of_c[k], sums.c_scale[k], 1e-6));
      for (size_t k = 0; k < d.size(); ++k)
        CHECK(close(got.of_d[k], sums.of_d[k], sums.d_scale[k], 1e-6));
    }
}

DEVICE_TEST_CASE("rational agrees with central differences") {
  Rng rng(5);
  for (const Basis basis : kAllBases)
    for (const RationalForm form : kForms)
      for (const auto& [m, n] : {std::pair{5, 4}, std::pair{3, 2}, std::pair{2, 5}}) {
        if (device == Device::cuda && m > 3) continue;  // all have one kernel there
        const Tensor c = rng.uniform({m + 1}, -1, 1, DType::float64).to(device);
        const Tensor d = rng.uniform({denominators(form, n)}, 0.05, 0.3, DType::float64).to(device);
        // Away from the zeros of every f_j, and of the whole sum, in all families.
        const Shape shape = device == Device::cpu ? Shape{3, 23} : Shape{5};
        const Tensor x = rng.uniform(shape, 6.9, 9, DType::float64).to(device);
        const double step = 1e-6;
        const auto report = gradcheck(
            [&](const auto& in) {
              return rational(in[0], in[1], in[2], {basis, form});
            },
            {x, c, d}, {.step = step, .tolerance = 1e-5});
        CHECK_MESSAGE(report.ok, name_of(basis), " ", name_of(form), " ", m, "/", n, ": ",
                      report.message);
      }
}

DEVICE_TEST_CASE("rational handles shapes of every size") {
  Rng rng(6);
  const Tensor c = rng.uniform({6}, -1, 1, DType::float64).to(device);
  const Tensor d = rng.uniform({4}, 0.1, 1, DType::float64).to(device);
  for (const Shape& shape :
       {Shape{}, Shape{0}, Shape{1}, Shape{7}, Shape{17, 3}, Shape{2, 0, 3}, Shape{2, 3, 4, 5}}) {
    const auto report = gradcheck([](const auto& in) { return rational(in[0], in[1], in[2]); },
                                  {rng.uniform(shape, 2.5, 4, DType::float64).to(device), c, d});
    CHECK_MESSAGE(report.ok, to_string(shape), ": ", report.message);
  }
}

DEVICE_TEST_CASE(
    "rational of sizes around vectors, strips and blocks, from views that begin anywhere") {
  Rng rng(11);
  const std::vector<double> c = {1.125, 1.75, 1.0, 0.328125, 0.046875, 0.001953125};
  const std::vector<double> d = {1.125, 0.3125, 0.046875, 0.001953125};
  for (const int size : {1, 2, 3, 4, 5, 15, 16, 17, 255, 257, 511, 513, 1023, 1024, 1025, 4099})
    for (const int offset : {0, 1, 2, 3}) {
      CAPTURE(size);
      CAPTURE(offset);
      std::vector<double> x;
      for (int i = 0; i < size; ++i) x.push_back(static_cast<float>(6 * rng.uniform() - 3));
      const Result got = run<float>(device, x, c, d, {}, offset);
      ExpectedSums sums(c.size(), d.size());
      bool right = true;
      for (int i = 0; i < size; ++i) {
        const Reference r = reference(Basis::hermite_he, RationalForm::termwise, c, d, x[i]);
        sums.add(r);
        right &= close(got.value[i], r.value, r.value_scale, 2e-6);
        right &= r.near_kink || close(got.slope[i], r.slope, r.slope_scale, 4e-6);
      }
      CHECK(right);
      for (size_t k = 0; k < c.size(); ++k)
        CHECK(close(got.of_c[k], sums.of_c[k], sums.c_scale[k] + size, 1e-6));
      for (size_t k = 0; k < d.size(); ++k)
        CHECK(close(got.of_d[k], sums.of_d[k], sums.d_scale[k], 1e-6));
    }
}

DEVICE_TEST_CASE("groups: every run of channels has its own function") {
  Rng rng(7);
  for (const Shape& shape : {Shape{3, 6}, Shape{2, 6, 5}, Shape{2, 6, 4}, Shape{0, 6, 2}})
    for (const int64_t groups : {1, 2, 3, 6}) {
      CAPTURE(to_string(shape));
      CAPTURE(groups);
      const Tensor x = rng.normal(shape, 0, 1).to(device),
                   c = rng.normal({groups, 6}, 0, 1).to(device),
                   d = rng.normal({groups, 4}, 0, 1).to(device);
      const Tensor y = rational(x, c, d);
      const int64_t run = shape.size_from(1) / groups;
      bool same = true;
      for (int64_t n = 0; n < shape[0]; ++n)
        for (int64_t g = 0; g < groups; ++g) {
          const Tensor of_group = x.reshape({shape[0], groups, run})[n][g];
          const auto expected = doubles(rational(of_group, c[g], d[g]));
          const auto got = doubles(y.reshape({shape[0], groups, run})[n][g]);
          // GPUs have several kernels for the same formula.
          for (int64_t i = 0; i < run; ++i)
            same &= std::abs(got[i] - expected[i]) <= (device == Device::cpu ? 0 : 1e-5);
        }
      CHECK(same);
    }
  const Tensor none = Tensor::zeros({0, 6, 2}).to(device);
  const Gradient of_none = differentiate(none, Tensor::ones({3, 2}).to(device),
                                         Tensor::ones({3, 1}).to(device), none, {});
  CHECK(doubles(of_none.dc) == std::vector<double>(6, 0));
  CHECK(doubles(of_none.dd) == std::vector<double>(3, 0));
  const auto report = gradcheck([](const auto& in) { return rational(in[0], in[1], in[2]); },
                                {rng.uniform({3, 4, 5}, 2.5, 4, DType::float64).to(device),
                                 rng.uniform({2, 6}, -1, 1, DType::float64).to(device),
                                 rng.uniform({2, 4}, 0.1, 1, DType::float64).to(device)});
  CHECK_MESSAGE(report.ok, report.message);
}

namespace {

/// The GPU's results against the CPU's. Both take float64 sums of short float32 sums of the same
/// float32 terms, whose rounding is the largest part of the difference.
void compare_with_cpu(const Tensor& x, const Tensor& c, const Tensor& d, const Tensor& dy) {
  const Gradient cpu = differentiate(x, c, d, dy, {});
  const Device device = Device::cuda;
  const Gradient gpu = differentiate(x.to(device), c.to(device), d.to(device), dy.to(device), {});
  const auto all_close = [](const Tensor& got, const Tensor& expected, double tolerance) {
    const auto a = doubles(got), b = doubles(expected);
    double size = 0;
    for (const double value : b) size = std::max(size, std::abs(value));
    for (size_t i = 0; i < a.size(); ++i)
      if (!(std::abs(a[i] - b[i]) <= tolerance * (std::abs(b[i]) + 0.1 * size))) return false;
    return a.size() == b.size();
  };
  CHECK(all_close(gpu.y, cpu.y, 4e-6));
  CHECK(all_close(gpu.dx, cpu.dx, 1e-5));
  CHECK(all_close(gpu.dc, cpu.dc, 1e-5));
  CHECK(all_close(gpu.dd, cpu.dd, 1e-5));
  const Gradient again = differentiate(x.to(device), c.to(device), d.to(device), dy.to(device), {});
  CHECK(same_bits(gpu, again));
}

}  // namespace

TEST_CASE("rational on the GPU is as on the CPU, where threads make several accesses [cuda]") {
  Rng rng(12);
  const auto compare = [&](const Shape& shape, int64_t groups, int degree) {
    CAPTURE(to_string(shape));
    compare_with_cpu(rng.normal(shape, 0, 1), rng.uniform({groups, degree + 1}, 0.2, 1),
                     rng.uniform({groups, degree}, 0.2, 1), rng.uniform(shape, 0.5, 1));
  };
  SUBCASE("of four elements, in runs of 12") { compare({86, 3300, 4}, 1100, 1); }
  SUBCASE("of one element, in runs of 3") { compare({86, 3300}, 1100, 1); }
  SUBCASE("few groups, long runs") { compare({30, 6, 401}, 3, 5); }
}

DEVICE_TEST_CASE("full_sum holds whole_sum, in groups and far out, too") {
  Rng rng(13);
  for (const Basis basis : {Basis::hermite_he, Basis::laguerre}) {
    const Tensor x = rng.normal({3, 4, 5}, 0, 2, DType::float64),
                 c = rng.normal({2, 4}, 0, 1, DType::float64),
                 d = rng.normal({2, 3}, 0, 1, DType::float64),
                 dy = rng.normal(x.shape(), 0, 1, DType::float64);
    x.slice(0, 1).fill_(1e25);
    Tensor of_full = Tensor::zeros({2, 4}, DType::float64);
    for (int64_t group = 0; group < 2; ++group)
      for (int64_t j = 0; j < 3; ++j)
        of_full[group].slice(j + 1, j + 2).fill_(d.at({group, j}) / 10);
    const Gradient whole = differentiate(x.to(device), c.to(device), d.to(device), dy.to(device),
                                         {basis, RationalForm::whole_sum});
    const Gradient full = differentiate(x.to(device), (c / 10).to(device), of_full.to(device),
                                        dy.to(device), {basis, RationalForm::full_sum});
    const auto same = [](const Tensor& got, const Tensor& expected, double factor) {
      const auto a = doubles(got), b = doubles(expected);
      for (size_t i = 0; i < b.size(); ++i)
        CHECK(a[i] == doctest::Approx(factor * b[i]).epsilon(1e-11));
    };
    same(full.y, whole.y, 1);
    same(full.dx, whole.dx, 1);
    same(full.dc, whole.dc, 10);
    for (int64_t group = 0; group < 2; ++group)
      same(full.dd[group].slice(1, 4), whole.dd[group], 10);
  }
}

TEST_CASE("one thread and two give the same bits") {
  Rng rng(8);
  const int threads = num_threads();
  for (const int64_t groups : {1, 4}) {
    const Tensor x = rng.normal({25, 4, 1003}, 0, 2), dy = rng.normal(x.shape(), 0, 1);
    const Tensor c = rng.normal({groups, 6}, 0, 1), d = rng.normal({groups, 4}, 0, 1);
    set_num_threads(1);
    const Gradient alone = differentiate(x, c, d, dy, {});
    set_num_threads(2);
    CHECK(same_bits(alone, differentiate(x, c, d, dy, {})));
  }
  set_num_threads(threads);
}

DEVICE_TEST_CASE("coefficient gradients of many elements keep float32's digits") {
  Rng rng(9);
  const Tensor x = rng.normal({device == Device::cpu ? 1 << 20 : 1 << 16}, 0, 1);
  const std::vector<double> c = {1.125, 1.75, 1.0, 0.328125, 0.046875, 0.001953125};
  const std::vector<double> d = {1.125, 0.3125, 0.046875, 0.001953125};
  const std::vector<double> values = x.to(DType::float64).to_vector<double>();
  const Result single = run<float>(device, values, c, d, {}),
               wide = run<double>(device, values, c, d, {});
  for (size_t i = 0; i < c.size(); ++i)
    CHECK(std::abs(single.of_c[i] - wide.of_c[i]) <=
          1e-6 * (std::abs(wide.of_c[i]) + wide.of_c[0]));
  for (size_t j = 0; j < d.size(); ++j)
    CHECK(std::abs(single.of_d[j] - wide.of_d[j]) <=
          1e-6 * (std::abs(wide.of_d[j]) + wide.of_c[0]));
}

DEVICE_TEST_CASE("sgn(0) is +1: at a zero of f_j, of the whole sum, and of a coefficient") {
  // Termwise, monomial, at x = 0: f_1 = 0 and f_1′ = 1, so Q′ = +|d_1| and G′ = c_1 − c_0 |d_1|.
  const RationalOptions termwise{Basis::monomial, RationalForm::termwise};
  for (const double zero : {0.0, -0.0}) {
    CHECK(run<float>(device, {zero}, {2, 3}, {0.5}, termwise).slope[0] == 3 - 2 * 0.5);
    CHECK(run<double>(device, {zero}, {2, 3}, {-0.5}, termwise).slope[0] == 3 - 2 * 0.5);
  }
  // Laguerre L_1 = 1 − x is zero at 1 with slope −1: Q′ = −|d_1|, G = c_0, G′ = −c_1 + c_0 |d_1|.
  CHECK(
      run<double>(device, {1}, {2, 3}, {0.5}, {Basis::laguerre, RationalForm::termwise}).slope[0] ==
      -3 + 2 * 0.5);
  // Whole sum, d_1 x + d_2 x² = 0 at 0: Q′ = +d_1.
  const RationalOptions whole{Basis::monomial, RationalForm::whole_sum};
  CHECK(run<float>(device, {0}, {2, 3}, {-0.5, 1}, whole).slope[0] == 3 + 2 * 0.5);
  // The sum from d_0 on, 2 − x, is 0 at 2: Q = 1/10 and Q′ = −1, so G = 10 P, G′ = 10 (c_1 + G).
  const RationalOptions full{Basis::monomial, RationalForm::full_sum};
  CHECK(run<float>(device, {2}, {2, 3}, {2, -1}, full).value[0] == 10 * 8);
  CHECK(run<float>(device, {2}, {2, 3}, {2, -1}, full).slope[0] == 10 * (3 + 80));
  CHECK(run<double>(device, {2}, {2, 3}, {-2, 1}, full).slope[0] == 10 * (3 - 80));
  // A coefficient of exactly 0 learns as if it were positive: ∂G/∂d_1 = −|x| G = −2 · 1.
  CHECK(run<float>(device, {2}, {1}, {0}, termwise).of_d[0] == -2);
  CHECK(run<float>(device, {2}, {1}, {-0.0}, termwise).of_d[0] == -2);
  CHECK(run<float>(device, {2}, {1}, {0}, whole).of_d[0] == -2);
  CHECK(run<float>(device, {2}, {1}, {0, 0}, full).of_d[0] == -100);  // G/Q = 10/(1/10)
  CHECK(run<float>(device, {2}, {1}, {0, 0}, full).of_d[1] == -200);
}

DEVICE_TEST_CASE("NaN stays NaN, and infinite input gives no wrong number") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Result result = run<float>(device, {1, nan, 2}, {0, 1}, {1}, {});
  CHECK(std::isnan(result.slope[1]));
  CHECK(std::isnan(result.of_c[0]));
  CHECK(std::isnan(result.value[1]));
  CHECK(std::isfinite(result.value[0]));
  CHECK(std::isfinite(result.value[2]));
}

TEST_CASE("rational refuses what it cannot do") {
  const Tensor x = Tensor::ones({2, 6, 3}), c = Tensor::ones({6}), d = Tensor::ones({4});
  CHECK_THROWS_WITH_AS(rational(Tensor::arange(3), c, d),
                       "rational: expected float32 or float64, got int32", Error);
  CHECK_THROWS_WITH_AS(rational(x, Tensor::ones({10}), d),
                       "rational: degrees 9/4 are above the limit of 8/8", Error);
  CHECK_THROWS_WITH_AS(rational(x, Tensor::ones({0}), d),
                       "rational: the numerator has no coefficients", Error);
  CHECK_THROWS_WITH_AS(
      rational(x, Tensor::ones({4, 6}), Tensor::ones({4, 4})),
      "rational: the channels (axis 1) of [2, 6, 3] cannot be cut into 4 equal groups", Error);
  CHECK_THROWS_WITH_AS(rational(x, Tensor::ones({2, 6}), d),
                       "rational: numerator [2, 6] and denominator [4] have different numbers of "
                       "groups",
                       Error);
  CHECK_THROWS_WITH_AS(
      rational(x, Tensor::ones({6}, DType::float64), d),
      "rational: expected one dtype, got x float32 [2, 6, 3] and numerator float64 [6]", Error);
  CHECK_THROWS_WITH_AS(rational(x, c, Tensor()),
                       "rational: denominator is undefined; assign a tensor to it first", Error);
  CHECK_THROWS_WITH_AS(
      rational_form_named("safe"),
      "unknown form \"safe\"; did you mean \"unsafe\"? There are: termwise, whole_sum, full_sum, "
      "unsafe",
      Error);
  const RationalOptions full{Basis::monomial, RationalForm::full_sum};
  CHECK_THROWS_WITH_AS(rational(x, c, Tensor::ones({0}), full),
                       "rational: the denominator has no coefficients; full_sum needs d_0 at least",
                       Error);
  CHECK_THROWS_WITH_AS(rational(x, c, Tensor::ones({10}), full),
                       "rational: degrees 5/9 are above the limit of 8/8", Error);
  CHECK_THROWS_AS(basis_named("hermite"), Error);
}

TEST_CASE("rational refuses coefficients of another device [cuda]") {
  const Tensor x = Tensor::ones({3}), c = Tensor::ones({6}), d = Tensor::ones({4});
  CHECK_THROWS_WITH_AS(rational(x.to(Device::cuda), c, d),
                       "rational: expected one device, got x on cuda and numerator on cpu", Error);
  CHECK_THROWS_WITH_AS(rational(x, c, d.to(Device::cuda)),
                       "rational: expected one device, got x on cpu and denominator on cuda",
                       Error);
}
