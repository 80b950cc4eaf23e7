// nvcuda::wmma for the emulation.  Element e of a tile lives in lane e%32, slot e/32: a mapping of
// our own, as NVIDIA leaves its mapping unspecified, so code that relies on one fails here.
#pragma once
#include <cuda_runtime.h>
namespace nvcuda::wmma {
struct matrix_a {};
struct matrix_b {};
struct accumulator {};
struct row_major {};
struct col_major {};
enum layout_t { mem_row_major, mem_col_major };
namespace precision {
struct tf32 {};
}  // namespace precision
namespace detail {
template <class T>
struct storage {
  using type = T;
};
template <>
struct storage<precision::tf32> {
  using type = float;
};
template <class U, int M, int N, int K>
struct shape;
template <int M, int N, int K>
struct shape<matrix_a, M, N, K> {
  static constexpr int r = M, c = K;
};
template <int M, int N, int K>
struct shape<matrix_b, M, N, K> {
  static constexpr int r = K, c = N;
};
template <int M, int N, int K>
struct shape<accumulator, M, N, K> {
  static constexpr int r = M, c = N;
};
}  // namespace detail
template <class U, int M, int N, int K, class T, class L = void>
struct fragment {
  using S = detail::shape<U, M, N, K>;
  using type = typename detail::storage<T>::type;
  static constexpr int num_elements = S::r * S::c / 32;
  type x[num_elements];
};
inline float __float_to_tf32(float v) {  // round to nearest, ties away: 10 mantissa bits
  unsigned u = __float_as_uint(v);
  if ((u & 0x7f800000u) != 0x7f800000u) u = (u + 0x1000u) & ~0x1fffu;
  return __uint_as_float(u);
}
#define EMU_LOC emu::Loc loc = emu::Loc::current()
template <class U, int M, int N, int K, class T, class L, class V>
void fill_fragment(fragment<U, M, N, K, T, L>& f, V v) {
  for (auto& e : f.x) e = v;
}
namespace detail {
template <class F, bool rows>
[[gnu::noinline, gnu::no_sanitize_thread]] void load(F& f, const typename F::type* p, unsigned ld,
                                                     const void* pc) {
  unsigned l = emu::lane();
  for (int i = 0; i < F::num_elements; ++i) {
    unsigned e = i * 32 + l, r = e / F::S::c, c = e % F::S::c;
    auto q = p + (rows ? size_t(r) * ld + c : size_t(c) * ld + r);
    emu::access(q, sizeof *q, false, false, pc);
    f.x[i] = *q;
  }
}
}  // namespace detail
template <class U, int M, int N, int K, class T, class L>
void load_matrix_sync(fragment<U, M, N, K, T, L>& f,
                      const typename fragment<U, M, N, K, T, L>::type* p, unsigned ld, EMU_LOC) {
  emu::warp_collect(~0u, emu::Coll::sync, nullptr, 0, loc);
  if ((uintptr_t)p % 32 || ld * sizeof(*p) % 16)
    emu::device_fail(
        "wmma: the pointer needs 32-byte alignment and the leading dimension a multiple of 16 "
        "bytes",
        loc);
  detail::load<fragment<U, M, N, K, T, L>, std::is_same_v<L, row_major>>(
      f, p, ld, __builtin_return_address(0));
}
template <int M, int N, int K, class T>
[[gnu::noinline, gnu::no_sanitize_thread]] void store_matrix_sync(
    T* p, const fragment<accumulator, M, N, K, T>& f, unsigned ld, layout_t lay, EMU_LOC) {
  emu::warp_collect(~0u, emu::Coll::sync, nullptr, 0, loc);
  unsigned l = emu::lane();
  for (int i = 0; i < f.num_elements; ++i) {
    unsigned e = i * 32 + l, r = e / N, c = e % N;
    T* q = p + (lay == mem_row_major ? size_t(r) * ld + c : size_t(c) * ld + r);
    emu::access(q, sizeof *q, true, false, __builtin_return_address(0));
    *q = f.x[i];
  }
  emu::warp_collect(~0u, emu::Coll::sync, nullptr, 0, loc);
}
template <int M, int N, int K, class A, class LA, class B, class LB, class C>
[[gnu::noinline, gnu::no_sanitize_thread]] void mma_sync(
    fragment<accumulator, M, N, K, C>& d, const fragment<matrix_a, M, N, K, A, LA>& a,
    const fragment<matrix_b, M, N, K, B, LB>& b, const fragment<accumulator, M, N, K, C>& c,
    EMU_LOC) {
  struct Ops {
    const fragment<matrix_a, M, N, K, A, LA>* a;
    const fragment<matrix_b, M, N, K, B, LB>* b;
  } ops{&a, &b};
  const emu::WarpView& w = emu::warp_collect(~0u, emu::Coll::mma, &ops, 0, loc);
  if (w.arrived != ~0u) emu::device_fail("wmma: needs all 32 lanes", loc);
  const Ops* o[32];
  for (int i = 0; i < 32; ++i) std::memcpy(&o[i], w.val[i], sizeof(void*));
  C out[M * N / 32];
  for (int i = 0; i < M * N / 32; ++i) {  // each lane computes the elements it owns
    unsigned e = i * 32 + emu::lane(), r = e / N, col = e % N;
    float s = 0;
    for (int k = 0; k < K; ++k) {
      unsigned ea = r * K + k, eb = k * N + col;
      float x = float(o[ea % 32]->a->x[ea / 32]), y = float(o[eb % 32]->b->x[eb / 32]);
      if constexpr (std::is_same_v<A, precision::tf32>) {
        x = __uint_as_float(__float_as_uint(x) & ~0x1fffu);
        y = __uint_as_float(__float_as_uint(y) & ~0x1fffu);
      }  // the unit ignores the low bits
      s += x * y;
    }
    out[i] = C(float(c.x[i]) + s);
  }
  emu::warp_collect(~0u, emu::Coll::sync, nullptr, 0,
                    loc);  // all have read before any fragment changes
  for (int i = 0; i < M * N / 32; ++i) d.x[i] = out[i];
}
#undef EMU_LOC
}  // namespace nvcuda::wmma
