#include <iostream>
#include <string>
#include <string_view>

#include <stoq/error.hpp>

#include "cli/commands.hpp"

namespace stoq::cli {
namespace {

constexpr std::string_view json_schema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "$id": "https://github.com/PUNCH-Cyber/stoq/schema/1",
  "title": "A line of stoq's results: one payload",
  "type": "object",
  "required": ["file", "stoq"],
  "properties": {
    "file": {
      "description": "The payload, by the names of the Elastic Common Schema",
      "type": "object",
      "properties": {
        "name": {"description": "Its name, without folders; what is not UTF-8 is U+FFFD", "type": "string"},
        "path": {"description": "The file on disk that it is, or came out of", "type": "string"},
        "extension": {"type": "string"},
        "size": {"description": "In bytes", "type": "integer", "minimum": 0},
        "mime_type": {"type": "string"},
        "hash": {
          "type": "object",
          "properties": {
            "md5": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "sha1": {"type": "string", "pattern": "^[0-9a-f]{40}$"},
            "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "sha512": {"type": "string", "pattern": "^[0-9a-f]{128}$"}
          }
        }
      }
    },
    "stoq": {
      "type": "object",
      "required": ["schema", "id", "root", "depth", "ordinal", "path", "status"],
      "properties": {
        "schema": {"description": "Version of this schema", "const": 1},
        "id": {"description": "From root path, ordinal and content: equal in every run", "$ref": "#/$defs/id"},
        "root": {"description": "Id of the file it came out of", "$ref": "#/$defs/id"},
        "parent": {"description": "Id of the payload it came out of; absent on roots", "$ref": "#/$defs/id"},
        "depth": {"description": "0: a file of the corpus", "type": "integer", "minimum": 0},
        "ordinal": {
          "description": "Its place: number of the root, of the child in it, and so on",
          "type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1
        },
        "path": {"description": "For people: layers separated by '!'", "type": "string"},
        "name_b64": {
          "description": "The exact bytes of the name, where file.name is not exact",
          "type": "string", "contentEncoding": "base64"
        },
        "path_b64": {
          "description": "The exact bytes of a root's path, where file.path is not exact",
          "type": "string", "contentEncoding": "base64"
        },
        "meta": {"description": "What the source says of a root", "type": "object"},
        "origin": {
          "description": "Who brought it out, and where it was; further members are the plugin's",
          "type": "object",
          "properties": {
            "category": {"enum": ["extractor", "carver", "decoder", "source"]},
            "plugin": {"type": "string"},
            "member": {"description": "Its name as the container claims it", "type": "string"},
            "offset": {"description": "In the parent, in bytes", "type": "integer", "minimum": 0},
            "encrypted": {"type": "boolean"}
          }
        },
        "type": {"description": "What the dispatch rules call it", "type": "string"},
        "dispatch": {
          "description": "The plugins it was given to, as category:name",
          "type": "array", "items": {"type": "string"}
        },
        "status": {
          "description": "How it ended; the worst that applies",
          "enum": [@STATUSES@]
        },
        "tlp": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "duplicate_of": {"description": "Id of the first payload with these bytes", "$ref": "#/$defs/id"},
        "children": {
          "description": "declared = emitted + dropped",
          "type": "object",
          "properties": {
            "declared": {"type": "integer", "minimum": 0},
            "emitted": {"type": "integer", "minimum": 0},
            "dropped": {
              "type": "array",
              "items": {
                "type": "object",
                "required": ["limit", "count"],
                "properties": {
                  "limit": {"type": "string"},
                  "count": {"type": "integer", "minimum": 0},
                  "bytes": {"type": "integer", "minimum": 0}
                }
              }
            }
          }
        },
        "workers": {
          "description": "What each worker said; the members of a worker's object are its own",
          "type": "object",
          "additionalProperties": {"type": "object"}
        },
        "errors": {
          "type": "array",
          "items": {
            "type": "object",
            "required": ["kind"],
            "properties": {
              "plugin": {"type": "string"},
              "kind": {"description": "The limit or the cause", "type": "string"},
              "message": {"type": "string"},
              "offset": {"type": "integer", "minimum": 0}
            }
          }
        }
      }
    }
  },
  "$defs": {
    "id": {"type": "string", "pattern": "^[0-9a-f]{16}$"}
  }
}
)";

/// What differs from worker to worker is JSON: a column that no sample of lines can get wrong.
constexpr std::string_view duckdb_statement = R"(CREATE TABLE results AS
SELECT * FROM read_json('results.jsonl', format = 'newline_delimited',
  maximum_object_size = 1073741824, columns = {
  file: 'STRUCT(name VARCHAR, path VARCHAR, extension VARCHAR, size BIGINT, mime_type VARCHAR,
    hash STRUCT(md5 VARCHAR, sha1 VARCHAR, sha256 VARCHAR, sha512 VARCHAR))',
  stoq: 'STRUCT("schema" INTEGER, id VARCHAR, root VARCHAR, parent VARCHAR, depth BIGINT,
    ordinal BIGINT[], path VARCHAR, path_b64 VARCHAR, name_b64 VARCHAR, meta JSON, origin JSON, "type" VARCHAR,
    dispatch VARCHAR[], status VARCHAR, tlp VARCHAR, tags VARCHAR[], duplicate_of VARCHAR,
    children STRUCT(declared BIGINT, emitted BIGINT,
      dropped STRUCT("limit" VARCHAR, count BIGINT, bytes BIGINT)[]),
    workers JSON,
    errors STRUCT(plugin VARCHAR, kind VARCHAR, message VARCHAR, "offset" BIGINT)[])'
});
)";

std::string statuses() {
  std::string list;
  for (auto i = 0; i <= static_cast<int>(Status::io_error); ++i) {
    list += (i == 0 ? "\"" : ", \"") + std::string(to_string(static_cast<Status>(i))) + "\"";
  }
  return list;
}

}  // namespace

int schema(const Arguments& arguments) {
  if (arguments.duckdb) {
    std::cout << duckdb_statement;
    return 0;
  }
  constexpr std::string_view place = "@STATUSES@";
  std::string text(json_schema);
  text.replace(text.find(place), place.size(), statuses());
  std::cout << text;
  return 0;
}

}  // namespace stoq::cli
