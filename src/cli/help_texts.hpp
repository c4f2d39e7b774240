/// What stands below the options in the help of a command.
#pragma once

namespace stoq::cli {

inline constexpr const char* top_footer = R"(Examples:
  stoq scan ~/Downloads                        every file, archives opened; JSON Lines on stdout
  stoq scan mail/ -o results.jsonl.zst         into a file, compressed by its name
  stoq scan mail/ --rules rules/ | jq .        with YARA rules
  stoq yara -r rules/ -F mail/ -D              one worker, as stoQ calls it; -D opens archives
  stoq list                                    which plugins there are
  stoq info extractor:zip                      what one does, and its options

Exit codes: 0 all scanned · 1 finished, but not everything is ok (the summary says what) ·
            2 could not run (usage, configuration, output) · 130 interrupted (output is valid))";

inline constexpr const char* scan_footer =
    R"(Sizes take suffixes: 64K, 512M, 1.5G (powers of 1024). Times are in seconds.
Globs: without '/' they match a file's name, with '/' its path below PATH; ** crosses '/';
  a folder that --exclude matches is left out whole. Quote them from the shell.

Examples:
  stoq scan corpus/ -o results.jsonl           results.jsonl, and run.json beside it
  stoq scan a.zip -w none --hash md5,sha256    hashes only, of every file in every layer
  stoq scan corpus/ --rules rules.yar -j4 --memory 2G
  stoq scan corpus/ --include '*.exe' --exclude 'tmp/' --max-size 100M
  find / -xdev -name '*.jar' -print0 | stoq scan --files-from - -o jars.jsonl.gz
  stoq scan corpus/ --rules rules/ --option yara.timeout=10 --config stoq.cfg
  stoq scan mail/ -o mail.jsonl -A file --option file.archive_base=/srv/archive
  stoq scan /srv/drop -o drop.jsonl --cron 3600 --rate-limit 100/60

stoq.cfg holds the long options (or stoQ's keys for them) under [core], and plugins' options by
section; the command line wins over plugins' .stoq files, and those over stoq.cfg:
  [core]
  worker = mimetype, entropy
  max-depth = 8
  rules = /etc/stoq/rules
  [plugin:yara]
  timeout = 10)";

inline constexpr const char* worker_footer =
    R"(One worker on files; without -D on the files alone. The same engine, limits and results as
'stoq scan', which runs several workers. Sizes, times and globs are as there ('stoq scan -h').

Examples:
  stoq yara -r rules.yar -F corpus/ -D -R 10 --metadata case:1234 submitter:me --tlp green
  stoq yara -r rules/ -F mail/ -D -A file --option file.archive_base=/srv/archive -O mail.jsonl
  stoq entropy -F corpus/ --format stoq -S
  stoq iocextract -F /srv/drop --cron 3600 -O iocs.jsonl --rate-limit 100/60)";

inline constexpr const char* get_footer =
    R"(The file is written under the name you give, never under its own. What is fetched by hash is
checked against it. Exit codes: 0 written · 2 not there, not allowed, damaged.

Examples:
  stoq get file 7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed -o payload.bin \
    --option file.archive_base=/srv/archive)";

inline constexpr const char* new_footer =
    R"(Writes NAME-plugin/: CMakeLists.txt, NAME/NAME.cpp and NAME.stoq, tests/. It builds, passes its test
and can be installed as it is; what is in there is yours to change.

Example:
  stoq new worker lines && stoq install lines-plugin && stoq scan -w lines FILE)";

inline constexpr const char* install_footer =
    R"(A package's build and its tests are programs that run as you: install what you trust. $CXX,
$CXXFLAGS, $CMAKE_BUILD_TYPE and $CMAKE_GENERATOR are heeded. Nothing is written outside the plugin
folder, and nothing at all when a step fails.
Exit codes: 0 installed · 2 not installed · 130 interrupted.

Examples:
  stoq install lines-plugin
  stoq install lines-plugin.tar.gz --upgrade --plugin-dir ~/stoq-plugins)";

inline constexpr const char* bench_footer =
    R"help(Takes every option of 'stoq scan'. Results are made as in a scan and thrown away, unless
--output or --connector keeps them. Exit codes: 0 measured · 2 could not run · 130 interrupted.

Time counts once: a call into a plugin is without what it hands back to stoq, and without children
scanned in between. CPU is what is to be compared; wall is what a call or payload took, others on the
same processors included. Speeds by plugin and format are a CPU second's. `engine` is stoq's own
share: schedule, admit, dispatch (without hash and rules), decode/extract/carve/scan around the
plugins, children, assemble, connect. Not engine: plugins (source and connector among them), load
(reading files), hash, rules (libyara with the dispatch rules). `accounts` is the sum of all this
beside the CPU time of the process (getrusage); formats and calls are not counted in it again.
A format is the type of the record, as in the summary of a scan; "(duplicate)" are payloads met
before under the same file.

JSON: an object with `schema` 1, `version`, `paths`, `threads`, `repeat`, `peak_rss_bytes` and the
tables `run`, `nodes`, `plugins`, `formats`, `plugins_by_format`, `slowest`, each a list of rows.
Members that end in _seconds, _per_second, _share are objects of `median`, `min` and `max` over
the runs; those are per CPU second in all tables but `run`. Counts and names stand as they are.
p50 and p99 are at most 3.2 % too high.

Examples:
  stoq bench corpus/                           tables, the median of three runs after a warm-up
  stoq bench corpus/ -w mimetype -j1 --repeat 9 --json - -q | jq .plugins)help";

}  // namespace stoq::cli
