#include <doctest/doctest.h>

#include <pade/core/error.h>
#include <pade/core/io/safetensors.h>
#include <pade/core/tape.h>

using namespace pade;

TEST_CASE("load_into copies in place, whatever the order") {
  Tensor weight = Tensor::zeros({2, 2}).requires_grad_();
  Tensor steps = Tensor::zeros({}, DType::int32);
  const SafetensorsFile file{
      "file",
      {{"steps", Tensor::scalar(7, DType::int32)}, {"weight", Tensor::full({2, 2}, 3)}},
      {}};
  load_into({{"weight", weight}, {"steps", steps}}, file);
  CHECK(weight.to_vector<float>() == std::vector<float>(4, 3));
  CHECK(steps.item() == 7);
  CHECK(weight.requires_grad());
  CHECK_FALSE(weight.shares_storage_with(file.at("weight")));
}

TEST_CASE("load_into names everything that does not fit, and then changes nothing") {
  const Tensor fits = Tensor::zeros({3});
  const SafetensorsFile file{"runs/a/last.safetensors",
                             {{"fits", Tensor::ones({3})},
                              {"extra", Tensor::ones({1})},
                              {"shape", Tensor::ones({2, 3})},
                              {"dtype", Tensor::ones({2}, DType::float64)}},
                             {}};
  CHECK_THROWS_WITH_AS(load_into({{"fits", fits},
                                  {"absent", Tensor::zeros({4})},
                                  {"shape", Tensor::zeros({3, 2})},
                                  {"dtype", Tensor::zeros({2})},
                                  {"absent.too", Tensor::zeros({5})}},
                                 file),
                       "runs/a/last.safetensors: does not fit, so nothing was loaded:\n"
                       "  missing: absent [4] float32\n"
                       "  different: shape: expected [3, 2] float32, got [2, 3] float32\n"
                       "  different: dtype: expected [2] float32, got [2] float64\n"
                       "  missing: absent.too [5] float32\n"
                       "  unexpected: extra [1] float32",
                       Error);
  CHECK(fits.to_vector<float>() == std::vector<float>(3, 0));
}

TEST_CASE("load_into does not change what a tape has recorded") {
  const Tensor weight = Tensor::zeros({1});
  const SafetensorsFile file{"file", {{"w", Tensor::ones({1})}}, {}};
  Tape tape;
  CHECK_THROWS_WITH_AS(load_into({{"w", weight}}, file),
                       "load_into: a tape is open; load before recording", Error);
  const NoGrad no_grad;
  load_into({{"w", weight}}, file);
  CHECK(weight.item() == 1);
}
