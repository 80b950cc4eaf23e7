#include <algorithm>
#include <cmath>
#include <utility>

#include <pade/core/error.h>
#include <pade/layers/study/linear_minimax.h>

namespace pade {
namespace {

/// The program, with v = (x, E): least E such that E − s (A x + r)_k >= 0 for s = ±1 and every k,
/// x_i >= low_i, and −x_i >= −high_i. Its dual is: greatest Σ b_j y_j such that Σ y_j a_j is the
/// last unit vector, y >= 0, where a_j v >= b_j are those constraints. A basis is as many of them
/// as v has entries; the v that meets them with equality is the answer once it meets all.
class DualSimplex {
 public:
  DualSimplex(const std::vector<double>& a, const std::vector<double>& r,
              const std::vector<double>& low, const std::vector<double>& high)
      : a_(a), r_(r), low_(low), high_(high), n_(low.size()), size_(n_ + 1) {}

  LinearMinimax solve() {
    start();
    for (int iteration = 0; iteration < 2000; ++iteration) {
      if (!invert()) return {};
      const std::vector<double> v = vertex();
      const Constraint entering = most_violated(v);
      if (entering.kind == Kind::none) return {{v.begin(), v.end() - 1}, v.back(), true};
      if (!exchange(entering)) return {};
    }
    return {};
  }

 private:
  enum class Kind { none, error, low, high };
  struct Constraint {
    Kind kind = Kind::none;
    size_t index = 0;
    double sign = 1;  // s, for Kind::error
  };

  /// The constraint of the largest |r| and one bound for each x, with which y >= 0.
  void start() {
    size_t top = 0;
    for (size_t k = 1; k < r_.size(); ++k)
      if (std::abs(r_[k]) > std::abs(r_[top])) top = k;
    const double sign = r_[top] < 0 ? -1 : 1;
    for (size_t i = 0; i < n_; ++i)
      basis_.push_back({sign * a_[i * r_.size() + top] >= 0 ? Kind::low : Kind::high, i});
    basis_.push_back({Kind::error, top, sign});
  }

  std::vector<double> normal(const Constraint& constraint) const {
    std::vector<double> normal(size_, 0);
    if (constraint.kind == Kind::error) {
      for (size_t i = 0; i < n_; ++i)
        normal[i] = -constraint.sign * a_[i * r_.size() + constraint.index];
      normal[n_] = 1;
    } else {
      normal[constraint.index] = constraint.kind == Kind::low ? 1 : -1;
    }
    return normal;
  }

  double bound(const Constraint& constraint) const {
    switch (constraint.kind) {
      case Kind::error: return constraint.sign * r_[constraint.index];
      case Kind::low: return low_[constraint.index];
      case Kind::high: return -high_[constraint.index];
      case Kind::none: break;
    }
    return 0;
  }

  /// Inverts the matrix of the basis, whose columns are the normals, by Gauss–Jordan elimination.
  bool invert() {
    const size_t width = 2 * size_;
    std::vector<double> work(size_ * width, 0);
    for (size_t j = 0; j < size_; ++j) {
      const std::vector<double> column = normal(basis_[j]);
      for (size_t i = 0; i < size_; ++i) work[i * width + j] = column[i];
      work[j * width + size_ + j] = 1;
    }
    for (size_t column = 0; column < size_; ++column) {
      size_t pivot = column;
      for (size_t i = column + 1; i < size_; ++i)
        if (std::abs(work[i * width + column]) > std::abs(work[pivot * width + column])) pivot = i;
      const double value = work[pivot * width + column];
      if (!(std::abs(value) > 1e-13)) return false;
      for (size_t j = 0; j < width; ++j) {
        std::swap(work[pivot * width + j], work[column * width + j]);
        work[column * width + j] /= value;
      }
      for (size_t i = 0; i < size_; ++i) {
        const double factor = work[i * width + column];
        if (i == column || factor == 0) continue;
        for (size_t j = column; j < width; ++j)
          work[i * width + j] -= factor * work[column * width + j];
      }
    }
    inverse_.resize(size_ * size_);
    for (size_t i = 0; i < size_; ++i)
      for (size_t j = 0; j < size_; ++j) inverse_[i * size_ + j] = work[i * width + size_ + j];
    return true;
  }

  /// The v that meets the basis' constraints with equality.
  std::vector<double> vertex() const {
    std::vector<double> v(size_, 0);
    for (size_t j = 0; j < size_; ++j)
      for (size_t i = 0; i < size_; ++i) v[i] += inverse_[j * size_ + i] * bound(basis_[j]);
    return v;
  }

  Constraint most_violated(const std::vector<double>& v) const {
    std::vector<double> error = r_;
    for (size_t i = 0; i < n_; ++i)
      for (size_t k = 0; k < error.size(); ++k) error[k] += a_[i * error.size() + k] * v[i];
    Constraint worst;
    double violation = 1e-11 * (1 + std::abs(v[n_]));
    for (size_t k = 0; k < error.size(); ++k)
      if (std::abs(error[k]) - v[n_] > violation) {
        violation = std::abs(error[k]) - v[n_];
        worst = {Kind::error, k, error[k] < 0 ? -1.0 : 1.0};
      }
    for (size_t i = 0; i < n_; ++i) {
      if (low_[i] - v[i] > violation) {
        violation = low_[i] - v[i];
        worst = {Kind::low, i};
      }
      if (v[i] - high_[i] > violation) {
        violation = v[i] - high_[i];
        worst = {Kind::high, i};
      }
    }
    return worst;
  }

  /// Takes `entering` into the basis, in place of the constraint whose y falls to 0 first.
  bool exchange(const Constraint& entering) {
    const std::vector<double> column = normal(entering);
    size_t leaving = size_;
    double least = 0;
    for (size_t j = 0; j < size_; ++j) {
      double share = 0;
      for (size_t i = 0; i < size_; ++i) share += inverse_[j * size_ + i] * column[i];
      if (share <= 1e-11) continue;
      const double ratio = std::max(inverse_[j * size_ + n_], 0.0) / share;
      if (leaving < size_ && ratio >= least) continue;
      leaving = j;
      least = ratio;
    }
    if (leaving == size_) return false;
    basis_[leaving] = entering;
    return true;
  }

  const std::vector<double>&a_, &r_, &low_, &high_;
  size_t n_, size_;
  std::vector<Constraint> basis_;
  std::vector<double> inverse_;
};

}  // namespace

LinearMinimax linear_minimax(const std::vector<double>& a, const std::vector<double>& r,
                             const std::vector<double>& low, const std::vector<double>& high) {
  check(
      !r.empty() && !low.empty() && low.size() == high.size() && a.size() == r.size() * low.size(),
      "linear_minimax: ", a.size(), " entries for ", r.size(), " rows, and bounds for ", low.size(),
      " and ", high.size(), " unknowns");
  for (size_t i = 0; i < low.size(); ++i)
    check(std::isfinite(low[i]) && std::isfinite(high[i]) && low[i] <= high[i],
          "linear_minimax: the bounds [", low[i], ", ", high[i], "] of unknown ", i);
  return DualSimplex(a, r, low, high).solve();
}

}  // namespace pade
