#include "support/metrics.h"

#include <pade/core/ops/reduce.h>

namespace pade::support {

void Totals::add(const Tensor& batch_loss, const Tensor& logits, const Tensor& labels) {
  const std::vector<int32_t> answer = argmax(logits.detach(), 1).to_vector<int32_t>();
  const std::vector<int32_t> label = labels.to_vector<int32_t>();
  for (size_t i = 0; i < label.size(); ++i) correct += answer[i] == label[i];
  images += labels.size();
  loss += batch_loss.item() * static_cast<double>(labels.size());
}

Totals Totals::over(Communicator& ranks) const {
  const Tensor sums =
      Tensor::from<double>({loss, static_cast<double>(correct), static_cast<double>(images)}, {3});
  ranks.all_reduce(sums);
  return {sums.at({0}), static_cast<int64_t>(sums.at({1})), static_cast<int64_t>(sums.at({2}))};
}

Evaluation Totals::mean() const {
  const double count = static_cast<double>(images);
  return {loss / count, static_cast<double>(correct) / count};
}

}  // namespace pade::support
