#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>

#include <pade/core/error.h>
#include <pade/core/least_squares.h>
#include <pade/core/names.h>
#include <pade/layers/rational_fit.h>

namespace pade {
namespace {

double sign(double value) { return value < 0 ? -1 : 1; }

/// G and its derivatives by the coefficients at one x, as rational.h writes them.
struct Point {
  double value = 0;
  std::vector<double> by_coefficient;  // c_0 … c_m, d_1 … d_n
};

Point evaluate(const RationalFunction& g, double x) {
  const auto f = evaluate_basis(g.options.basis, x);
  const RationalForm form = g.options.form;
  double p = 0, sum = 0;
  for (size_t i = 0; i < g.c.size(); ++i) p += g.c[i] * f[i];
  for (size_t j = 1; j <= g.d.size(); ++j) {
    const double term = g.d[j - 1] * f[j];
    sum += form == RationalForm::termwise ? std::abs(term) : term;
  }
  const double q = 1 + (form == RationalForm::whole_sum ? std::abs(sum) : sum);
  Point point{p / q, {}};
  for (size_t i = 0; i < g.c.size(); ++i) point.by_coefficient.push_back(f[i] / q);
  for (size_t j = 1; j <= g.d.size(); ++j) {
    const double of_q = form == RationalForm::termwise    ? sign(g.d[j - 1]) * std::abs(f[j])
                        : form == RationalForm::whole_sum ? sign(sum) * f[j]
                                                          : f[j];
    point.by_coefficient.push_back(-of_q * point.value / q);
  }
  return point;
}

class Fit {
 public:
  Fit(const std::function<double(double)>& target, RationalOptions options, int m, int n,
      FitOptions fit)
      : options_(options), m_(m), n_(n) {
    for (int i = 0; i < fit.points; ++i) {
      x_.push_back(fit.low + (fit.high - fit.low) * i / (fit.points - 1));
      y_.push_back(target(x_.back()));
      check(std::isfinite(y_.back()), "fit_rational: the target is ", y_.back(), " at ", x_.back());
    }
  }

  FitResult best() const {
    RationalFunction best;
    double least = std::numeric_limits<double>::infinity();
    // The denominator's terms start at these shares of its constant term, all or the even ones.
    for (const double share : {0.0, 0.03, 0.3, 1.0, 3.0, 10.0})
      for (const bool even_only : {false, true}) {
        if (n_ == 0 && (share > 0 || even_only)) continue;
        const RationalFunction end = descend(start(share, even_only));
        const double cost = squared_error(end);
        if (!(cost < least)) continue;
        least = cost;
        best = end;
      }
    check(!best.c.empty(), "fit_rational: no start led to a finite fit");
    if (options_.form == RationalForm::termwise)
      for (double& d : best.d) d = std::abs(d);
    return measure(best);
  }

 private:
  /// Denominator given, the numerator is a linear least-squares problem.
  RationalFunction start(double share, bool even_only) const {
    RationalFunction g{options_, std::vector<double>(m_ + 1, 0), std::vector<double>(n_, 0)};
    for (int j = 1; j <= n_; ++j) {
      if (even_only && j % 2) continue;
      double largest = 0;
      for (double x : x_)
        largest = std::max(largest, std::abs(evaluate_basis(options_.basis, x)[j]));
      g.d[j - 1] = largest > 0 ? share * j / largest : 0;
    }
    std::vector<double> columns((m_ + 1) * x_.size());
    for (size_t k = 0; k < x_.size(); ++k) {
      const Point point = evaluate(g, x_[k]);
      for (int i = 0; i <= m_; ++i) columns[i * x_.size() + k] = point.by_coefficient[i];
    }
    g.c = least_squares(std::move(columns), y_, m_ + 1);
    return g;
  }

  double squared_error(const RationalFunction& g) const {
    double total = 0;
    for (size_t k = 0; k < x_.size(); ++k) {
      const double error = g(x_[k]) - y_[k];
      total += error * error;
    }
    return total;
  }

  /// Levenberg–Marquardt with Marquardt's scaling: each step minimises |J δ + r|² + λ |D δ|², where
  /// D holds the norms of J's columns, so that the bases' different magnitudes do not matter.
  RationalFunction descend(RationalFunction g) const {
    const size_t rows = x_.size();
    const int unknowns = m_ + 1 + n_;
    double cost = squared_error(g), lambda = 1e-2;
    for (int iteration = 0; iteration < 300 && lambda < 1e12; ++iteration) {
      std::vector<double> a(unknowns * (rows + unknowns), 0), b(rows + unknowns, 0);
      for (size_t k = 0; k < rows; ++k) {
        const Point point = evaluate(g, x_[k]);
        b[k] = y_[k] - point.value;
        for (int i = 0; i < unknowns; ++i) a[i * (rows + unknowns) + k] = point.by_coefficient[i];
      }
      for (int i = 0; i < unknowns; ++i) {
        double* column = &a[i * (rows + unknowns)];
        double norm = 0;
        for (size_t k = 0; k < rows; ++k) norm += column[k] * column[k];
        column[rows + i] = std::sqrt(lambda * std::max(norm, 1e-30));
      }
      const std::vector<double> step = least_squares(std::move(a), std::move(b), unknowns);
      RationalFunction next = g;
      for (int i = 0; i <= m_; ++i) next.c[i] += step[i];
      for (int j = 0; j < n_; ++j) next.d[j] += step[m_ + 1 + j];
      const double next_cost = squared_error(next);
      if (!(next_cost < cost)) {
        lambda *= 4;
        continue;
      }
      const bool converged = cost - next_cost < 1e-13 * cost;
      g = std::move(next);
      cost = next_cost;
      lambda = std::max(lambda / 5, 1e-15);
      if (converged) break;
    }
    return g;
  }

  FitResult measure(const RationalFunction& g) const {
    FitResult result{g, std::sqrt(squared_error(g) / static_cast<double>(x_.size())), 0};
    for (size_t k = 0; k < x_.size(); ++k)
      result.max_error = std::max(result.max_error, std::abs(g(x_[k]) - y_[k]));
    return result;
  }

  RationalOptions options_;
  int m_, n_;
  std::vector<double> x_, y_;
};

}  // namespace

double RationalFunction::operator()(double x) const { return evaluate(*this, x).value; }

std::function<double(double)> fit_target_named(std::string_view name) {
  static const std::map<std::string, double (*)(double), std::less<>> targets = {
      {"identity", [](double x) { return x; }},
      {"relu", [](double x) { return std::max(x, 0.0); }},
      {"leaky_relu", [](double x) { return x > 0 ? x : 0.01 * x; }},
      {"gelu", [](double x) { return x * std::erfc(-x / std::sqrt(2.0)) / 2; }},
      {"swish", [](double x) { return x / (1 + std::exp(-x)); }},
      {"tanh", [](double x) { return std::tanh(x); }},
      {"sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }},
  };
  if (const auto found = targets.find(name); found != targets.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [key, function] : targets) known.push_back(key);
  fail_unknown_name("function to start from", name, known);
}

FitResult fit_rational(const std::function<double(double)>& target, RationalOptions options, int m,
                       int n, FitOptions fit) {
  check(m >= 0 && n >= 0 && m <= kMaxDegree && n <= kMaxDegree, "fit_rational: degrees ", m, "/", n,
        " are outside 0/0 to ", kMaxDegree, "/", kMaxDegree);
  check(std::isfinite(fit.low) && std::isfinite(fit.high) && fit.low < fit.high,
        "fit_rational: the interval [", fit.low, ", ", fit.high, "] is empty");
  check(fit.points > m + n + 1, "fit_rational: ", fit.points, " points for ", m + n + 1,
        " coefficients");
  return Fit(target, options, m, n, fit).best();
}

}  // namespace pade
