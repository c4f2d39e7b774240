/// The connectors of a run, each connected once for all that is wanted of it.
#pragma once

#include <cstddef>
#include <vector>

#include <stoq/plugin.hpp>

namespace stoq::engine {

class Connections {
 public:
  Connections() = default;
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  /// Before connect(). Of a connector that was added before, the uses are joined.
  void add(Connector& connector, ConnectorUse use);
  /// Connects all, in the order in which they were added. Throws what a connector throws.
  void connect();
  /// Disconnects those that are connected; all are tried, then what the first one threw is thrown.
  void disconnect();

 private:
  struct One {
    Connector* connector;
    ConnectorUse use;
  };
  std::vector<One> all_;
  std::size_t connected_ = 0;
};

}  // namespace stoq::engine
