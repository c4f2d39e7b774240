/// The keys of stoQ's stoq.cfg, and what each is here. The only table of them.
#pragma once

#include <array>
#include <string_view>

namespace stoq::cli {

/// One key of [core].
struct ConfigKey {
  std::string_view key;
  std::string_view option;        ///< the long option that it stands for; empty: none
  bool list = false;              ///< its value is a list with commas between
  std::string_view instead = {};  ///< without an option: what to do in its place
  std::string_view tail = {};     ///< what follows the value
  std::string_view plugin = {};   ///< whose option of the same name it stands for; empty: none's
};

/// Besides these, every long option of `stoq scan` is a key ('_' for '-').
inline constexpr std::array config_keys{
    ConfigKey{"plugin_dir", "plugin-dir"},
    ConfigKey{"plugin_dir_list", "plugin-dir", true},
    ConfigKey{"default_connector", "connector"},
    ConfigKey{"default_source", "source"},
    ConfigKey{"default_tlp", "tlp"},
    ConfigKey{"max_recursion", "max-depth"},
    ConfigKey{"base_dir", "", false,
              "it has an effect only where other values name it, as in %(base_dir)s/rules"},
    ConfigKey{"temp_dir", "", false, "set the environment variable TMPDIR"},
    ConfigKey{"max_queue", "", false,
              "what waits is bounded by its bytes, not by its number: set memory"},
    ConfigKey{"results_dir", "", false, "name the file with output"},
    ConfigKey{"filename_suffix", "", false, "name the file with output"},
    ConfigKey{"archive_base", "", false, {}, {}, "connector:file"},
    ConfigKey{"source_base_tuple", "", false, {}, {}, "connector:file"},
    ConfigKey{"url_prefix_tuple", "", false, "this version fetches nothing from the network"},
    ConfigKey{"useragent", "", false, "this version fetches nothing from the network"},
    ConfigKey{"log_dir", "log-file", false, {}, "/stoq.log"},
    ConfigKey{"log_maxbytes", "log-max-size"},
    ConfigKey{"log_backup_count", "log-count"},
    ConfigKey{"log_syntax", "", false, "the log is lines of text"},
    ConfigKey{"sentry_url", "", false, "this version sends its log nowhere"},
    ConfigKey{"sentry_ignore_list", "", false, "this version sends its log nowhere"}};

}  // namespace stoq::cli
