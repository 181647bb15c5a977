#include "tests/bench/matching/cbc_oracle.h"

#include <Cbc_C_Interface.h>

#include <memory>

namespace ridestream::bench {

std::optional<std::vector<std::size_t>> CheapestPartition(
    std::size_t rows, std::size_t at_most_once, const std::vector<PartitionColumn>& columns) {
  std::vector<CoinBigIndex> starts{0};
  std::vector<int> indexes;
  std::vector<double> costs;
  for (const PartitionColumn& column : columns) {
    for (const std::size_t row : column.rows) indexes.push_back(static_cast<int>(row));
    starts.push_back(static_cast<CoinBigIndex>(indexes.size()));
    costs.push_back(column.cost);
  }
  const std::vector<double> ones(indexes.size(), 1), zeros(columns.size(), 0);
  const std::vector<double> most_of_column(columns.size(), 1), most(rows, 1);
  std::vector<double> least(rows, 0);
  for (std::size_t row = 0; row < at_most_once; ++row) least[row] = 1;

  const std::unique_ptr<Cbc_Model, decltype(&Cbc_deleteModel)> model(Cbc_newModel(),
                                                                     &Cbc_deleteModel);
  Cbc_setParameter(model.get(), "log", "0");
  Cbc_loadProblem(model.get(), static_cast<int>(columns.size()), static_cast<int>(rows),
                  starts.data(), indexes.data(), ones.data(), zeros.data(), most_of_column.data(),
                  costs.data(), least.data(), most.data());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    Cbc_setInteger(model.get(), static_cast<int>(i));
  }
  Cbc_solve(model.get());
  if (Cbc_isProvenOptimal(model.get()) == 0) return std::nullopt;
  const double* const values = Cbc_getColSolution(model.get());
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (values[i] > 0.5) chosen.push_back(i);
  }
  return chosen;
}

}  // namespace ridestream::bench
