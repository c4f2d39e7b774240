/// What the program can do; each returns the exit code. Throw ConfigError, IoError.
#pragma once

#include "cli/arguments.hpp"

namespace stoq::cli {

int scan(const Arguments& arguments);
int bench(const Arguments& arguments);
int graph(const Arguments& arguments);
int list(const Arguments& arguments);
int info(const Arguments& arguments);
int get(const Arguments& arguments);
int new_package(const Arguments& arguments);
int install(const Arguments& arguments);
int schema(const Arguments& arguments);

}  // namespace stoq::cli
