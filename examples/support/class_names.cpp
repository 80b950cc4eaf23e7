#include "support/class_names.h"

#include <algorithm>
#include <utility>

namespace pade::support {
namespace {

/// As the sets' own files and pages have them, by label, with commas between.
constexpr std::pair<std::string_view, std::string_view> kNames[] = {
    {"fashion-mnist",
     "T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,"
     "Ankle boot"},
    {"mnist", "0,1,2,3,4,5,6,7,8,9"},
    {"cifar10", "airplane,automobile,bird,cat,deer,dog,frog,horse,ship,truck"},
    {"cifar100",
     "apple,aquarium_fish,baby,bear,beaver,bed,bee,beetle,bicycle,bottle,"
     "bowl,boy,bridge,bus,butterfly,camel,can,castle,caterpillar,cattle,"
     "chair,chimpanzee,clock,cloud,cockroach,couch,crab,crocodile,cup,"
     "dinosaur,dolphin,elephant,flatfish,forest,fox,girl,hamster,house,"
     "kangaroo,keyboard,lamp,lawn_mower,leopard,lion,lizard,lobster,man,"
     "maple_tree,motorcycle,mountain,mouse,mushroom,oak_tree,orange,orchid,"
     "otter,palm_tree,pear,pickup_truck,pine_tree,plain,plate,poppy,porcupine,"
     "possum,rabbit,raccoon,ray,road,rocket,rose,sea,seal,shark,shrew,"
     "skunk,skyscraper,snail,snake,spider,squirrel,streetcar,sunflower,"
     "sweet_pepper,table,tank,telephone,television,tiger,tractor,train,trout,"
     "tulip,turtle,wardrobe,whale,willow_tree,wolf,woman,worm"},
    {"cifar100-coarse",
     "aquatic_mammals,fish,flowers,food_containers,fruit_and_vegetables,"
     "household_electrical_devices,household_furniture,insects,large_carnivores,"
     "large_man-made_outdoor_things,large_natural_outdoor_scenes,"
     "large_omnivores_and_herbivores,medium_mammals,non-insect_invertebrates,"
     "people,reptiles,small_mammals,trees,vehicles_1,vehicles_2"}};

}  // namespace

std::vector<std::string> class_names(std::string_view dataset) {
  std::vector<std::string> names;
  for (const auto& [known, list] : kNames) {
    if (known != dataset) continue;
    for (size_t begin = 0; begin < list.size();) {
      const size_t end = std::min(list.find(',', begin), list.size());
      names.emplace_back(list.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return names;
}

}  // namespace pade::support
