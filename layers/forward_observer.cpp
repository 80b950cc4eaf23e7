#include <utility>

#include <pade/core/scope.h>
#include <pade/layers/forward_observer.h>

namespace pade {
namespace {

thread_local ForwardObserver* active_observer = nullptr;

}  // namespace

ForwardObserver::ForwardObserver(Function observe)
    : observe_(std::move(observe)), outer_(active_observer) {
  active_observer = this;
}
ForwardObserver::~ForwardObserver() { active_observer = outer_; }

bool ForwardObserver::is_active() { return active_observer && active_observer->observe_; }

void ForwardObserver::show(Module& module, const Tensor& input, const Tensor& output) {
  if (is_active()) active_observer->observe_(Scope::path(), module, input, output);
}

}  // namespace pade
