// Medians, table and JSON.
#include "bench/load_report.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/json.hpp>

namespace lockd::bench {
namespace {

template <class Of>
double median_of(const LoadSeries& series, Of of) {
  std::vector<double> values(series.pairs.size());
  std::ranges::transform(series.pairs, values.begin(), of);
  return median(std::move(values));
}

LoadFigures median_of_figures(const LoadSeries& series, LoadFigures LoadPair::* side) {
  return {.requests_per_second = median_of(series, [=](const auto& pair) { return (pair.*side).requests_per_second; }),
          .cpu_ns_per_request = median_of(series, [=](const auto& pair) { return (pair.*side).cpu_ns_per_request; }),
          .batch = {.p50_us = median_of(series, [=](const auto& pair) { return (pair.*side).batch.p50_us; }),
                    .p99_us = median_of(series, [=](const auto& pair) { return (pair.*side).batch.p99_us; })}};
}

std::string row(const std::string& name, const LoadFigures& lockd, const LoadFigures& floor, double throughput,
                double cpu) {
  return fmt::format("  {:6} {:9.0f} {:9.0f} {:6.2f}   {:7.0f} {:7.0f} {:6.2f}   {:7.0f} {:7.0f}   {:7.0f} {:7.0f}\n",
                     name, lockd.requests_per_second, floor.requests_per_second, throughput, lockd.cpu_ns_per_request,
                     floor.cpu_ns_per_request, cpu, lockd.batch.p50_us, lockd.batch.p99_us, floor.batch.p50_us,
                     floor.batch.p99_us);
}

boost::json::object figures_json(const LoadFigures& figures) {
  return {{"requests_per_second", figures.requests_per_second},
          {"cpu_ns_per_request", figures.cpu_ns_per_request},
          {"batch_p50_us", figures.batch.p50_us},
          {"batch_p99_us", figures.batch.p99_us},
          {"batch_max_us", figures.batch.max_us}};
}

}  // namespace

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

std::string as_table(const LoadSeries& series) {
  std::string table = fmt::format("{} connections, {} in flight on each; acquire and release of own keys\n",
                                  series.connections, series.depth);
  table += "           requests/s              server's ns a request     us a batch, lockd   us a batch, floor\n";
  table += "  round      lockd     floor  ratio     lockd   floor  ratio       p50     p99       p50     p99\n";
  for (std::size_t i = 0; i < series.pairs.size(); ++i) {
    const LoadPair& pair = series.pairs[i];
    table += row(std::to_string(i + 1), pair.lockd, pair.floor, pair.throughput_ratio(), pair.cpu_ratio());
  }
  table += row("median", median_of_figures(series, &LoadPair::lockd), median_of_figures(series, &LoadPair::floor),
               median_of(series, [](const auto& pair) { return pair.throughput_ratio(); }),
               median_of(series, [](const auto& pair) { return pair.cpu_ratio(); }));
  return table;
}

std::string as_json(const std::vector<LoadSeries>& all) {
  boost::json::array result;
  for (const LoadSeries& series : all) {
    boost::json::array pairs;
    for (const LoadPair& pair : series.pairs) {
      pairs.push_back({{"lockd", figures_json(pair.lockd)}, {"floor", figures_json(pair.floor)}});
    }
    result.push_back({{"connections", series.connections}, {"depth", series.depth}, {"pairs", pairs}});
  }
  return boost::json::serialize(result) + "\n";
}

}  // namespace lockd::bench
