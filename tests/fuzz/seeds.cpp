// Writes what the fuzzers begin with: for each target a folder of inputs that it takes, where they
// are not in tests/fixtures.
//   fuzz_seeds FOLDER

#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <zlib.h>
#include <nlohmann/json.hpp>

#include <pade/core/error.h>
#include <pade/core/io/safetensors.h>

#include "data/image_files.h"
#include "small_training.h"
#include "support/options.h"

using namespace pade;

namespace {

namespace fs = std::filesystem;

class Seeds {
 public:
  Seeds(const fs::path& root, const std::string& target) : folder_(root / target) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  fs::path next() { return folder_ / std::to_string(count_++); }
  void add(const std::string& bytes) { std::ofstream(next(), std::ios::binary) << bytes; }

 private:
  fs::path folder_;
  int count_ = 0;
};

void write_tensors(Seeds seeds) {
  write_safetensors(
      seeds.next(),
      {{"weight", Tensor::ones({2, 3})}, {"pixels", Tensor::zeros({4}, DType::uint8)}},
      {{"format", "pt"}});
  write_safetensors(seeds.next(), {{"scale", Tensor::scalar(2, DType::float64)},
                                   {"steps", Tensor::arange(3)},
                                   {"none", Tensor::empty({0, 2})}});
}

void write_states(Seeds seeds) {
  fuzz::SmallTraining training;
  support::write_state(seeds.next(), training.state(), {.epoch = 3, .batch = 5});
}

void write_arrays(Seeds seeds) {
  using namespace std::string_literals;
  const std::string labels = "\0\0\x08\1\0\0\0\3\1\2\3"s;
  const std::string images = "\0\0\x08\3\0\0\0\2\0\0\0\2\0\0\0\3pixels, 2x2x"s;
  for (const std::string& plain : {labels, images}) {
    seeds.add(plain);
    const gzFile packed = gzopen(seeds.next().c_str(), "wb");
    check(gzwrite(packed, plain.data(), static_cast<unsigned>(plain.size())) > 0 &&
              gzclose(packed) == Z_OK,
          "cannot write a gzip'd seed");
  }
}

void write_images(Seeds seeds) {
  using testing::ImageFormat;
  for (const ImageFormat format : {ImageFormat::png, ImageFormat::jpeg, ImageFormat::bmp})
    for (const int channels : {1, 3, 4}) {
      std::vector<uint8_t> pixels(static_cast<size_t>(9 * 11 * channels));
      for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * 37);
      seeds.add(testing::image_bytes(format, 9, 11, channels, pixels));
    }
}

void write_specs(Seeds seeds) {
  for (const char* spec :
       {"relu", "leaky_relu:slope=0.1", "swish:beta=2,trainable=true",
        "hp1:groups=2,trainable=false", "opau:basis=legendre,degrees=3/2,init=gelu,interval=-4:4",
        "hermite:degree=3,noise=0.1", "pau:form=whole_sum,zero_centred=true",
        "hp2:groups=channel,form=unsafe"})
    seeds.add(spec);
}

void write_samples(Seeds seeds) {
  seeds.add("x,y\n-1,0.5\n0,0\n1e-3,2\n");
  seeds.add("-1,-1\n\n+2,.5\n");
}

void write_run_records(Seeds seeds) {
  const support::TrainingOptions options;
  nlohmann::ordered_json record{{"program", "lenet"}};
  support::for_each_recorded(options, [&](const std::string& name, const auto& value) {
    if constexpr (requires { value.has_value(); })
      record["options"][name] = nullptr;
    else
      record["options"][name] = value;
  });
  seeds.add(record.dump());
  record["input"] = {{"shape", {1, 28, 28}}, {"mean", {0.5}}, {"std", {0.25}}};
  seeds.add(record.dump());
  record["options"]["width"] = 6;
  record["classes"] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  seeds.add(record.dump());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: fuzz_seeds FOLDER\n";
    return 2;
  }
  const fs::path root = argv[1];
  try {
    write_tensors({root, "safetensors"});
    write_states({root, "state"});
    write_arrays({root, "idx"});
    write_images({root, "image"});
    write_specs({root, "spec"});
    write_samples({root, "samples"});
    write_run_records({root, "run_record"});
  } catch (const Error& error) {
    std::cerr << "fuzz_seeds: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
