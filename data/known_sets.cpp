#include <pade/core/names.h>
#include <pade/data/cifar.h>
#include <pade/data/known_sets.h>
#include <pade/data/mnist.h>

namespace pade::data {
namespace {

template <class Set, auto... options>
std::unique_ptr<Dataset> open_as(const std::filesystem::path& folder, Split split) {
  return std::make_unique<Set>(folder, split, options...);
}

KnownSet cifar100(const std::string& name, decltype(KnownSet::open) open) {
  return {.name = name,
          .folder = "cifar-100-binary",
          .urls = {"https://www.cs.toronto.edu/~kriz"},
          .downloads = {{"cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8"}},
          .unpacked = {"train.bin", "test.bin"},
          .python_folder = "cifar-100-python",
          .open = open};
}

}  // namespace

const std::vector<KnownSet>& known_sets() {
  static const std::vector<KnownSet> sets{
      {.name = "fashion-mnist",
       .folder = "fashion-mnist",
       .urls = {"https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion",
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"},
       .downloads = {{"train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"},
                     {"train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"},
                     {"t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"},
                     {"t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"}},
       .package = "dataset-fashion-mnist",
       .open = open_as<FashionMnist>},
      {.name = "mnist",
       .folder = "mnist",
       .urls = {"https://ossci-datasets.s3.amazonaws.com/mnist",
                "http://yann.lecun.com/exdb/mnist"},
       .downloads = {{"train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"},
                     {"train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"},
                     {"t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"},
                     {"t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"}},
       .open = open_as<Mnist>},
      {.name = "cifar10",
       .folder = "cifar-10-batches-bin",
       .urls = {"https://www.cs.toronto.edu/~kriz"},
       .downloads = {{"cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"}},
       .unpacked = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
                    "data_batch_5.bin", "test_batch.bin"},
       .python_folder = "cifar-10-batches-py",
       .open = open_as<Cifar10>},
      cifar100("cifar100", open_as<Cifar100, Cifar100::Labels::fine>),
      cifar100("cifar100-coarse", open_as<Cifar100, Cifar100::Labels::coarse>),
  };
  return sets;
}

const KnownSet* find_known_set(std::string_view name) {
  for (const KnownSet& set : known_sets())
    if (set.name == name) return &set;
  return nullptr;
}

const KnownSet& set_named(std::string_view name) {
  if (const KnownSet* set = find_known_set(name)) return *set;
  std::vector<std::string> names;
  for (const KnownSet& set : known_sets()) names.push_back(set.name);
  fail_unknown_name("data set", name, names);
}

}  // namespace pade::data
