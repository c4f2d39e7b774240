#include "engine/connections.hpp"

#include <algorithm>
#include <exception>

namespace stoq::engine {

Connections::~Connections() {
  try {
    disconnect();
  } catch (const std::exception&) {
    // Only on the way out of an earlier failure, which is the one that is told.
    connected_ = 0;
  }
}

void Connections::add(Connector& connector, ConnectorUse use) {
  const auto known = std::find_if(all_.begin(), all_.end(),
                                  [&](const One& one) { return one.connector == &connector; });
  auto& joined = known != all_.end() ? *known : all_.emplace_back(One{&connector, {}});
  joined.use.results = joined.use.results || use.results;
  joined.use.archive = joined.use.archive || use.archive;
  joined.use.fetch = joined.use.fetch || use.fetch;
}

void Connections::connect() {
  while (connected_ < all_.size()) {
    const auto& [connector, use] = all_[connected_];
    connector->connect(use);
    ++connected_;
  }
}

void Connections::disconnect() {
  std::exception_ptr problem;
  while (connected_ > 0) {
    try {
      all_[--connected_].connector->disconnect();
    } catch (const std::exception&) {
      if (!problem) problem = std::current_exception();
    }
  }
  if (problem) std::rethrow_exception(problem);
}

}  // namespace stoq::engine
