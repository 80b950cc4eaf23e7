'use strict';

// The functions of activations, from their coefficients, in the arithmetic of this page. What is
// rational is P/Q = Σ c_i f_i / Q; see core/rational_form.h and core/polynomial_basis.h.

/** [a, b, c] of f_{k+1} = (a x + b) f_k − c f_{k−1}. */
const kRecurrences = {
  monomial: () => [1, 0, 0],
  chebyshev_t: k => [k === 0 ? 1 : 2, 0, 1],
  chebyshev_u: () => [2, 0, 1],
  hermite_he: k => [1, 0, k],
  hermite_h: k => [2, 0, 2 * k],
  laguerre: k => [-1 / (k + 1), (2 * k + 1) / (k + 1), k / (k + 1)],
  legendre: k => [(2 * k + 1) / (k + 1), 0, k / (k + 1)],
};

const sigmoid = x => 1 / (1 + Math.exp(-x));
const softplus = x => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** 2/√π e^(−x²) Σ 2ⁿ x^(2n+1) / (1 · 3 · … · (2n+1)), whose terms have one sign. */
function erf(x) {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x, sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); ++n) sum += term *= 2 * x * x / (2 * n + 1);
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
}

/** Those of core/formula.h that have constants, which can be learned. */
const kFormulas = {
  leaky_relu: (x, {slope}) => x > 0 ? x : slope * x,
  prelu: (x, {slope}) => x > 0 ? x : slope * x,
  elu: (x, {alpha}) => x > 0 ? x : alpha * Math.expm1(x),
  swish: (x, {beta}) => x * sigmoid(beta * x),
  tanhsoft1: (x, {alpha}) => Math.tanh(alpha * x) * softplus(x),
  tanhsoft2: (x, {beta, gamma}) => x * Math.tanh(beta * Math.exp(gamma * x)),
  tanhsoft3: (x, {alpha}) => Math.log1p(Math.exp(x) * Math.tanh(alpha * x)),
  eis1: (x, {delta, theta}) => x * softplus(x) / (x + delta * Math.exp(-theta * x)),
  eis2: (x, {beta, gamma}) => x * softplus(x) / Math.sqrt(beta + gamma * x * x),
  eis3: (x, {delta, theta}) => x / (1 + delta * Math.exp(-theta * x)),
  smu: (x, {alpha, mu}) => ((1 + alpha) * x + (1 - alpha) * x * erf(mu * (1 - alpha) * x)) / 2,
  erfact: (x, {alpha, beta}) => x * erf(alpha * Math.exp(beta * x)),
  pserf: (x, {gamma, delta}) => x * erf(gamma * softplus(delta * x)),
  era: (x, {a, b, c1, d1, e1, f1, c2, d2, e2, f2}) => a * x + b + (c1 * x + d1) / ((x - e1) ** 2 + f1 ** 2) +
      (c2 * x + d2) / ((x - e2) ** 2 + f2 ** 2),
};

/** {c0: …, d1: …} as [c, d], with d by index: what is not there is 0. */
function rationalParts(names, values) {
  const parts = {c: [], d: []};
  names.forEach((name, k) => { parts[name[0]][Number(name.slice(1))] = values[k]; });
  return [parts.c, Array.from(parts.d, value => value ?? 0)];
}

/** The value and the slope of P/Q at x. */
function rationalAt({basis, form}, [c, d], x) {
  const jump = value => value < 0 ? -1 : 1;
  let f = 1, slope = 0, before = 0, slopeBefore = 0;
  let p = 0, dp = 0, sum = 0, dsum = 0;
  for (let k = 0; k < Math.max(c.length, d.length); ++k) {
    p += (c[k] ?? 0) * f;
    dp += (c[k] ?? 0) * slope;
    const term = (d[k] ?? 0) * f, dterm = (d[k] ?? 0) * slope;
    sum += form === 'termwise' ? Math.abs(term) : term;
    dsum += form === 'termwise' ? jump(term) * dterm : dterm;
    const [a, b, drop] = kRecurrences[basis](k);
    [f, slope, before, slopeBefore] =
        [(a * x + b) * f - drop * before, a * f + (a * x + b) * slope - drop * slopeBefore, f, slope];
  }
  const magnitude = form === 'whole_sum' || form === 'full_sum';
  const q = (form === 'full_sum' ? 0.1 : 1) + (magnitude ? Math.abs(sum) : sum);
  const value = p / q;
  return [value, (dp - value * (magnitude ? jump(sum) * dsum : dsum)) / q];
}

/** [f, f′] at x of a layer of this kind; the slope of a formula by a central difference. */
function functionAt({kind, coefficients: names}, values, x) {
  if (kind.basis) return rationalAt(kind, rationalParts(names, values), x);
  const constants = Object.fromEntries(names.map((name, k) => [name, values[k]]));
  const f = at => kFormulas[kind.formula](at, constants), step = 1e-5 * Math.max(1, Math.abs(x));
  return [f(x), (f(x + step) - f(x - step)) / (2 * step)];
}

/** The real roots in [low, high] of Σ p_k x^k: between the neighbouring ones of its derivative there
 *  is at most one. */
function realRoots(p, low, high) {
  while (p.length > 0 && p[p.length - 1] === 0) p = p.slice(0, -1);
  if (p.length < 2) return [];
  const at = x => p.reduceRight((sum, power) => sum * x + power, 0);
  const turns = realRoots(p.slice(1).map((power, k) => power * (k + 1)), low, high);
  const ends = [low, ...turns, high], roots = [];
  const nothing = 1e-12 * Math.max(...p.map((power, k) => Math.abs(power) * Math.max(-low, high, 1) ** k));
  for (let i = 0; i + 1 < ends.length; ++i) {
    let [left, right] = [ends[i], ends[i + 1]];
    if (Math.abs(at(left)) <= nothing) roots.push(left);
    else if (Math.abs(at(right)) > nothing && at(left) < 0 !== at(right) < 0) {
      const rising = at(left) < 0;
      for (let step = 0; step < 60; ++step) {
        const middle = (left + right) / 2;
        if (at(middle) < 0 === rising) left = middle; else right = middle;
      }
      roots.push(left);
    }
  }
  if (Math.abs(at(high)) <= nothing) roots.push(high);
  return roots.filter((root, i) => i === 0 || root > roots[i - 1]);
}

/** Where Q is 0 in [low, high], of the form that does not keep it from that. */
function polesOf({kind, coefficients: names}, values, [low, high]) {
  if (kind.form !== 'unsafe') return [];
  const [, d] = rationalParts(names, values);
  let f = [1], before = [];
  const q = [1, ...Array(Math.max(0, d.length - 1)).fill(0)];
  d.forEach((weight, k) => {
    f.forEach((power, i) => { q[i] += weight * power; });
    const [a, b, drop] = kRecurrences[kind.basis](k);
    const next = [...f.map(power => b * power), 0];
    f.forEach((power, i) => { next[i + 1] += a * power; });
    before.forEach((power, i) => { next[i] -= drop * power; });
    [f, before] = [next, f];
  });
  return realRoots(q, low, high);
}
