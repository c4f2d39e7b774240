/// Lays a configuration file under the command line.
#pragma once

#include <map>
#include <string>

namespace CLI {
class App;
}

namespace stoq::cli {

using PluginOptions = std::map<std::string, std::map<std::string, std::string>>;

/// Gives `command` the options of the file's sections [core] and [scan] that the command line did
/// not set (null: they are left alone), and `options` the plugins' options of [plugin:NAME] and
/// [NAME]. Throws UsageError for a key that `command` does not know, ConfigError and IoError for
/// the file.
void apply_config_file(const std::string& file, CLI::App* command, PluginOptions& options);

}  // namespace stoq::cli
