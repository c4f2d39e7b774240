/// The figures of repeated runs, in tables: what `stoq bench` prints and writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/run.hpp"

namespace stoq::cli {

/// One quantity, once a run.
class Figure {
 public:
  void add(double value) { values_.push_back(value); }
  [[nodiscard]] bool empty() const noexcept { return values_.empty(); }
  [[nodiscard]] double median() const;
  [[nodiscard]] double least() const;
  [[nodiscard]] double greatest() const;
  /// Half of what lies between the two, as a share of the median.
  [[nodiscard]] double spread() const;

 private:
  std::vector<double> values_;
};

enum class Unit : std::uint8_t { count, bytes, seconds, share, rate, megabytes };

/// What stands in a column.
struct Column {
  const char* key;      ///< in JSON
  const char* heading;  ///< on a terminal; null: not shown there
  Unit unit;
  bool wide = false;    ///< shown where there is room only
  bool spread = false;  ///< shown with its spread
};

struct FigureRow {
  std::vector<std::string> names;
  std::vector<Figure> figures;
};

/// Rows by name; the first figure orders them, greatest first, unless they are in a given order.
class FigureTable {
 public:
  FigureTable(const char* key, std::vector<const char*> names, std::vector<Column> columns)
      : key_(key), names_(std::move(names)), columns_(std::move(columns)) {}

  /// Adds one run's values to the row of that name.
  void add(std::vector<std::string> names, const std::vector<double>& values);
  void sort();
  void cut(std::size_t rows);

  [[nodiscard]] const char* key() const noexcept { return key_; }
  [[nodiscard]] const std::vector<const char*>& names() const noexcept { return names_; }
  [[nodiscard]] const std::vector<Column>& columns() const noexcept { return columns_; }
  [[nodiscard]] const std::vector<FigureRow>& rows() const noexcept { return rows_; }
  /// The figure of a column in the first row.
  [[nodiscard]] const Figure& first(std::string_view column) const;

 private:
  const char* key_;
  std::vector<const char*> names_;
  std::vector<Column> columns_;
  std::vector<FigureRow> rows_;
  std::map<std::vector<std::string>, std::size_t> places_;
};

struct BenchFigures {
  BenchFigures();
  /// Adds a run, which must have accounts.
  void add(const engine::Summary& summary);
  /// To be called after the last run.
  void finish(std::size_t slowest);

  unsigned runs = 0;
  FigureTable run, nodes, plugins, formats, plugins_by_format, slowest;
};

}  // namespace stoq::cli
